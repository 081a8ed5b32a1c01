// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Mounts an ISO 9660 volume (ECMA-119): with Rock Ridge's names and links where it has them, else with
/// Joliet's names, else with the plain ones, as GRUB chooses. Both arguments outlive the file system.
/// kUnsupported: none is there. Files that are interleaved or compressed (zisofs) are told apart when they
/// are opened.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_iso9660_file_system(BlockSource& source,
                                                                           Budget& budget);

}  // namespace pvhgrub::fs
