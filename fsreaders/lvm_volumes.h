// SPDX-License-Identifier: LGPL-2.1-or-later
// LVM2: from physical volumes to logical ones.
#pragma once

#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/volume.h"

namespace pvhgrub::fs {

/// Looks at each candidate for LVM's label, and puts the visible logical volumes of all groups together. What
/// cannot be read is there with its `problem`. kLimit only; what is damaged or cannot be read becomes a note.
[[nodiscard]] Result<AssembledVolumes> assemble_lvm(const std::vector<VolumeCandidate>& candidates,
                                                    Budget& budget);

/// "lvm/group-volume": a dash in either name is doubled.
[[nodiscard]] std::string lvm_device_name(std::string_view group, std::string_view volume);

}  // namespace pvhgrub::fs
