// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "src/worker/guest.h"

namespace pvhgrub::worker {

/// -l: sends the menu and every entry in it, submenus after their own entry.
[[nodiscard]] Result<void> run_list(Guest& guest, Channel& channel, Budget& budget);

}  // namespace pvhgrub::worker
