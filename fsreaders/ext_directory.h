// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fsreaders/ext_inode.h"
#include "fsreaders/ext_library.h"

namespace pvhgrub::fs {

/// One directory's entries, parsed once and found by name in logarithmic time: a loader's entries lie in one
/// directory of many thousands. Without "." and "..".
class ExtDirectory {
 public:
  struct Entry {
    std::uint32_t name_offset = 0;
    std::uint32_t inode = 0;
    std::uint8_t name_length = 0;
    std::uint8_t file_type = 0;  ///< EXT2_FT_*; EXT2_FT_UNKNOWN where the file system does not store it
  };

  /// Reads the whole directory. kUnsupported: its names are encrypted; kLimit: more than a listing may hold.
  [[nodiscard]] static Result<ExtDirectory> read(const ExtLibrary& library, const ExtInode& inode);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::string_view name(const Entry& entry) const {
    return std::string_view(names_).substr(entry.name_offset, entry.name_length);
  }
  /// The inode of `name`; in a directory without regard to case, the one whose folded name is the same, where
  /// none has the very same bytes.
  [[nodiscard]] std::optional<std::uint32_t> find(const ExtLibrary& library, std::string_view name) const;
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return names_.capacity() + entries_.capacity() * sizeof(Entry); }

 private:
  friend class ExtDirectoryReader;
  std::string names_;
  std::vector<Entry> entries_;  // by name
  bool folds_case_ = false;
};

}  // namespace pvhgrub::fs
