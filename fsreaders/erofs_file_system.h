// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Mounts an EROFS. Both arguments outlive the file system. kUnsupported: none is there, or one over several
/// devices, with addresses of 48 bits, or with features that are unknown.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_erofs_file_system(BlockSource& source, Budget& budget);

}  // namespace pvhgrub::fs
