// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace pvhgrub::menu {

/// Lets ncurses stay on the terminal's main screen instead of the alternate one, which a worker that is
/// killed could not leave. After newterm(3), before anything is drawn. False where the terminal cannot put
/// text anywhere.
[[nodiscard]] bool use_main_screen();

/// What puts the cursor into the first line's first column.
[[nodiscard]] std::string home_sequence();

}  // namespace pvhgrub::menu
