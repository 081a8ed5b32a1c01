// SPDX-License-Identifier: LGPL-2.1-or-later
// BSD disk labels: sys/disklabel.h of the BSDs, in little-endian order. libfdisk is not asked for them: of
// the labels in slices it reads that of the first slice only, whichever system's, of a label not more than 16
// partitions, and none at all beside a master boot record that has partitions of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/partition_entry.h"

namespace pvhgrub::fs {

/// A label lies in the second sector of 512 bytes, of the disk or of its slice, and counts in such sectors
/// whatever the disk's are: so GRUB and Linux read it.
inline constexpr std::uint32_t kLabelSectorSize = 512;
/// What fits that sector.
inline constexpr std::size_t kBsdPartitions = 22;

struct BsdLabel {
  unsigned claimed = 0;  ///< how many partitions it says it has; those past kBsdPartitions are left out
  bool intact = false;   ///< its second magic and its checksum are right
  std::uint32_t raw_start = 0;      ///< where partition c begins, which stands for the slice or the disk
  std::vector<TableEntry> entries;  ///< a is 1; those of no size are left out, and so is c
};

/// The label in `sector`, kLabelSectorSize bytes; no value where its magic is not there. Like GRUB it takes
/// one whose checksum is wrong.
[[nodiscard]] Result<std::optional<BsdLabel>> parse_bsd_label(Bytes sector);

}  // namespace pvhgrub::fs
