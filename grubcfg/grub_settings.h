// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pvhgrub::grubcfg {

/// What the evaluated GRUB is taken to be.
struct GrubSettings {
  std::string platform = "xen_pvh";  ///< $grub_platform, as GRUB's own PVH build says
  std::string cpu = "i386";          ///< $grub_cpu
  /// Variables set and exported before the configuration is read, after the predefined ones.
  std::vector<std::pair<std::string, std::string>> variables;
};

}  // namespace pvhgrub::grubcfg
