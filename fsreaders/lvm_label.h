// SPDX-License-Identifier: LGPL-2.1-or-later
// What LVM2 writes on each physical volume: its label and header, and where the volume group's metadata lies.
// Layout: the LVM2 format of libvslvm's documentation ("Logical Volume Manager (LVM) format"), and what
// pvcreate writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// A text of metadata as an area's header points to it.
struct LvmMetadataPlace {
  std::uint64_t area_offset = 0;  ///< bytes from the device's start
  std::uint64_t area_size = 0;    ///< bytes, with its header of one sector
  std::uint64_t offset = 0;       ///< of the text, bytes from the area's start; it goes on behind the header
                                  ///< where it reaches the area's end
  std::uint64_t size = 0;         ///< bytes, at least 1
  std::uint32_t checksum = 0;
};

struct LvmLabel {
  std::string uuid;                        ///< 32 characters, without the dashes of the metadata's
  std::uint64_t device_size = 0;           ///< bytes, as pvcreate found it
  std::vector<LvmMetadataPlace> metadata;  ///< of the areas in use; none of a volume without group
  std::vector<std::string> problems;       ///< of the areas that cannot be used
};

/// The label of a physical volume; no value where there is none. kDamaged: there is one, but it is not sound.
[[nodiscard]] Result<std::optional<LvmLabel>> read_lvm_label(BlockSource& source, Budget& budget);

/// The text at a place of the same device. kDamaged where its checksum is wrong.
[[nodiscard]] Result<std::string> read_lvm_metadata(BlockSource& source, const LvmMetadataPlace& place,
                                                    Budget& budget);

}  // namespace pvhgrub::fs
