// SPDX-License-Identifier: LGPL-2.1-or-later
// ext2, ext3 and ext4, read through libext2fs over a BlockSource.
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Opens the ext2, ext3 or ext4 file system that `source` holds. A journal that still needs replay is read as
/// the guest would see it after replay; nothing is written, and notes() tells. `source` and `budget` outlive
/// the result. kUnsupported: not an ext file system (one read tells), or one with a feature that this reader
/// does not know. kDamaged: its superblock, group descriptors or journal contradict themselves; the error
/// tells the disk offset.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_ext_file_system(BlockSource& source, Budget& budget);

}  // namespace pvhgrub::fs
