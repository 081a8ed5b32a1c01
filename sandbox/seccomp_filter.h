// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/result.h"
#include "sandbox/syscall_table.h"

namespace pvhgrub::sandbox {

struct SeccompSummary {
  std::size_t allowed_calls = 0;
  std::size_t refused_calls = 0;
};

/// Turns the table into a filter and loads it into the calling thread for good. Any other call, and any call
/// of a foreign architecture (i386's int 0x80, x32), kills the process with SIGSYS. Sets no_new_privs. Needs
/// no descriptor. `appliance`: its socket, which Profile::kExtractWithAppliance needs and no other takes.
[[nodiscard]] Result<SeccompSummary> load_seccomp_filter(Profile profile, int channel,
                                                         std::span<const int> disks,
                                                         std::optional<int> appliance);

}  // namespace pvhgrub::sandbox
