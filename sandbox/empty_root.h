// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.h"
#include "sandbox/layer_report.h"

namespace pvhgrub::sandbox {

/// Makes "/" and the working directory an empty read-only tmpfs, in a mount namespace of the caller's own
/// (else the host loses its files). Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT there. Returns how.
[[nodiscard]] Result<RootKind> enter_empty_root();

/// Looks: kSandbox unless "/" can be listed, holds nothing, and is the parent of itself.
[[nodiscard]] Result<void> check_empty_root();

}  // namespace pvhgrub::sandbox
