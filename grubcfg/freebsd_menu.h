// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests whose system is FreeBSD: what the menu of its loader offers. loader.conf(5), loader(8).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "grubcfg/guest_files.h"
#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// Where the settings of a FreeBSD system are, by which it is named: /boot/loader.conf, or what is there
/// instead. No value where the device's file system holds none.
[[nodiscard]] Result<std::optional<std::string>> find_freebsd(GuestFiles files, const std::string& device);

/// The system on `source.device`: its kernel, the same for a single user, and every other kernel in /boot
/// (kernel.old). The kernel's command line is that of freebsd_command_line(), and what that cannot say is
/// told in notices.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_freebsd_menu(const MenuContext& context,
                                                              const ConfigurationSource& source);

}  // namespace pvhgrub::grubcfg
