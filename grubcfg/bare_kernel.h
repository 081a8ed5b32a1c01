// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests that are one kernel and nothing else: unikernels, and boot loaders that are kernels for Xen.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// The kernels that the file system of a device has in the places that are known for them, in the order in
/// which they should be tried: /boot/kernel.elf; GRUB for PVH as grub-install leaves it; GRUB or another
/// loader for PV where Xen's x86-xenpv-bootloader document, "Path", wants it.
[[nodiscard]] Result<std::vector<std::string>> find_bare_kernels(GuestFiles files, const std::string& device);

/// The list of blocks ("0+1234", block_list_file.h) in which an ELF image lies that a whole disk begins with,
/// from its first sector to the last one that its headers name. No value where `disk` is none, has
/// partitions, or begins with no ELF image that a guest of Xen could be.
[[nodiscard]] Result<std::optional<std::string>> find_kernel_on_disk(fs::Devices& devices,
                                                                     const fs::Device& disk, Budget& budget,
                                                                     Diagnostics& diagnostics);

/// One entry: the kernel that `source.path` names, with an empty command line.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_bare_kernel_menu(const MenuContext& context,
                                                                  const ConfigurationSource& source);

}  // namespace pvhgrub::grubcfg
