// SPDX-License-Identifier: LGPL-2.1-or-later
// UFS1 (FFS) and UFS2 of FreeBSD and NetBSD, little-endian.
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Opens the UFS that `source` holds. Journals are not replayed: notes() tells where one would be needed.
/// `source` and `budget` outlive the result. kUnsupported: not UFS, or of a big-endian machine.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_ufs_file_system(BlockSource& source, Budget& budget);

}  // namespace pvhgrub::fs
