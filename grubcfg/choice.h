// SPDX-License-Identifier: LGPL-2.1-or-later
// Which entry of a menu is booted when nobody is asked.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

struct Choice {
  EntryPath path;
  std::string title;  ///< of the entry itself, without the submenus it lies in
  std::string id;
  BootEntry entry;
  bool edited = false;  ///< a person changed it for this boot
};

/// The entry that --entry= names: an index ("2"), a title, an id (of a BLS entry with or without its ".conf"
/// or
/// ".efi"), a glob of either ("*-rescue*": the first that it matches), or a path of them through submenus
/// ("1>0", "Advanced>0"); a '>' inside a title or id is doubled. What the menu itself does not have is looked
/// for in its submenus, by title and id. kNoEntry, with what there is to choose from, when nothing matches.
/// The entry may be one that GRUB could not boot: see BootEntry::error.
[[nodiscard]] Result<Choice> choose_entry(Menu& menu, std::string_view wanted, Diagnostics& diagnostics);

/// What GRUB boots when nobody touches a key: the default entry, then those of `fallback` when it cannot be
/// booted (also for Menu::unattended_obstacle), each with a notice. kNoEntry, telling each one's error, when
/// none can.
[[nodiscard]] Result<Choice> choose_default(Menu& menu, Diagnostics& diagnostics);

/// The way to the default entry, which is never a submenu: GRUB goes on into a submenu to the default there.
/// kNoEntry for an empty menu.
[[nodiscard]] Result<EntryPath> default_path(Menu& menu);

}  // namespace pvhgrub::grubcfg
