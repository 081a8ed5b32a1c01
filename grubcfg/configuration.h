// SPDX-License-Identifier: LGPL-2.1-or-later
// From the guest's disks to its boot menu: where the configuration lies, and its evaluation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/grub_settings.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// The boot configurations of all file systems, in the order in which they should be tried:
/// `/boot/grub/grub.cfg` and its like before `EFI/*/grub.cfg`, devices in GRUB's order. Partitions that
/// cannot be read are skipped with a notice. No configuration at all is an empty vector.
[[nodiscard]] Result<std::vector<ConfigurationSource>> find_configurations(fs::Devices& devices,
                                                                           Budget& budget,
                                                                           Diagnostics& diagnostics);

/// Evaluates one configuration from the disks, as GRUB started from that directory would: `root` is its
/// device, `prefix` its directory. The menu keeps references to `devices`, `budget` and `diagnostics`, which
/// must outlive it: entries are evaluated when they are asked for. kNoEntry: the configuration made no menu.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_configuration(fs::Devices& devices,
                                                               const ConfigurationSource& source,
                                                               const GrubSettings& settings, Budget& budget,
                                                               Diagnostics& diagnostics);

/// Evaluates a configuration without a disk (--isconfig). Files are not looked for: a kernel or initrd that
/// is named is taken to exist, every other file is not there. `name` is the file's name for messages.
/// References are kept as above.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_bare_configuration(std::string text, std::string name,
                                                                    const GrubSettings& settings,
                                                                    Budget& budget, Diagnostics& diagnostics);

/// Runs a script (--eval): true when its last command's status was 0. `devices` may be null; with a disk,
/// `root` and `prefix` are those of the first configuration found, else of the first file system.
[[nodiscard]] Result<bool> evaluate_script(std::string text, std::string name, fs::Devices* devices,
                                           const GrubSettings& settings, Budget& budget,
                                           Diagnostics& diagnostics);

}  // namespace pvhgrub::grubcfg
