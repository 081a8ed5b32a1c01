// SPDX-License-Identifier: LGPL-2.1-or-later
// The superblock of ext2/3/4, checked by ourselves before libext2fs sees it, so that what it allocates is
// bounded. Layout: Linux kernel documentation, filesystems/ext4, "Super Block".
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// Byte offset of the superblock from the file system's start, and its size in bytes.
inline constexpr std::uint64_t kExtSuperblockOffset = 1024;
inline constexpr std::size_t kExtSuperblockBytes = 1024;

struct ExtSuperblock {
  std::uint32_t block_size = 0;    ///< bytes: 1024 to 65536, a power of two
  std::uint64_t blocks_count = 0;  ///< blocks, all of which lie inside the source
  std::uint32_t inodes_count = 0;
  std::uint32_t inode_size = 0;  ///< bytes: 128 to the block size, a power of two
  std::uint64_t groups_count = 0;
  std::uint32_t descriptor_size = 0;  ///< bytes of one group descriptor
  std::uint32_t feature_compat = 0;
  std::uint32_t feature_incompat = 0;
  std::uint32_t feature_ro_compat = 0;
  std::uint16_t state = 0;          ///< EXT2_VALID_FS, EXT2_ERROR_FS, ...
  std::uint32_t journal_inode = 0;  ///< 0 where the journal is on another device, or there is none
  std::string uuid;                 ///< lower case, 8-4-4-4-12
  std::string label;
  [[nodiscard]] bool has_journal() const;
  [[nodiscard]] bool needs_recovery() const;
  /// Why no block of a file may be overwritten in place, in words; empty where one may. To be asked of the
  /// superblock as it lies on the disk, not as a journal's replay would leave it.
  [[nodiscard]] std::string overwriting_obstacle() const;
};

/// Reads and checks the superblock's bytes. `source_size`: bytes that the file system may lie in.
/// kUnsupported: the magic is absent, or an unknown feature; kDamaged: values that contradict themselves.
[[nodiscard]] Result<ExtSuperblock> parse_ext_superblock(Bytes bytes, std::uint64_t source_size);

}  // namespace pvhgrub::fs
