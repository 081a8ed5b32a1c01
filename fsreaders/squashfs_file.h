// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/result.h"
#include "fsreaders/file_system.h"
#include "fsreaders/squashfs_inode.h"
#include "fsreaders/squashfs_volume.h"

namespace pvhgrub::fs {

/// Opens a regular file's contents. Blocks that are stored plain are sent as extents, sparse ones as holes.
/// `volume` outlives the file.
[[nodiscard]] Result<std::unique_ptr<File>> open_squashfs_file(SquashfsVolume& volume,
                                                               const SquashfsInode& inode);

}  // namespace pvhgrub::fs
