// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a guest's boot configurations lie, and in which order they count.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// The boot configurations of all file systems, in the order in which they should be tried, which follows
/// what the guest's firmware would run:
/// 1. those of the loader that a UEFI firmware starts from the disk (\EFI\BOOT\BOOTX64.EFI, else the only one
///    that is installed): GRUB's, systemd-boot's, or a unified kernel image itself;
/// 2. those of the loader whose boot sectors a BIOS would start: GRUB's or syslinux's;
/// 3. all others: "grub2", "bls", "uki", "extlinux", "grub-legacy", "freebsd", "netbsd";
/// 4. "elf", kernels that stand alone: in a file of a known name, or the whole of a disk;
/// 5. "efi", the program that only a UEFI firmware can start, of EFI system partitions before others.
/// Of one kind, the usual places come before stubs on an EFI system partition, unless there are several that
/// a stub can choose from; then devices in GRUB's order. Partitions that cannot be read are skipped, which
/// `diagnostics` tells. No configuration at all is an empty vector. `damage` (may be null) gets the first
/// place that could not be looked at because it is damaged, and why.
[[nodiscard]] Result<std::vector<ConfigurationSource>> find_configurations(
    fs::Devices& devices, Budget& budget, Diagnostics& diagnostics, std::optional<Error>* damage = nullptr);

/// Leaves out what stands in for a configuration ("elf", "efi") where there is a real one: a guest whose boot
/// configuration does not work must learn that, and not be started by a kernel or a firmware that it does not
/// name. --source=elf and --source=efi still ask for them.
void leave_out_stand_ins(std::vector<ConfigurationSource>& sources);

/// The kind of configuration that a file's name tells: "extlinux" for "/boot/extlinux/extlinux.conf"; "grub2"
/// where it tells nothing.
[[nodiscard]] std::string_view kind_of_configuration(std::string_view path);

/// The kind (ConfigurationSource::kind) that the command line calls `name` ("grub"); no value for none.
[[nodiscard]] std::optional<std::string_view> kind_named(std::string_view name);

}  // namespace pvhgrub::grubcfg
