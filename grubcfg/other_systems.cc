// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/other_systems.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "grubcfg/guest_files.h"

namespace pvhgrub::grubcfg {

namespace {

struct System {
  std::string_view name;
  /// MBR types, and GPT types that no other system uses: Solaris' type for /usr is also that of ZFS on Linux.
  std::array<std::string_view, 2> partition_types;
  std::array<std::string_view, 2> files;  ///< the kernel for Xen
};

constexpr std::array<System, 2> kSystems = {
    {{"Solaris",
      {"0xbf", "6a85cf4d-1dd2-11b2-99a6-080020736631"},
      {"/platform/i86xpv/kernel/unix", "/platform/i86xpv/kernel/amd64/unix"}},
     {"NetWare", {"0x65", "0x65"}, {"/nwserver/xnloader.sys", "/nwserver/xnloader.sys"}}}};

Result<bool> is_on(const System& system, const fs::Device& device, GuestFiles& files) {
  if (std::ranges::find(system.partition_types, device.partition_type) != system.partition_types.end())
    return true;
  for (const std::string_view path : system.files) {
    PVHGRUB_TRY_ASSIGN(const bool there, files.is_file({device.name, std::string(path)}));
    if (there) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<std::string>> recognise_other_systems(fs::Devices& devices, Budget& budget) {
  GuestFiles files(&devices, budget);
  std::vector<std::string> sentences;
  for (const fs::Device& device : devices.devices()) {
    for (const System& system : kSystems) {
      PVHGRUB_TRY_ASSIGN(const bool there, is_on(system, device, files));
      if (there)
        sentences.push_back(device.name + " is a " + std::string(system.name) +
                            " system's, which pygrub could boot and pvhgrub does not");
    }
  }
  return sentences;
}

}  // namespace pvhgrub::grubcfg
