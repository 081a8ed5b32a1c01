// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/xfs_inode.h"
#include "fsreaders/xfs_volume.h"

namespace pvhgrub::fs {

/// All entries of a directory in the order of its blocks, their inode numbers as handles. The index over
/// their names' hashes is not used: a listing finds names as fast.
[[nodiscard]] Result<DirectoryListing> read_xfs_directory(XfsVolume& volume, const XfsInode& inode);

}  // namespace pvhgrub::fs
