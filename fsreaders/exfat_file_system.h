// SPDX-License-Identifier: LGPL-2.1-or-later
// exFAT (Microsoft, exFAT file system specification, version 1.00).
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Opens the exFAT file system that `source` holds. `source` and `budget` outlive the result. kUnsupported:
/// not exFAT. kDamaged: both boot regions or the root directory contradict themselves.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_exfat_file_system(BlockSource& source, Budget& budget);

}  // namespace pvhgrub::fs
