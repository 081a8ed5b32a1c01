// SPDX-License-Identifier: LGPL-2.1-or-later
// The master boot record itself, and logical partitions where libfdisk is not to be trusted with their chain.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/partition_entry.h"

namespace pvhgrub::fs {

/// Bytes of a boot record, in the first of its sector whatever the sector's size (UEFI 2.10, section 5.2.1).
inline constexpr std::size_t kBootRecordBytes = 512;

struct MbrEntry {
  std::uint8_t flag = 0;  ///< 0x80: active
  std::uint8_t type = 0;
  std::uint32_t start = 0;    ///< sectors
  std::uint32_t sectors = 0;  ///< sectors

  [[nodiscard]] bool extended() const { return type == 0x05 || type == 0x0F || type == 0x85; }
};

struct Mbr {
  std::uint32_t disk_signature = 0;
  std::array<MbrEntry, 4> entries;

  /// The first entry of type 0xEE, which says that the disk has a GPT; nullptr: none.
  [[nodiscard]] const MbrEntry* protective_entry() const;
};

/// The boot record, or nothing where its sector holds none: no 55 AA at its end. kBootRecordBytes long.
[[nodiscard]] Result<std::optional<Mbr>> parse_boot_record(Bytes sector);

/// True where the entries of a first sector are no partition table but a file system's boot code or nothing
/// at all: a flag byte other than 0x00 and 0x80 (the test by which GRUB and Linux know a FAT or NTFS boot
/// sector), or no entry in use.
[[nodiscard]] bool is_without_partitions(const Mbr& mbr);

/// The four entries of a master boot record, used or not.
[[nodiscard]] std::vector<TableEntry> primary_partitions(const Mbr& mbr);

/// The logical partitions of all extended ones, from number 5, by the rules of Linux's
/// block/partitions/msdos.c: a record without 55 AA ends its chain, every entry of a record that is not a
/// link is a partition, and each extended partition has a chain. Notes tell of a chain that runs in a circle,
/// which ends there, and of one with bytes that cannot be read. `name` is the disk's, for messages.
[[nodiscard]] Result<std::vector<TableEntry>> read_logical_partitions(BlockSource& disk,
                                                                      const std::string& name, const Mbr& mbr,
                                                                      std::uint32_t sector_size,
                                                                      Budget& budget,
                                                                      std::vector<std::string>& notes);

/// "0x83"
[[nodiscard]] std::string msdos_type_name(unsigned type);

}  // namespace pvhgrub::fs
