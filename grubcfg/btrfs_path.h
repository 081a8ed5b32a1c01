// SPDX-License-Identifier: LGPL-2.1-or-later
// Where paths on btrfs begin: upstream's GRUB has them from the top-level subvolume, always. SUSE's, and Red
// Hat's with the same changes, has them from another subvolume while $btrfs_relative_path begins with '1' or
// 'y': that of $btrfs_subvol (a path), of $btrfs_subvolid (a number), or the default one, which is the
// snapshot that a rollback has made current.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fsreaders/file_system.h"
#include "grubcfg/environment.h"
#include "grubcfg/machine_state.h"

namespace pvhgrub::grubcfg {

[[nodiscard]] bool is_btrfs_path_relative(const Environment& environment);

/// The same file's path from the top-level subvolume. A path that leads through the subvolume already stays
/// as it is: pvhgrub finds configurations by such paths, and then says so in $prefix and $config_directory.
/// So does one whose subvolume is not there. Symbolic links that begin with '/' lead from the top level.
[[nodiscard]] std::string btrfs_path(const Environment& environment, const std::vector<BtrfsMount>& mounts,
                                     fs::FileSystem& file_system, std::string_view path);

}  // namespace pvhgrub::grubcfg
