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

}  // namespace pvhgrub::menu
