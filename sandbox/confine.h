// SPDX-License-Identifier: LGPL-2.1-or-later
// The worker's side: gives up everything, checks that it is gone, and only then may read the first guest
// byte.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "sandbox/confine_plan.h"
#include "sandbox/layer_report.h"
#include "sandbox/seccomp_filter.h"
#include "sandbox/syscall_table.h"

namespace pvhgrub::sandbox {

struct ConfineOptions {
  Profile profile = Profile::kExtract;
  ConfinePlan plan;  ///< ConfinePlan::from_arguments(argc, argv)
  /// The channel is the only descriptor that write(2) takes from here on, but for what the profile adds; the
  /// disks are open read-only: pread, read, lseek, fstat and posix_fadvise take these. The terminal is one of
  /// 0-2.
  GrantedDescriptors descriptors;
};

/// Confines the calling process for good. Call it once, from the only thread, after the request has been read
/// from the channel (read(2) on it is gone afterwards) and every descriptor but 0-2, the channel and the
/// disks is closed: a further open descriptor is an error. What it needs in order: root's powers or a user
/// namespace, as spawn_worker() left it. Afterwards the table of sandbox/syscall_table.cc holds; leave with
/// _exit(2).
///
/// kSandbox: a layer could not be had or a check failed. The process may be half confined then: say so on the
/// channel and _exit; never go on.
[[nodiscard]] Result<LayerReport> confine(const ConfineOptions& options);

}  // namespace pvhgrub::sandbox
