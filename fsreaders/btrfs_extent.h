// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/btrfs_compression.h"
#include "fsreaders/btrfs_inode.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/btrfs_volume.h"

namespace pvhgrub::fs {

/// A run of a file's bytes. 40 bytes, since a file may have hundreds of thousands.
struct BtrfsExtent {
  std::uint64_t begin = 0;    ///< in the file, bytes
  std::uint64_t length = 0;   ///< bytes
  std::uint64_t logical = 0;  ///< where its bytes begin; of a compressed one where the whole extent begins
  std::uint32_t compressed_bytes = 0;    ///< of a compressed one: all of it
  std::uint32_t uncompressed_bytes = 0;  ///< the same when decompressed
  std::uint32_t skipped = 0;             ///< decompressed bytes that lie before its own
  BtrfsCompression compression = BtrfsCompression::kNone;
};

struct BtrfsExtents {
  /// Ascending, without overlap; what none covers is a hole.
  std::vector<BtrfsExtent> extents;
  /// What lies within the tree, decompressed: the file's first bytes; then there are mostly no extents.
  std::vector<std::byte> inline_bytes;
};

/// kDamaged: extents in no order, or of impossible sizes. kLimit: too many. kUnsupported: encrypted.
[[nodiscard]] Result<BtrfsExtents> read_btrfs_extents(const BtrfsVolume& volume, const BtrfsTree& tree,
                                                      const BtrfsInode& inode);

}  // namespace pvhgrub::fs
