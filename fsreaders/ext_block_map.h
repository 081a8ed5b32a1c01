// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.h"
#include "fsreaders/block_run.h"
#include "fsreaders/ext_inode.h"
#include "fsreaders/ext_library.h"

namespace pvhgrub::fs {

/// Where an inode's blocks lie: its extent tree or its indirect blocks. Unwritten (preallocated) extents
/// count as holes. All runs lie inside the file system. Charges the budget for every tree node and every run.
[[nodiscard]] Result<BlockRuns> read_ext_block_runs(const ExtLibrary& library, const ExtInode& inode);

}  // namespace pvhgrub::fs
