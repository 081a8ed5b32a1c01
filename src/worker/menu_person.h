// SPDX-License-Identifier: LGPL-2.1-or-later
// A person at a terminal.
#pragma once

#include <memory>

#include "src/worker/worker_main.h"

namespace pvhgrub::worker {

/// The terminal on the terminal's descriptor. Before the process is confined.
[[nodiscard]] std::unique_ptr<MenuTerminal> open_menu_terminal(const protocol::RequestTerminal& terminal);

}  // namespace pvhgrub::worker
