// SPDX-License-Identifier: LGPL-2.1-or-later
// The superblock of a member of a Linux MD array, in the versions 0.90, 1.0, 1.1 and 1.2
// (include/uapi/linux/raid/md_p.h; md(4)).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

struct MdSuperblock {
  /// No place in the array: a spare, a member that failed, a journal.
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;

  std::string version;       ///< "0.90", "1.0", "1.1", "1.2"
  std::string uuid;          ///< 32 hexadecimal digits, as mdadm and GRUB's mduuid write them
  std::string name;          ///< of the array, without the host's: "0", "root", of 0.90 "md0"; may be empty
  std::int32_t level = 0;    ///< -1: linear
  std::uint32_t layout = 0;  ///< means something else in each level
  std::uint64_t chunk = 0;   ///< bytes; 0 where the level has none
  std::uint32_t legs = 0;    ///< members of the whole array
  std::uint64_t used = 0;    ///< bytes that the array takes of each member; 0: all it has (level 0, linear)
  std::uint64_t data_offset = 0;     ///< bytes from the member's start
  std::uint64_t data_size = 0;       ///< bytes there are for data
  std::uint64_t events = 0;          ///< counts the array's changes: a member with fewer is out of date
  std::uint32_t number = 0;          ///< of this member
  std::vector<std::uint32_t> slots;  ///< by a member's number its place in the array, or kNoSlot
  bool recovering = false;           ///< this member's contents are not complete
  bool reshaping = false;            ///< the array's form is being changed
  bool journal = false;              ///< writes go to a journal first
  bool alternate_zones = false;      ///< level 0: what newer kernels do where members differ in size
  std::size_t bad_ranges = 0;        ///< entries of this member's log of bad blocks

  /// Whether the array's data begins where the member does, with the superblock behind it.
  [[nodiscard]] bool at_end() const { return version == "0.90" || version == "1.0"; }
  /// This member's place.
  [[nodiscard]] std::uint32_t slot() const { return number < slots.size() ? slots[number] : kNoSlot; }
};

/// The superblock of a member; no value where there is none. kDamaged: there is one, but its checksum is
/// wrong or it contradicts itself.
[[nodiscard]] Result<std::optional<MdSuperblock>> read_md_superblock(BlockSource& source, Budget& budget);

}  // namespace pvhgrub::fs
