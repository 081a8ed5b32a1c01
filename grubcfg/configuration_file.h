// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "grubcfg/evaluator.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

/// Runs a configuration file of the guest in the current context, with $config_file and $config_directory set
/// for as long as it runs. A file that cannot be read is passed over, as GRUB does; false then.
[[nodiscard]] Result<bool> run_configuration_file(Evaluator& evaluator, const std::string& name);

/// Calls `read`, which reads the configuration file `name` of that kind, in a context of its own: with the
/// exported variables only, and a menu of its own. Where that comes to have entries GRUB shows it, and what
/// follows is never reached: the evaluation ends with that context in place.
[[nodiscard]] Result<Status> run_in_new_context(Evaluator& evaluator, std::string_view kind,
                                                const std::string& name,
                                                const std::function<Result<Status>()>& read);

}  // namespace pvhgrub::grubcfg
