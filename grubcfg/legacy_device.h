// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB Legacy's names of devices, which count partitions from 0 (GRUB Legacy manual, "Device syntax").
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "fsreaders/file_system.h"

namespace pvhgrub::grubcfg {

/// A device name at the beginning of a text.
struct LegacyDevice {
  std::string name;        ///< by GRUB 2's syntax: "hd0,1" for "(hd0,0)", "hd0,1,1" for "(hd0,0,a)",
                           ///< "hd0,bsd1" for "(hd0,a)"; empty where it names none
  std::string written;     ///< "(hd0,0)"
  std::size_t length = 0;  ///< of `written` in the text
  std::string error;       ///< why it names none; empty where it does
  /// It names what a guest of ours has not (floppy, CD, network): looking elsewhere for its files would be a
  /// guess.
  bool is_foreign = false;
};

/// Reads "(hd0,0)", also without the parentheses, which ends it at a blank then. `root` is the current root
/// device by GRUB 2's syntax, whose disk "()" and "(,0)" mean.
[[nodiscard]] LegacyDevice read_legacy_device(std::string_view text, std::string_view root);

/// The devices by their names without the kinds of the partition tables: "hd0,1" for "hd0,gpt1", "hd0,1,1"
/// for "hd0,msdos1,bsd1" and for NetBSD's "hd0,netbsd1" in slice 1, "hd0,bsd1" for the first label's
/// partition a.
class ListedDevices {
 public:
  /// `devices` may be null.
  explicit ListedDevices(const fs::Devices* devices);
  /// The name as the devices themselves have it; `name` itself for one that is not among them.
  [[nodiscard]] std::string full_name(const std::string& name) const;

 private:
  std::map<std::string, std::string> names_;
};

}  // namespace pvhgrub::grubcfg
