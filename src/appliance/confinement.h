// SPDX-License-Identifier: LGPL-2.1-or-later
// What the appliance gives up before it starts QEMU on a guest's disk: the host's files but its programs,
// root, and all but modest resources. The network it never had: it starts in a namespace of its own
// (sandbox/spawn.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/confine_plan.h"

namespace pvhgrub::appliance {

/// The one directory that can be written: a tmpfs of the process's own. It is /tmp, too.
inline constexpr const char* kWorkDirectory = "/run/work";

/// Confines the calling process, and all that it will start. `environment`: "NAME=VALUE" of libguestfs's
/// variables; what they name stays reachable, and they are set to where it is then. To be called once, from
/// the only thread.
[[nodiscard]] Result<void> confine_appliance(const sandbox::ConfinePlan& plan,
                                             const std::vector<std::string>& environment);

}  // namespace pvhgrub::appliance
