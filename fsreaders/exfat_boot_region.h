// SPDX-License-Identifier: LGPL-2.1-or-later
// The boot regions of exFAT (Microsoft, exFAT file system specification, section 3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/cluster_table.h"

namespace pvhgrub::fs {

struct ExfatBootRegion {
  ClusterLayout layout;
  std::uint32_t root_cluster = 0;
  std::string serial;  ///< as GRUB's `search --fs-uuid` compares it: "1A2B-3C4D"
  std::vector<std::string> notes;
};

/// Reads the main boot region or, where its checksum is wrong, the backup. kUnsupported: no exFAT, or one of
/// a later version. kDamaged: neither region is sound.
[[nodiscard]] Result<ExfatBootRegion> read_exfat_boot_region(BlockSource& source);

}  // namespace pvhgrub::fs
