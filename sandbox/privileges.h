// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.h"
#include "sandbox/confine_plan.h"

namespace pvhgrub::sandbox {

struct PrivilegeSummary {
  bool groups_dropped = false;      ///< no supplementary groups are left
  bool bounding_set_empty = false;  ///< the capability bounding set is empty
};

/// Becomes the plan's user and group for good, and gives up every capability. In a user namespace, where the
/// ids are mapped already, only the capabilities.
[[nodiscard]] Result<PrivilegeSummary> drop_privileges(const ConfinePlan& plan);

/// Ties the process to the thread that made it, hides it from ptrace(2) and its own /proc files, and sets
/// no_new_privs. After drop_privileges(): a change of credentials clears the first and resets the second.
[[nodiscard]] Result<void> seal_process();

/// Asks the kernel again for all that the two above have set.
[[nodiscard]] Result<void> check_privileges(const ConfinePlan& plan, const PrivilegeSummary& summary);

}  // namespace pvhgrub::sandbox
