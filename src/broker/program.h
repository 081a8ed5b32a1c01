// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/exit_status.h"

namespace pvhgrub::broker {

/// The whole program; main() returns its status.
[[nodiscard]] ExitStatus run_program(int argc, const char* const* argv);

}  // namespace pvhgrub::broker
