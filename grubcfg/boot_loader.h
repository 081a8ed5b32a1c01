// SPDX-License-Identifier: LGPL-2.1-or-later
// Which boot loader the guest's firmware would start from its disk, as far as the disk itself tells.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/guest_files.h"

namespace pvhgrub::grubcfg {

enum class BootLoader : std::uint8_t {
  kGrub,
  kSystemdBoot,
  kUnifiedImage,
  kSyslinux,
  kShim,  ///< only what identify_efi_program says: the loader is the one that shim starts
};

struct InstalledLoader {
  BootLoader loader = BootLoader::kGrub;
  FileReference place;  ///< the EFI program, or the device whose boot sector it is (an empty path)
  std::string reason;   ///< in words, for --explain
};

/// What a UEFI firmware starts when its variables (which are not on the disk) say nothing:
/// \EFI\BOOT\BOOTX64.EFI of the first EFI system partition that has one; without one, the loader that is
/// installed there if it is only one. No value where nothing known is there.
[[nodiscard]] Result<std::optional<InstalledLoader>> find_uefi_loader(fs::Devices& devices, Budget& budget);

/// What a BIOS starts: the loader in a disk's first sector, or in a partition's. No value where it is none
/// that we know.
[[nodiscard]] Result<std::optional<InstalledLoader>> find_bios_loader(fs::Devices& devices, Budget& budget);

/// What an EFI program is; no value for one that is none of these (another loader, a shell).
[[nodiscard]] Result<std::optional<BootLoader>> identify_efi_program(fs::File& file, Budget& budget);

}  // namespace pvhgrub::grubcfg
