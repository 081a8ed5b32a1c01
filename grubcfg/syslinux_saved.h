// SPDX-License-Identifier: LGPL-2.1-or-later
// What extlinux keeps between two boots: its "auxiliary data vector" at the end of ldlinux.sys
// (https://wiki.syslinux.org/wiki/index.php?title=EXTLINUX, "--once"; Doc/menu, "MENU SAVE").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "grubcfg/guest_files.h"

namespace pvhgrub::grubcfg {

struct SyslinuxSaved {
  std::optional<std::string> once;    ///< the command of `extlinux --once`, for the next boot only
  std::optional<std::string> choice;  ///< the label that MENU SAVE remembers
};

/// Looks for ldlinux.sys in `directory` and where syslinux is installed to by custom. Nothing saved where
/// there is none, or where it contradicts itself. A Result's error is kLimit or the like.
[[nodiscard]] Result<SyslinuxSaved> read_syslinux_saved(GuestFiles files, const std::string& device,
                                                        const std::string& directory);

/// The same of its bytes: the vector, twice, 512 bytes each.
[[nodiscard]] SyslinuxSaved parse_syslinux_saved(std::string_view bytes);

}  // namespace pvhgrub::grubcfg
