// SPDX-License-Identifier: LGPL-2.1-or-later
// FAT12, FAT16 and FAT32, as the EFI system partition has it.
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Opens the FAT file system that `source` holds. Marks of an unclean shutdown are not looked at: FAT has no
/// journal, and an EFI system partition keeps them for ever. `source` and `budget` outlive the result.
/// kDamaged: the boot sector or the root directory contradicts itself.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_fat_file_system(BlockSource& source, Budget& budget);

}  // namespace pvhgrub::fs
