// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.h"

namespace pvhgrub::sandbox {

/// Denies the calling thread, for good and with no exception, all that this kernel's Landlock can deny: files
/// and directories (ABI 1), TCP (4), device ioctls (5), abstract sockets and signals to others (6). Needs
/// no_new_privs and one free descriptor. Returns the kernel's ABI, 0 where it has no Landlock.
[[nodiscard]] Result<int> deny_by_landlock();

}  // namespace pvhgrub::sandbox
