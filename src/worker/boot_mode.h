// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "src/worker/guest.h"

namespace pvhgrub::worker {

/// Chooses what to boot and sends its kernel, ramdisk and command line.
[[nodiscard]] Result<void> run_boot(Guest& guest, const protocol::Request& request, Channel& channel,
                                    Reporter& reporter, Budget& budget);

}  // namespace pvhgrub::worker
