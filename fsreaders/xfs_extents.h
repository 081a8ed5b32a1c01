// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "base/result.h"
#include "fsreaders/block_run.h"
#include "fsreaders/xfs_inode.h"
#include "fsreaders/xfs_volume.h"

namespace pvhgrub::fs {

/// Where the first `end` blocks of an inode's data fork lie, in blocks from the file system's start; holes,
/// and what was reserved but never written, are left out. kDamaged: extents outside of the file system, or
/// out of order. kLimit: too many, or past 2^32 blocks.
[[nodiscard]] Result<BlockRuns> read_xfs_runs(XfsVolume& volume, const XfsInode& inode, std::uint64_t end);

}  // namespace pvhgrub::fs
