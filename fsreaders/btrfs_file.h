// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "fsreaders/btrfs_data.h"
#include "fsreaders/btrfs_inode.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// The contents of a regular file or symbolic link. `data` and `volume` outlive the result.
[[nodiscard]] Result<std::unique_ptr<File>> open_btrfs_file(BtrfsVolume& volume, BtrfsData& data,
                                                            const BtrfsTree& tree, const BtrfsInode& inode);

/// A symbolic link's target, as TreeFileSystem wants it.
[[nodiscard]] Result<std::string> read_btrfs_link(BtrfsVolume& volume, BtrfsData& data, const BtrfsTree& tree,
                                                  const BtrfsInode& inode);

}  // namespace pvhgrub::fs
