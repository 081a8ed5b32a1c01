// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests that only a UEFI firmware can start: \EFI\BOOT\BOOTX64.EFI and nothing that pvhgrub reads itself.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "grubcfg/guest_files.h"
#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// The program that a UEFI firmware would start from the device when its variables say nothing: that of the
/// machine's own processor, else of another (UEFI specification 2.10, section 3.5.1.1). Names are compared
/// without regard to case. No value where there is none.
[[nodiscard]] Result<std::optional<std::string>> find_default_efi_program(GuestFiles files,
                                                                          const std::string& device);

/// An entry (Kind::kChainloader) for the program that `source.path` names, and one for every other such
/// program beside it, which are for other processors.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_firmware_menu(const MenuContext& context,
                                                               const ConfigurationSource& source);

}  // namespace pvhgrub::grubcfg
