// SPDX-License-Identifier: LGPL-2.1-or-later
// What was fsynced after the last commit before a crash stands in log trees only: one for each subvolume,
// with the inodes, names and extents that changed. Linux replays them at the next mount. Here they are
// replayed in memory, so that the kernel that was just installed boots. GRUB does not look at them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/btrfs_volume.h"

namespace pvhgrub::fs {

struct BtrfsLogs {
  std::map<std::uint64_t, BtrfsChanges> subvolumes;  ///< by number
  BtrfsChanges checksums;                            ///< of data that the log names
  std::vector<std::string> notes;                    ///< for a person
};

/// Empty where the file system was unmounted, or has committed everything. A log that is damaged or too large
/// is left out, with a note: the subvolume is as it was at the last commit. kLimit: the budget is spent.
[[nodiscard]] Result<BtrfsLogs> replay_btrfs_logs(BtrfsVolume& volume);

}  // namespace pvhgrub::fs
