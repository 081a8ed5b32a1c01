// SPDX-License-Identifier: LGPL-2.1-or-later
// What `help` tells, and the names of all commands.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

/// The names of all commands in alphabetical order, without the words of the language itself (if, for ...).
[[nodiscard]] const std::vector<std::string_view>& command_names();

/// help [NAME...]: all commands, or how those are used whose names begin so.
[[nodiscard]] Result<Status> run_help(Evaluator& evaluator, const CommandCall& call);

}  // namespace pvhgrub::grubcfg
