// SPDX-License-Identifier: LGPL-2.1-or-later
// Where boot entries of the Boot Loader Specification lie.
// https://uapi-group.org/specifications/specs/boot_loader_specification/#the-partitions
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

enum class BootPartition : std::uint8_t {
  kNone,      ///< any other
  kEsp,       ///< the EFI system partition
  kXbootldr,  ///< the extended boot loader partition; on an MBR disk the boot partition
};

[[nodiscard]] BootPartition boot_partition_kind(const fs::Device& device);

/// A directory whose `loader` and `EFI/Linux` hold boot entries.
struct BootPlace {
  std::string device;
  std::string base;  ///< "" for the root of the file system, "/boot"
  BootPartition kind = BootPartition::kNone;
};

/// The places whose entries make one menu: that of `source` first, and the other one of EFI system partition
/// and extended boot loader partition on the same disk, where source lies on one of them. `devices` may be
/// null: then there is no other.
[[nodiscard]] std::vector<BootPlace> boot_places(const fs::Devices* devices,
                                                 const ConfigurationSource& source);

/// The path below `place` that the names lead to, without regard to their case; as they stand where there is
/// none. A Result's error is kLimit or the like.
[[nodiscard]] Result<FileReference> find_in_place(GuestFiles files, const BootPlace& place,
                                                  std::initializer_list<std::string_view> names);

}  // namespace pvhgrub::grubcfg
