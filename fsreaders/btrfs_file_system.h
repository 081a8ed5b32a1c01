// SPDX-License-Identifier: LGPL-2.1-or-later
// Btrfs on one or several devices. Paths are as GRUB has them: they begin in the top-level subvolume,
// whatever the default one is, so Debian's configuration is /@rootfs/boot/grub/grub.cfg; a snapshot's
// directory may lead to subvolumes that its origin held, where Linux shows an empty directory.
#pragma once

#include <memory>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/disk_signature.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// kUnsupported: no btrfs, or one with unknown features. `source`, what `others` gives and `budget` outlive
/// the result.
[[nodiscard]] Result<std::unique_ptr<FileSystem>> open_btrfs_file_system(BlockSource& source,
                                                                         const OtherDevices& others,
                                                                         Budget& budget);

}  // namespace pvhgrub::fs
