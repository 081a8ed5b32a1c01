// SPDX-License-Identifier: LGPL-2.1-or-later
// What the broker decided when it made the worker's process, and the worker has to finish.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace pvhgrub::sandbox {

/// Travels as the worker's only argument. Nothing in it is secret, and none of it weakens the seccomp filter.
struct ConfinePlan {
  unsigned long namespaces = 0;  ///< the CLONE_NEW* flags that the worker was cloned with
  uid_t uid = 0;                 ///< the user id to end as, as the host sees it; never 0
  gid_t gid = 0;  ///< the group id to end as, as the host sees it; 0 only where it cannot be changed
  bool may_change_ids = false;       ///< cloned by root: the worker still has to become uid and gid
  bool allow_landlock_only = false;  ///< go on without an empty root, if Landlock denies every path

  /// The argument's text: "--confine=NAMESPACES:UID:GID:MAY_CHANGE_IDS:ALLOW_LANDLOCK_ONLY".
  [[nodiscard]] std::string to_argument() const;
  /// The worker's side. kUsage when the arguments are not exactly one plan: somebody ran the worker by hand.
  [[nodiscard]] static Result<ConfinePlan> from_arguments(int argc, char** argv);
};

}  // namespace pvhgrub::sandbox
