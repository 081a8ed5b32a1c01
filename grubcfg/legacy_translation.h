// SPDX-License-Identifier: LGPL-2.1-or-later
// What GRUB 2's legacy_configfile and its kin make of a menu.lst: a script, line by line.
#pragma once

#include <string>
#include <string_view>

namespace pvhgrub::grubcfg {

struct LegacyTranslation {
  enum class Kind : std::uint8_t {
    kScript,  ///< a piece of script with its newline: for the header, or for the entry under construction
    kTitle,   ///< the title of a new entry
    kAtEnd,   ///< a piece of script that runs when the whole file was read
  };
  Kind kind = Kind::kScript;
  std::string text;
  /// An error that stays pending in GRUB unless the text is run at once; empty for none.
  std::string error;
};

/// Translates a line without its newline as GRUB 2.06 does, with what GRUB's own translation has of errors: a
/// `lock` or a `password` in an entry makes a script that is no valid one. `in_entry`: after the first title.
[[nodiscard]] LegacyTranslation translate_legacy_line(std::string_view line, bool in_entry);

}  // namespace pvhgrub::grubcfg
