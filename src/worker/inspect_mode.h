// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "src/worker/guest.h"

namespace pvhgrub::worker {

/// Tells what the request's first disk holds and how it would boot; or where it is a kernel image by itself,
/// what that is. `guest` has not opened its disks yet.
[[nodiscard]] Result<void> run_inspect(Guest& guest, const protocol::Request& request, Channel& channel,
                                       Reporter& reporter, Budget& budget);

}  // namespace pvhgrub::worker
