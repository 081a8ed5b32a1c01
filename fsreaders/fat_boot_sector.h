// SPDX-License-Identifier: LGPL-2.1-or-later
// The first sector of a FAT file system (Microsoft, "FAT: General Overview of On-Disk Format", version 1.03,
// here fatgen103; ECMA-107 has the same for FAT12 and FAT16).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/cluster_table.h"

namespace pvhgrub::fs {

/// Bytes from the device's start that are looked at.
inline constexpr std::size_t kFatBootSectorBytes = 512;

struct FatBootSector {
  ClusterLayout layout;
  std::uint64_t root_offset = 0;   ///< bytes; of FAT12's and FAT16's root directory
  std::uint64_t root_length = 0;   ///< bytes; of the same
  std::uint32_t root_cluster = 0;  ///< of FAT32's; 0 in FAT12 and FAT16
  std::string serial;              ///< as GRUB's `search --fs-uuid` compares it: "1A2B-3C4D"
  std::vector<std::string> notes;
};

/// `sector`: kFatBootSectorBytes. kDamaged: what it says cannot be. kUnsupported: a FAT32 of a later version.
[[nodiscard]] Result<FatBootSector> parse_fat_boot_sector(Bytes sector, std::uint64_t source_size);

/// Whether a sector is a FAT boot sector in all that must be so, with or without the text "FAT16   ", which
/// means nothing (fatgen103, BS_FilSysType) and which some tools do not write.
[[nodiscard]] bool looks_like_fat(Bytes sector);

}  // namespace pvhgrub::fs
