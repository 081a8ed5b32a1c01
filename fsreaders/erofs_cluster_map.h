// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the contents of a compressed inode lie. Layout: fs/erofs/erofs_fs.h, struct z_erofs_map_header,
// struct z_erofs_lcluster_index, and "compacted 4B/2B" indexes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "fsreaders/erofs_inode.h"
#include "fsreaders/erofs_volume.h"

namespace pvhgrub::fs {

/// What a logical cluster of a file (a block of it) is (Z_EROFS_LCLUSTER_TYPE_...).
enum class ErofsClusterType : std::uint8_t {
  kPlain = 0,   ///< an extent begins in it that is not compressed
  kHead1 = 1,   ///< one that the first algorithm compressed
  kInside = 2,  ///< all of it belongs to the extent that begins before it
  kHead2 = 3,   ///< one that the second algorithm compressed
};

/// A run of a file that is stored in one physical cluster, up to where the next one begins. 16 bytes, since a
/// file may have a million.
struct ErofsExtent {
  std::uint64_t logical = 0;  ///< byte of the file that it begins at
  std::uint32_t block = 0;    ///< number of the cluster's first block
  std::uint16_t blocks = 1;   ///< of the cluster; 0: the index does not tell
  ErofsClusterType type = ErofsClusterType::kPlain;
  bool partial = false;  ///< the cluster holds more than this extent (dedupe)
};

/// Where the last extent lies, if not in blocks as the others.
enum class ErofsTail : std::uint8_t { kBlocks, kBehindIndexes, kPackedInode };

struct ErofsClusterMap {
  std::vector<ErofsExtent>
      extents;  ///< in ascending order; the first begins at 0, the last ends at the file's end
  std::array<std::uint32_t, 2> algorithms{};  ///< of kHead1 and kHead2
  bool interlaced = false;  ///< bytes of plain extents lie at the same place of a block as in the file
  ErofsTail tail = ErofsTail::kBlocks;
  std::uint64_t tail_offset = 0;  ///< bytes: of the file system, or of the packed inode's contents
  std::uint32_t tail_bytes = 0;   ///< of the cluster behind the indexes
};

/// Reads the indexes of a compressed inode that is not empty. kDamaged, kUnsupported; kLimit: more than
/// limits::kErofsExtents extents.
[[nodiscard]] Result<ErofsClusterMap> read_erofs_cluster_map(ErofsVolume& volume, const ErofsInode& inode);

}  // namespace pvhgrub::fs
