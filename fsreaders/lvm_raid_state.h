// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// Which images of an LVM RAID volume hold their contents in full, by the superblocks that dm-raid keeps in
/// the volumes that go with them (`records`, one an image; nullptr where it is not there). Without any
/// superblock the volume has never been active, and all count as good. kLimit; what cannot be read counts as
/// not good.
[[nodiscard]] Result<std::vector<bool>> good_raid_images(const std::vector<BlockSource*>& records,
                                                         Budget& budget);

}  // namespace pvhgrub::fs
