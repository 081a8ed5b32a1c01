// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/btrfs_tree_editor.h"

namespace pvhgrub::fs {

/// The extents of one file while those of its log are put over them.
class BtrfsLogExtents {
 public:
  /// Reads those that the subvolume has. `sector_size` in bytes.
  [[nodiscard]] static Result<BtrfsLogExtents> read(const BtrfsTreeEditor& editor, std::uint64_t inode,
                                                    std::uint32_t sector_size);

  /// Takes out what lies in the file's bytes [begin, end); extents that reach over are cut.
  [[nodiscard]] Result<void> drop(std::uint64_t begin, std::uint64_t end);
  /// Puts an extent of the log at `begin` over what is there.
  [[nodiscard]] Result<void> replace(std::uint64_t begin, Bytes item);
  /// Changes the subvolume to what there is now.
  [[nodiscard]] Result<void> write(BtrfsTreeEditor& editor) const;

 private:
  using Items = std::map<std::uint64_t, std::vector<std::byte>>;  // by their first byte in the file
  BtrfsLogExtents(std::uint64_t inode, std::uint32_t sector_size)
      : inode_(inode), sector_size_(sector_size) {}
  /// The byte behind the extent's last in the file.
  [[nodiscard]] Result<std::uint64_t> end_of(std::uint64_t begin, Bytes item) const;
  /// What remains of an extent when the file's bytes before `from` and from `to` on are cut away.
  [[nodiscard]] static Result<std::vector<std::byte>> cut(std::uint64_t begin, Bytes item, std::uint64_t from,
                                                          std::uint64_t to);

  std::uint64_t inode_;
  std::uint32_t sector_size_;
  Items before_;
  Items now_;
};

}  // namespace pvhgrub::fs
