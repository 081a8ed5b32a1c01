// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/appliance_file_system.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "base/appliance_limits.h"
#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {
namespace {

using namespace std::string_view_literals;

/// Linux's name of a file system, and the name of GRUB's module for it where that is another.
constexpr std::array kGrubNames = {
    std::pair{"ext3"sv, "ext2"sv},  std::pair{"ext4"sv, "ext2"sv},        std::pair{"vfat"sv, "fat"sv},
    std::pair{"msdos"sv, "fat"sv},  std::pair{"squashfs"sv, "squash4"sv}, std::pair{"zfs_member"sv, "zfs"sv},
    std::pair{"ntfs3"sv, "ntfs"sv},
};

std::string grub_name(const std::string& type) {
  const auto* const found =
      std::ranges::find(kGrubNames, type, &std::pair<std::string_view, std::string_view>::first);
  return std::string(found != kGrubNames.end() ? found->second : std::string_view(type));
}

/// A file by its path without links; `info` is what its directory's listing said.
struct ApplianceNode {
  std::string path;
  FileInfo info;
  std::uint64_t key = 0;
};

struct ApplianceDirectory {
  DirectoryListing listing;  // handles: indices into `infos`
  std::vector<FileInfo> infos;
  [[nodiscard]] std::size_t memory() const { return listing.memory() + infos.size() * sizeof(FileInfo); }
};

class ApplianceFile final : public File {
 public:
  ApplianceFile(Appliance& appliance, std::uint32_t number, ApplianceNode node, Budget& budget)
      : appliance_(appliance), number_(number), node_(std::move(node)), budget_(budget) {}

  [[nodiscard]] std::uint64_t size() const override { return node_.info.size; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size()) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - offset)));
    for (std::size_t done = 0; done < out.size();) {
      const auto piece = out.subspan(done, std::min(out.size() - done, limits::kApplianceReadBytes));
      PVHGRUB_TRY(budget_.charge_steps(1, "reading a file through the appliance"));
      PVHGRUB_TRY(appliance_.read(number_, node_.path, offset + done, piece));
      done += piece.size();
    }
    return out.size();
  }

  Result<void> send(ContentSink& sink) override { return send_range(0, size(), sink); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override {
    std::vector<std::byte> piece(
        static_cast<std::size_t>(std::min<std::uint64_t>(length, limits::kApplianceReadBytes)));
    while (length > 0) {
      const auto part =
          std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(length, piece.size())));
      PVHGRUB_TRY_ASSIGN(const std::size_t count, read(offset, part));
      if (count != part.size())
        return fail(ErrorCode::kInternal, "a range behind the file's end", node_.path);
      PVHGRUB_TRY(sink.bytes(part));
      offset += count;
      length -= count;
    }
    return {};
  }

 private:
  Appliance& appliance_;
  std::uint32_t number_;
  ApplianceNode node_;
  Budget& budget_;
};

class ApplianceFileSystem final : public TreeFileSystem<ApplianceNode, ApplianceDirectory> {
 public:
  ApplianceFileSystem(Appliance& appliance, std::uint32_t number, const ApplianceVolume& volume,
                      Budget& budget)
      : TreeFileSystem(budget),
        appliance_(appliance),
        number_(number),
        type_(grub_name(volume.type)),
        uuid_(volume.uuid),
        label_(volume.label) {}

  [[nodiscard]] std::string_view type_name() const override { return type_; }
  [[nodiscard]] std::string_view uuid() const override { return uuid_; }
  [[nodiscard]] std::string_view label() const override { return label_; }
  [[nodiscard]] std::vector<std::string> notes() const override {
    return {"its " + type_ + " is read through the appliance"};
  }

 protected:
  Result<ApplianceNode> root() override { return ApplianceNode{"/", {.type = FileType::kDirectory}, 0}; }
  [[nodiscard]] FileInfo info(const ApplianceNode& node) const override { return node.info; }
  [[nodiscard]] std::uint64_t key(const ApplianceNode& directory) const override { return directory.key; }

  Result<ApplianceDirectory> read_directory(const ApplianceNode& node) override {
    PVHGRUB_TRY_ASSIGN(const std::vector<ApplianceEntry> entries, appliance_.list(number_, node.path));
    PVHGRUB_TRY(budget().charge_steps(entries.size() + 1, "listing a directory through the appliance"));
    ApplianceDirectory directory;
    directory.infos.reserve(entries.size());
    for (const ApplianceEntry& entry : entries) {
      PVHGRUB_TRY(budget().charge_bytes(entry.name.size(), "listing a directory through the appliance"));
      PVHGRUB_TRY(directory.listing.add(entry.name, directory.infos.size(), entry.info.type));
      directory.infos.push_back(entry.info);
    }
    directory.listing.finish();
    return directory;
  }

  Result<std::optional<ApplianceNode>> find(const ApplianceNode& node, const ApplianceDirectory& directory,
                                            std::string_view name) override {
    const DirectoryListing::Entry* const entry = directory.listing.find(name);
    if (entry == nullptr) return std::optional<ApplianceNode>();
    std::string path = node.path == "/" ? std::string() : node.path;
    path += '/';
    path += name;
    // Each link may begin anew at the root, but a path that grows past this is none.
    if (path.size() > limits::kPathBytes) return fail(ErrorCode::kLimit, "the path grows too long");
    ApplianceNode found{std::move(path), directory.infos[static_cast<std::size_t>(entry->handle)], 0};
    if (found.info.type == FileType::kDirectory) {
      PVHGRUB_TRY_ASSIGN(found.key, key_of(found.path));
    }
    return std::optional(std::move(found));
  }

  Result<std::vector<DirectoryEntry>> entries(const ApplianceNode& node,
                                              const ApplianceDirectory& directory) override {
    (void)node;
    std::vector<DirectoryEntry> list;
    list.reserve(directory.listing.entries().size());
    for (const DirectoryListing::Entry& entry : directory.listing.entries())
      list.push_back({std::string(directory.listing.name(entry)), entry.type.value_or(FileType::kOther)});
    return list;
  }

  Result<std::string> read_link(const ApplianceNode& node) override {
    PVHGRUB_TRY_ASSIGN(std::string target, appliance_.read_link(number_, node.path));
    if (target.empty() || target.size() > limits::kPathBytes || target.find('\0') != std::string::npos)
      return fail(ErrorCode::kDamaged, "a symbolic link that leads nowhere");
    return target;
  }

  Result<std::unique_ptr<File>> open_node(const ApplianceNode& node) override {
    return std::make_unique<ApplianceFile>(appliance_, number_, node, budget());
  }

 private:
  // A directory's number: 0 is the root's. Each path that is looked at costs the budget its length.
  Result<std::uint64_t> key_of(const std::string& path) {
    const auto found = keys_.find(path);
    if (found != keys_.end()) return found->second;
    PVHGRUB_TRY(budget().charge_bytes(path.size(), "following a path through the appliance"));
    return keys_.emplace(path, keys_.size() + 1).first->second;
  }

  Appliance& appliance_;
  std::uint32_t number_;
  std::string type_;
  std::string uuid_;
  std::string label_;
  std::map<std::string, std::uint64_t, std::less<>> keys_;
};

}  // namespace

std::unique_ptr<FileSystem> open_appliance_file_system(Appliance& appliance, std::uint32_t number,
                                                       const ApplianceVolume& volume, Budget& budget) {
  return std::make_unique<ApplianceFileSystem>(appliance, number, volume, budget);
}

}  // namespace pvhgrub::fs
