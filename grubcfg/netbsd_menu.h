// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests whose system is NetBSD: what the menu of its loader offers. boot.cfg(5), boot(8) for x86.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "grubcfg/guest_files.h"
#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// /boot.cfg, or where there is none the kernel, of a NetBSD system on the device; no value where its file
/// system has no kernel of NetBSD's usual names.
[[nodiscard]] Result<std::optional<std::string>> find_netbsd(GuestFiles files, const std::string& device);

/// The items of `source.path` where that is a boot.cfg that has some, else the kernels by their usual names.
/// A kernel's command line is what NetBSD's kernel reads when Xen starts it: "root=DEVICE" and boot flags
/// (sys/arch/xen/x86/xen_machdep, xen_parse_cmdline). Modules and commands for userconf(4) cannot be handed
/// over, which notices tell.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_netbsd_menu(const MenuContext& context,
                                                             const ConfigurationSource& source);

/// The same from the text of a boot.cfg, without disks.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_bare_netbsd_menu(const MenuContext& context,
                                                                  const ConfigurationSource& source,
                                                                  const std::string& text);

}  // namespace pvhgrub::grubcfg
