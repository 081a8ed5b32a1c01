// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests whose own loader is one of the syslinux family: extlinux, syslinux, isolinux (and U-Boot's
// extlinux.conf). https://wiki.syslinux.org/wiki/index.php?title=Config
#pragma once

#include <memory>
#include <string>

#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// Reads the configuration file that `source` names. kNoEntry: it has not one entry.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_syslinux_menu(const MenuContext& context,
                                                               const ConfigurationSource& source);

/// The same of a text without a disk (--isconfig); INCLUDEs are not there then.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_bare_syslinux_menu(const MenuContext& context,
                                                                    const ConfigurationSource& source,
                                                                    std::string text);

}  // namespace pvhgrub::grubcfg
