// SPDX-License-Identifier: LGPL-2.1-or-later
// What all readers of a file system share: following a path through directories and links, and keeping the
// directories that were read.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/limits.h"
#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// `Node`: a file or directory as the format describes it (an inode); movable. `Directory`: a directory's
/// entries, in memory, with `std::size_t memory() const`.
template <std::movable Node, std::movable Directory>
class TreeFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(std::string_view path) final {
    return told(path, [&]() -> Result<std::unique_ptr<File>> {
      PVHGRUB_TRY_ASSIGN(const Node node, walk(path));
      const FileType type = info(node).type;
      if (type != FileType::kRegular)
        return fail(ErrorCode::kWrongType,
                    type == FileType::kDirectory ? "it is a directory" : "it is not a regular file");
      return open_node(node);
    });
  }

  Result<FileInfo> stat(std::string_view path) final {
    return told(path, [&]() -> Result<FileInfo> {
      PVHGRUB_TRY_ASSIGN(const Node node, walk(path));
      return info(node);
    });
  }

  Result<std::vector<DirectoryEntry>> list(std::string_view path) final {
    return told(path, [&]() -> Result<std::vector<DirectoryEntry>> {
      PVHGRUB_TRY_ASSIGN(const Node node, walk(path));
      if (info(node).type != FileType::kDirectory)
        return fail(ErrorCode::kWrongType, "it is not a directory");
      PVHGRUB_TRY_ASSIGN(const Directory* directory, directory_of(node));
      return entries(node, *directory);
    });
  }

 protected:
  /// `budget` outlives the file system.
  explicit TreeFileSystem(Budget& budget) : budget_(budget) {}

  [[nodiscard]] Budget& budget() const { return budget_; }

  [[nodiscard]] virtual Result<Node> root() = 0;
  [[nodiscard]] virtual FileInfo info(const Node& node) const = 0;
  /// A number that no other directory of the file system has.
  [[nodiscard]] virtual std::uint64_t key(const Node& directory) const = 0;
  [[nodiscard]] virtual Result<Directory> read_directory(const Node& node) = 0;
  /// What `name` is in a directory; nothing where it is not there.
  [[nodiscard]] virtual Result<std::optional<Node>> find(const Node& node, const Directory& directory,
                                                         std::string_view name) = 0;
  /// As FileSystem::list() tells them.
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> entries(const Node& node,
                                                                    const Directory& directory) = 0;
  /// A symbolic link's target: not empty, at most limits::kPathBytes, without NUL.
  [[nodiscard]] virtual Result<std::string> read_link(const Node& node) = 0;
  /// Opens the contents of a regular file.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open_node(const Node& node) = 0;

  /// Follows a path from the root; ".." goes back the way that was come, and stays at the root.
  [[nodiscard]] Result<Node> walk(std::string_view path) {
    if (path.size() > limits::kPathBytes || path.find('\0') != path.npos || !path.starts_with('/'))
      return fail(ErrorCode::kNotFound,
                  "no path from the root of at most " + std::to_string(limits::kPathBytes) + " bytes");
    std::vector<Node> way;
    PVHGRUB_TRY_ASSIGN(Node root_node, root());
    if (info(root_node).type != FileType::kDirectory)
      return fail(ErrorCode::kDamaged, "the root is not a directory; check the file system in the guest");
    way.push_back(std::move(root_node));
    unsigned links = 0;
    // Grows by a link's target at most limits::kSymlinks times, so this ends.
    for (std::string rest(path); !rest.empty();) {
      PVHGRUB_TRY(budget_.charge_steps(1, "following a path"));
      const std::size_t start = rest.find_first_not_of('/');
      if (info(way.back()).type != FileType::kDirectory)
        return fail(ErrorCode::kWrongType, "a file stands where a directory should");
      if (start == rest.npos) break;
      const std::size_t end = std::min(rest.find('/', start), rest.size());
      const std::string name = rest.substr(start, end - start);
      rest.erase(0, end);
      if (name == ".") continue;
      if (name == "..") {
        if (way.size() > 1) way.pop_back();
        continue;
      }
      PVHGRUB_TRY_ASSIGN(const Directory* directory, directory_of(way.back()));
      PVHGRUB_TRY_ASSIGN(std::optional<Node> next, find(way.back(), *directory, name));
      if (!next) return fail(ErrorCode::kNotFound, "no such file or directory");
      if (info(*next).type != FileType::kSymlink) {
        way.push_back(std::move(*next));
        continue;
      }
      if (++links > limits::kSymlinks)
        return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kSymlinks) +
                                           " symbolic links: do they lead in a circle?");
      PVHGRUB_TRY_ASSIGN(const std::string target, read_link(*next));
      if (target.starts_with('/')) way.erase(std::next(way.begin()), way.end());
      rest.insert(0, target);
    }
    return std::move(way.back());
  }

 private:
  // Memory in bytes for directories that are kept after use: those of one look-up after another. Room for one
  // of 200,000 boot loader entries beside the way to it: read anew for each of them, it would take hours.
  static constexpr std::size_t kDirectoryCacheBytes = 24 * limits::kMiB;

  struct CachedDirectory {
    std::uint64_t key = 0;
    Directory directory;
  };

  // Runs `body`, with the path put in front of where its error was.
  template <typename Body>
  auto told(std::string_view path, Body&& body) -> decltype(body()) {
    auto result = body();
    if (!result) return std::unexpected(at(path, std::move(result.error())));
    return result;
  }

  // The directory's entries, kept for the next look-up. The pointer lives until the next call.
  Result<const Directory*> directory_of(const Node& node) {
    const auto found = std::ranges::find(directories_, key(node), &CachedDirectory::key);
    if (found != directories_.end()) {
      directories_.splice(directories_.begin(), directories_, found);
      return &directories_.front().directory;
    }
    PVHGRUB_TRY_ASSIGN(Directory directory, read_directory(node));
    directories_.push_front({key(node), std::move(directory)});
    std::size_t memory = 0;
    const auto too_much = std::ranges::find_if(directories_, [&](const CachedDirectory& cached) {
      memory += cached.directory.memory();
      return memory > kDirectoryCacheBytes;
    });
    // The one just read stays, however large.
    directories_.erase(too_much == directories_.begin() ? std::next(too_much) : too_much, directories_.end());
    return &directories_.front().directory;
  }

  Budget& budget_;
  std::list<CachedDirectory> directories_;  // the last used first
};

}  // namespace pvhgrub::fs
