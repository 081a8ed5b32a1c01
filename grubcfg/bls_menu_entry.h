// SPDX-License-Identifier: LGPL-2.1-or-later
// What GRUB makes of an entry file: a menu entry whose body is script text.
#pragma once

#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/bls_entry.h"
#include "grubcfg/environment.h"
#include "grubcfg/machine_state.h"

namespace pvhgrub::grubcfg {

struct BlsMenuEntry {
  MenuEntry shown;
  EntryBody body;
};

/// `entry`, of that file, has a field "linux". Variables are those of `environment` now, except in `initrd`
/// lines and what stands in them for the script. A Result's error is kLimit.
[[nodiscard]] Result<BlsMenuEntry> make_bls_menu_entry(const GrubBlsEntry& entry, BlsDialect dialect,
                                                       const FileReference& file,
                                                       const Environment& environment, Budget& budget);

/// The value of a variable as GRUB's yes or no; no where it is not set.
[[nodiscard]] bool is_variable_true(const Environment& environment, std::string_view name);

}  // namespace pvhgrub::grubcfg
