// SPDX-License-Identifier: LGPL-2.1-or-later
// What Tab makes of a line of GRUB's language.
#pragma once

#include <string_view>

#include "base/result.h"
#include "grubcfg/command_line.h"
#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

/// As CommandLine::complete. Nothing is executed: `evaluator` says what there is.
[[nodiscard]] Result<Completion> complete_line(Evaluator& evaluator, std::string_view line);

}  // namespace pvhgrub::grubcfg
