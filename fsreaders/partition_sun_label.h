// SPDX-License-Identifier: LGPL-2.1-or-later
// Sun's disk label of SPARC machines, big-endian, in the disk's first sector (sys/dklabel.h of illumos). What
// Solaris writes into a slice of a PC (GRUB's "sunpc") is another one, and not read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/partition_entry.h"

namespace pvhgrub::fs {

/// Sectors of a Sun label have 512 bytes.
inline constexpr std::uint32_t kSunSectorSize = 512;

/// Partitions of no size and those that stand for the whole disk are left out.
[[nodiscard]] bool is_sun_partition(const TableEntry& entry);

/// The entries of the label in `sector`, kSunSectorSize bytes; no value where there is none: its magic and
/// its checksum must be right, as GRUB and Linux want it.
[[nodiscard]] Result<std::optional<std::vector<TableEntry>>> parse_sun_label(Bytes sector);

/// "sun:0x83"
[[nodiscard]] std::string sun_type_name(unsigned tag);

}  // namespace pvhgrub::fs
