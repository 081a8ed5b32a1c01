// SPDX-License-Identifier: LGPL-2.1-or-later
// The worker's side: gives up everything, checks that it is gone, and only then may read the first guest
// byte.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "sandbox/confine_plan.h"
#include "sandbox/layer_report.h"
#include "sandbox/syscall_table.h"

namespace pvhgrub::sandbox {

struct ConfineOptions {
  Profile profile = Profile::kExtract;
  ConfinePlan plan;  ///< ConfinePlan::from_arguments(argc, argv)
  int channel = -1;  ///< the socket to the broker: the only descriptor that write(2) takes from here on
  /// The socket to an appliance, with Profile::kExtractWithAppliance: read(2) and write(2) take it too.
  std::optional<int> appliance = std::nullopt;
  std::vector<int>
      disks;  ///< descriptors read-only; pread, read, lseek, fstat and posix_fadvise take these from here on
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
