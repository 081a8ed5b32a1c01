// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Mounts a SquashFS 4.0, whichever its compression. It has neither UUID nor label. Both arguments outlive
/// the file system. kUnsupported: none is there, or one of another version.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_squashfs_file_system(BlockSource& source,
                                                                            Budget& budget);

}  // namespace pvhgrub::fs
