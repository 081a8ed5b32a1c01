// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>

#include "base/result.h"

namespace pvhgrub::sandbox {

/// kSandbox, naming the descriptor, unless exactly 0, 1, 2 and `expected` are open. Looks into /proc/self/fd,
/// without /proc at each number up to the limit on open files (65536 at most).
[[nodiscard]] Result<void> check_descriptors(std::span<const int> expected);

/// kSandbox, naming the descriptor, unless each of `disks` is open for reading only.
[[nodiscard]] Result<void> check_read_only(std::span<const int> disks);

}  // namespace pvhgrub::sandbox
