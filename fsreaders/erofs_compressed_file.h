// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/result.h"
#include "fsreaders/erofs_inode.h"
#include "fsreaders/erofs_volume.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Opens the contents of an inode with one of the compressed layouts. Parts that are stored plain are sent as
/// extents. `volume` outlives the file.
[[nodiscard]] Result<std::unique_ptr<File>> open_erofs_compressed_file(ErofsVolume& volume,
                                                                       const ErofsInode& inode);

}  // namespace pvhgrub::fs
