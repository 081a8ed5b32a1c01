// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace pvhgrub::sandbox {

/// Lowers the calling process's resource limits for good (soft = hard): memory, processor time, and nothing
/// at all of descriptors, processes, file sizes, core files, locked memory and queues. A limit that is
/// already lower stays. Returns what holds now, as "AS 192 MiB". `polled`: how many descriptors poll(2) may
/// be asked about at once, which the same limit bounds; with 1 none can be made either, as long as descriptor
/// 0 is open.
[[nodiscard]] Result<std::vector<std::string>> limit_resources(unsigned polled = 0);

}  // namespace pvhgrub::sandbox
