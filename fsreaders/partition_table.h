// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/disk.h"

namespace pvhgrub::fs {

/// One entry of a partition table. Extended partitions, which only hold others, are not among them.
struct Partition {
  std::string name;          ///< GRUB's, behind the disk's: "gpt2", "msdos5", "msdos1,bsd1"
  unsigned number = 0;       ///< as GRUB and Linux count: from 1; MBR logical partitions from 5
  std::uint64_t offset = 0;  ///< bytes from the disk's start, inside the disk
  std::uint64_t size = 0;    ///< bytes as the table says, at least one sector; may reach past the disk's end
  std::string type;          ///< GPT's type GUID, MBR's type as "0x83", "bsd:0x07", "sun:0x83"; lower case
  std::string uuid;          ///< GPT's unique GUID, or MBR's "SIGNATURE-NN"; lower case; as Linux's PARTUUID
  std::string label;         ///< GPT's partition name in UTF-8; empty elsewhere
  std::uint64_t attributes = 0;  ///< GPT's attribute bits (UEFI 2.10, table 5.8); 0 for MBR
  bool bootable = false;         ///< MBR's active flag, GPT's legacy-BIOS-bootable attribute
  /// Beside a BSD label: the name of another partition that begins at the same byte, and by which whatever
  /// lies there is called. Empty where this is that one.
  std::string begins_as;
};

struct PartitionTable {
  enum class Kind : std::uint8_t { kNone, kGpt, kMsdos, kBsd, kSun };
  Kind kind = Kind::kNone;
  std::uint32_t sector_size = 512;    ///< bytes of a logical sector, by which the table counts
  std::string disk_uuid;              ///< the GPT's disk GUID, lower case; empty elsewhere
  std::vector<Partition> partitions;  ///< in order of number, those of BSD labels after their slice or after
                                      ///< all; at most limits::kPartitions
  std::vector<std::string> notes;     ///< for the user: what was wrong but did not stop the reading

  /// GRUB's prefix of a partition's number: "gpt", "msdos", "bsd", "sun"; empty for kNone.
  [[nodiscard]] std::string_view kind_name() const;
};

/// Reads the disk's partition table as Linux would: GPT (from the backup where the primary is damaged), MBR
/// with logical partitions, Sun's label, or none (kNone: also for a disk that is one file system with boot
/// code in its first sector); and the BSD labels beside and in it as GRUB would (partition_labels.h).
/// kDamaged: there was a GPT, but neither copy is usable. kLimit: a GPT larger than
/// limits::kGptEntryArrayBytes.
[[nodiscard]] Result<PartitionTable> read_partition_table(Disk& disk, Budget& budget);

/// The same of a disk that is no descriptor, as libfdisk needs one, but a file opened as a disk. `name` is
/// for messages.
[[nodiscard]] Result<PartitionTable> read_image_partition_table(BlockSource& image, const std::string& name,
                                                                Budget& budget);

}  // namespace pvhgrub::fs
