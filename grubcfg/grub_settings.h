// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pvhgrub::grubcfg {

/// What to do with the environment blocks of a guest (GRUB manual, "The GRUB environment block").
enum class GrubenvMode : std::uint8_t {
  kRead,    ///< they are read, but one-shot requests in them are not followed: nobody would take them back
  kWrite,   ///< as GRUB itself: what `save_env` changes is written when the entry is booted
  kIgnore,  ///< as if there were none
};

/// What the evaluated GRUB is taken to be.
struct GrubSettings {
  std::string platform = "xen_pvh";  ///< $grub_platform, as GRUB's own PVH build says
  std::string cpu = "i386";          ///< $grub_cpu
  /// Variables set and exported before the configuration is read, after the predefined ones.
  std::vector<std::pair<std::string, std::string>> variables;
  GrubenvMode grubenv = GrubenvMode::kRead;
  bool boot_image_argument = true;  ///< the kernel's command line begins with BOOT_IMAGE=
  /// Of an entry that loads a hypervisor, boot that one, and give it the Linux kernel as its module.
  bool boots_hypervisor = false;
};

}  // namespace pvhgrub::grubcfg
