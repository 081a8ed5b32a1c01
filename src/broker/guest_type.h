// SPDX-License-Identifier: LGPL-2.1-or-later
// The type of the domain that is being built, which libxl does not tell its bootloader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/boot_terms.h"

namespace pvhgrub::broker {

/// The number N of the domain whose outputs go to libxl's directory "bootloader.N.d"; nothing for another
/// directory.
[[nodiscard]] std::optional<unsigned> domain_of_output_directory(std::string_view path);

/// What libxl wrote into xenstore when it began to build the domain (/libxl/N/type: "pvh", "pv"); on arm
/// always kArm. kUnknown where there is no xenstore, or nothing of the kind in it, or this program was built
/// without it. May wait for as long as xenstored does not answer.
[[nodiscard]] protocol::GuestType guest_type_from_xenstore(unsigned domain);

/// The domain's name (/local/domain/N/name); empty where that is not to be had, likewise.
[[nodiscard]] std::string domain_name_from_xenstore(unsigned domain);

}  // namespace pvhgrub::broker
