// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// One directory's entries, parsed once and found by name in logarithmic time: a loader's entries lie in one
/// directory of many thousands. Without "." and "..".
class DirectoryListing {
 public:
  struct Entry {
    std::uint64_t handle = 0;  ///< the reader's own number for what the name stands for
    std::uint32_t name_offset = 0;
    std::uint32_t name_length = 0;
    std::optional<FileType> type;  ///< nothing where the directory does not store it
  };

  /// What two names have in common that are the same to the file system; nullptr: only the same bytes are.
  using Fold = std::function<std::string(std::string_view name)>;
  explicit DirectoryListing(Fold fold = nullptr) : fold_(std::move(fold)) {}

  /// Adds the directory's next entry. Names that no path can name (empty, with '/' or NUL), "." and ".." are
  /// left out. kLimit: more than a listing may hold.
  [[nodiscard]] Result<void> add(std::string_view name, std::uint64_t handle, std::optional<FileType> type);
  /// All entries are there: from now on they can be found.
  void finish();

  /// In the order of the disk.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::string_view name(const Entry& entry) const {
    return std::string_view(names_).substr(entry.name_offset, entry.name_length);
  }
  /// The entry of that name; the first of several. nullptr where there is none.
  [[nodiscard]] const Entry* find(std::string_view name) const;
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const;

 private:
  // What is compared: a name, or its folded form, which stands behind it.
  struct Key {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t entry = 0;
  };
  [[nodiscard]] std::string_view text(const Key& key) const {
    return std::string_view(names_).substr(key.offset, key.length);
  }

  Fold fold_;
  std::string names_;
  std::vector<Entry> entries_;
  std::vector<Key> keys_;  // sorted once the listing is finished
};

}  // namespace pvhgrub::fs
