// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "grubcfg/evaluator.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

/// Runs a configuration file of the guest in the current context, with $config_file and $config_directory set
/// for as long as it runs. A file that cannot be read is passed over, as GRUB does; false then.
[[nodiscard]] Result<bool> run_configuration_file(Evaluator& evaluator, const std::string& name);

}  // namespace pvhgrub::grubcfg
