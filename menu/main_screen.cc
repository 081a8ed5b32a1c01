// SPDX-License-Identifier: LGPL-2.1-or-later
// On its own, since <term.h> defines macros of names like `lines` and `columns`.
#include "menu/main_screen.h"

#include <curses.h>
#include <term.h>

namespace pvhgrub::menu {

bool use_main_screen() {
  enter_ca_mode = nullptr;
  exit_ca_mode = nullptr;
  return cursor_address != nullptr;
}

std::string home_sequence() {
  const char* const sequence = cursor_home != nullptr ? cursor_home : tiparm(cursor_address, 0, 0);
  std::string text = sequence != nullptr ? sequence : "";
  // Padding for terminals of glass and tubes (terminfo(5), "Delays and Padding").
  while (text.find("$<") != std::string::npos && text.find('>') != std::string::npos)
    text.erase(text.find("$<"), text.find('>') - text.find("$<") + 1);
  return text;
}

}  // namespace pvhgrub::menu
