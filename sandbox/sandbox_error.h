// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cerrno>
#include <string>
#include <utility>

#include "base/result.h"

namespace pvhgrub::sandbox {

/// A failed step of the confinement, exit status 3. `system_errno` is that of the call that failed, or 0.
[[nodiscard]] inline std::unexpected<Error> sandbox_failure(std::string message, int system_errno = 0) {
  return std::unexpected(
      Error{ErrorCode::kSandbox, "cannot confine the worker: " + std::move(message), {}, system_errno});
}

}  // namespace pvhgrub::sandbox
