// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests whose own loader is systemd-boot: entries of the Boot Loader Specification, type 1 (files in
// loader/entries) and type 2 (unified kernel images in EFI/Linux).
// https://uapi-group.org/specifications/specs/boot_loader_specification/
#pragma once

#include <memory>

#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// Reads the menu that systemd-boot would show. `source.device` is the file system that holds loader/ or
/// EFI/Linux (the EFI system partition, an XBOOTLDR partition, or any); entries of the other one of ESP and
/// XBOOTLDR on the same disk join the menu. `source.kind` "bls": type 1 and type 2; "uki": type 2 only,
/// or the one image that source.path names.
/// kNoEntry: there is not one entry.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_systemd_boot_menu(const MenuContext& context,
                                                                   const ConfigurationSource& source);

}  // namespace pvhgrub::grubcfg
