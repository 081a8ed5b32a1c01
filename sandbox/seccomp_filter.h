// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.h"
#include "sandbox/syscall_table.h"

namespace pvhgrub::sandbox {

struct SeccompSummary {
  std::size_t allowed_calls = 0;
  std::size_t refused_calls = 0;
};

/// The descriptors that the table's conditions name.
struct GrantedDescriptors {
  int channel = -1;
  std::vector<int> disks = {};
  std::optional<int> appliance = std::nullopt;  ///< with the profiles that have one, and no other
  std::optional<int> terminal = std::nullopt;   ///< likewise
};

/// Turns the table into a filter and loads it into the calling thread for good. Any other call, and any call
/// of a foreign architecture (i386's int 0x80, x32), kills the process with SIGSYS. Sets no_new_privs. Needs
/// no descriptor.
[[nodiscard]] Result<SeccompSummary> load_seccomp_filter(Profile profile, const GrantedDescriptors& granted);

}  // namespace pvhgrub::sandbox
