// SPDX-License-Identifier: LGPL-2.1-or-later
// A terminal by ncurses, on one descriptor.
#pragma once

#include <memory>
#include <string>

#include "menu/teletype.h"
#include "menu/terminal.h"

namespace pvhgrub::menu {

/// The terminal as its kind allows; exactly one is set.
struct OpenedTerminal {
  std::unique_ptr<Terminal> screen;
  std::unique_ptr<Teletype> teletype;  ///< it has no cursor addressing, or nobody knows its kind
};

/// Loads what the C library and terminfo keep in files, so call it before the process is confined; nothing is
/// written to the terminal yet, and its mode is as it was. `fd` outlives it. `type`: $TERM; where that is
/// empty it is taken for a VT100, which consoles are. Of `utf8` and the locale only LC_CTYPE is set. Call it
/// once.
[[nodiscard]] OpenedTerminal open_terminal(int fd, const std::string& type, bool utf8);

}  // namespace pvhgrub::menu
