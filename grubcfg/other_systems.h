// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests that pygrub boots and pvhgrub does not, so that a person learns it from the error.
#pragma once

#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::grubcfg {

/// One sentence for each device on which Solaris or NetWare is recognised, by its partition type or, where
/// the file system can be read, by the files that pygrub looks for. Most often empty.
[[nodiscard]] Result<std::vector<std::string>> recognise_other_systems(fs::Devices& devices, Budget& budget);

}  // namespace pvhgrub::grubcfg
