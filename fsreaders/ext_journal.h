// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/ext_superblock.h"
#include "fsreaders/ext_volume.h"

namespace pvhgrub::fs {

/// Where the superblock says that the journal needs recovery: finds the journal, scans it and gives `volume`
/// the overlay that makes it read as after replay. Returns notes for a person; empty where there was nothing
/// to do. kUnsupported: the journal lies on another device, or holds what this program cannot replay.
[[nodiscard]] Result<std::vector<std::string>> replay_ext_journal(ExtVolume& volume,
                                                                  const ExtSuperblock& superblock);

}  // namespace pvhgrub::fs
