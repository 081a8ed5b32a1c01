// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/file_system.h"
#include "fsreaders/squashfs_volume.h"

namespace pvhgrub::fs {

/// One inode. A reference names it: the disk offset of its metadata block from the inode table's start, 16
/// bits to the left, and its offset within.
struct SquashfsInode {
  std::uint64_t reference = 0;
  FileType type = FileType::kOther;
  std::uint64_t size = 0;              ///< bytes; of a directory, of its listing
  std::int64_t modification_time = 0;  ///< seconds since 1970-01-01 UTC

  // Of a regular file.
  std::uint64_t blocks_start = 0;         ///< where its blocks lie, one behind the other
  std::optional<std::uint32_t> fragment;  ///< the block that holds its end
  std::uint32_t fragment_offset = 0;      ///< where in it, decompressed
  SquashfsPosition block_list;            ///< the size fields of its blocks
  // Of a directory.
  SquashfsPosition listing;
  // Of a symbolic link.
  std::string link;
};

[[nodiscard]] Result<SquashfsInode> read_squashfs_inode(SquashfsVolume& volume, std::uint64_t reference);

/// A directory's entries; each handle is the reference of an inode.
[[nodiscard]] Result<DirectoryListing> read_squashfs_directory(SquashfsVolume& volume,
                                                               const SquashfsInode& directory);

}  // namespace pvhgrub::fs
