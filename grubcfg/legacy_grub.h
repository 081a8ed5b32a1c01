// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests whose own loader is GRUB 0.97 ("GRUB Legacy") or one that reads its menu: PV-GRUB, pygrub.
// https://www.gnu.org/software/grub/manual/legacy/grub.html
#pragma once

#include <memory>
#include <string>

#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// Reads the menu.lst or grub.conf that `source` names. kNoEntry: it has not one entry.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_legacy_menu(const MenuContext& context,
                                                             const ConfigurationSource& source);

/// The same of a text without a disk (--isconfig).
[[nodiscard]] Result<std::unique_ptr<Menu>> load_bare_legacy_menu(const MenuContext& context,
                                                                  const ConfigurationSource& source,
                                                                  std::string text);

}  // namespace pvhgrub::grubcfg
