// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "src/worker/guest.h"

namespace pvhgrub::worker {

/// -l: sends the menu and every entry in it, submenus after their own entry. A bare configuration that makes
/// no menu is listed as an empty one; a disk without a menu is kNoEntry.
[[nodiscard]] Result<void> run_list(Guest& guest, const protocol::Request& request, Channel& channel,
                                    Budget& budget);

}  // namespace pvhgrub::worker
