// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: Linux kernel documentation, filesystems/erofs, "On-disk details"; fs/erofs/erofs_fs.h, struct
// erofs_super_block.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// Features that a reader must know (feature_incompat). Two bits have two meanings each: 0x02 is also that
/// the compressors' settings are stored, 0x20 that parts of clusters are shared (dedupe).
inline constexpr std::uint32_t kErofsZeroPadding = 0x01;  ///< compressed data end where their cluster ends
inline constexpr std::uint32_t kErofsBigClusters = 0x02;
inline constexpr std::uint32_t kErofsTailPacking = 0x10;  ///< the last cluster may follow the inode
inline constexpr std::uint32_t kErofsFragments = 0x20;    ///< ends of files may lie in the packed inode

struct ErofsSuperblock {
  std::uint32_t block_size = 0;            ///< bytes: 512 to 64 KiB
  std::uint32_t directory_block_size = 0;  ///< bytes
  std::uint32_t features = 0;              ///< kErofs...
  std::uint64_t root = 0;                  ///< number of the root's inode
  std::uint64_t packed = 0;                ///< number of the inode that holds the ends of files
  std::uint64_t inodes = 0;                ///< where inode 0 would lie: bytes from the file system's start
  std::int64_t build_time = 0;             ///< of inodes without a time of their own
  std::string uuid;
  std::string label;
};

/// kUnsupported: no EROFS, or features that are unknown or not supported (other devices). kDamaged: a wrong
/// checksum, or what cannot be.
[[nodiscard]] Result<ErofsSuperblock> read_erofs_superblock(BlockSource& source);

/// "...; the image is damaged, make it anew" behind what was wrong, with the byte that it was found at.
[[nodiscard]] std::unexpected<Error> damaged_erofs(std::string what, std::uint64_t offset);

}  // namespace pvhgrub::fs
