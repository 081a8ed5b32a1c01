// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Mounts XFS, versions 4 and 5, from `source`. `source` and `budget` outlive the result. kUnsupported: not
/// XFS, or features that this version does not know, with their names; kDamaged.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_xfs_file_system(BlockSource& source, Budget& budget);

}  // namespace pvhgrub::fs
