// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.h"

namespace pvhgrub {

/// The program's exit statuses, documented in pvhgrub(1). 1 is what pygrub's callers expect of any failure.
enum class ExitStatus : int {
  kSuccess = 0,       ///< the result was written
  kError = 1,         ///< any error that has no status of its own
  kUsage = 2,         ///< the command line is wrong
  kSandbox = 3,       ///< the sandbox could not be made; nothing was parsed
  kNoEntry = 4,       ///< no bootable entry was found
  kDamagedGuest = 5,  ///< the guest's configuration or image is damaged
  kLimit = 6,         ///< a limit or the deadline was hit
};

/// The exit status that an error of this kind ends the program with.
[[nodiscard]] ExitStatus exit_status_of(ErrorCode code);

}  // namespace pvhgrub
