// SPDX-License-Identifier: LGPL-2.1-or-later
// What the broker tells the appliance first: one message on the control socket, a u32 length and then the
// payload. After it the appliance sends lines of text for a person, each ended by '\n'.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/frame.h"

namespace pvhgrub::protocol {

struct ApplianceStart {
  std::vector<std::uint64_t> disk_sizes;  ///< bytes; of the descriptors from kApplianceFirstDiskDescriptor on
  std::vector<std::string>
      environment;  ///< "NAME=VALUE" of the variables that libguestfs finds its own appliance by
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<ApplianceStart> decode(Bytes payload);
};

/// The variables of the broker's environment that are handed on (guestfs(3), "ENVIRONMENT VARIABLES";
/// supermin(1)).
inline constexpr const char* kApplianceVariables[] = {"LIBGUESTFS_PATH", "SUPERMIN_KERNEL",
                                                      "SUPERMIN_KERNEL_VERSION", "SUPERMIN_MODULES"};

}  // namespace pvhgrub::protocol
