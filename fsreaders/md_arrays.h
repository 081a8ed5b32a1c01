// SPDX-License-Identifier: LGPL-2.1-or-later
// Linux MD (software RAID): from members to arrays.
#pragma once

#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/volume.h"

namespace pvhgrub::fs {

/// Looks at each candidate for MD's superblock and puts the arrays together, from the members whose count of
/// changes is the newest. What cannot be read is there with its `problem`. A partitioned disk is a candidate
/// too. kLimit only; what is damaged or cannot be read becomes a note.
[[nodiscard]] Result<AssembledVolumes> assemble_md(const std::vector<VolumeCandidate>& candidates,
                                                   Budget& budget);

}  // namespace pvhgrub::fs
