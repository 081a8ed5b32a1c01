// SPDX-License-Identifier: LGPL-2.1-or-later
// What the metadata of an LVM2 volume group says: its physical volumes and what its logical ones are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/lvm_text.h"

namespace pvhgrub::fs {

struct LvmPhysicalVolume {
  std::string name;           ///< by which segments name it: "pv0"
  std::string uuid;           ///< without dashes, as the label has it
  bool missing = false;       ///< LVM gave it up: what is on it may be stale
  std::uint64_t start = 0;    ///< bytes from the device's start to its first extent
  std::uint64_t extents = 0;  ///< that it has room for
};

/// A place on a physical volume, or in another logical volume of the group.
struct LvmArea {
  std::string volume;
  std::uint64_t extent = 0;  ///< its first one there
};

struct LvmSegment {
  std::uint64_t start = 0;     ///< its first extent in the logical volume
  std::uint64_t extents = 0;   ///< at least 1
  std::string type;            ///< "striped", "mirror", "raid1", "thin", ...
  std::uint64_t stripe = 0;    ///< bytes; 0 where the segment has no stripes
  std::uint32_t copies = 0;    ///< of raid10: of each chunk
  bool reshaping = false;      ///< of the raid types: its form is being changed
  std::vector<LvmArea> areas;  ///< of "striped", "mirror" and the raid types
  std::vector<std::string>
      records;  ///< of the raid types with such: the volumes that record each area's state
};

struct LvmLogicalVolume {
  std::string name;
  std::string uuid;  ///< with dashes, as GRUB's lvmid has it
  bool visible = false;
  bool moving = false;               ///< what pvmove makes: the second area is not complete
  std::vector<LvmSegment> segments;  ///< as they are written, unchecked
  std::optional<Error> problem;      ///< why its description cannot be used
};

/// A snapshot: `store` holds what `origin` had where it has changed since.
struct LvmSnapshot {
  std::string origin;
  std::string store;
  bool merging = false;  ///< it is going back into its origin, which is neither until that is done
};

struct LvmVolumeGroup {
  std::string name;
  std::string uuid;               ///< with dashes
  std::uint64_t sequence = 0;     ///< counts the changes
  std::uint64_t extent_size = 0;  ///< bytes, a multiple of 512, not 0
  std::vector<LvmPhysicalVolume> physical;
  std::vector<LvmLogicalVolume> logical;
  std::vector<LvmSnapshot> snapshots;
};

/// Reads the one group of a metadata text. kDamaged where it is none; a logical volume whose description is
/// not sound only has its `problem`.
[[nodiscard]] Result<LvmVolumeGroup> read_lvm_group(const LvmText& text, Budget& budget);

/// A UUID without its dashes.
[[nodiscard]] std::string lvm_uuid_digits(std::string_view uuid);

}  // namespace pvhgrub::fs
