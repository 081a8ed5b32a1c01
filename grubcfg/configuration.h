// SPDX-License-Identifier: LGPL-2.1-or-later
// From a boot configuration, whatever its kind, to its menu.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/grub_settings.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// Reads one configuration from the disks, by its kind. GRUB's is evaluated as GRUB started from that
/// directory would: `root` is its device, `prefix` its directory. The menu keeps references to `devices`,
/// `budget` and `diagnostics`, which must outlive it: entries are evaluated when they are asked for.
/// kNoEntry: the configuration made no menu.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_configuration(fs::Devices& devices,
                                                               const ConfigurationSource& source,
                                                               const GrubSettings& settings, Budget& budget,
                                                               Diagnostics& diagnostics);

/// Reads a configuration without a disk (--isconfig). Files are not looked for: a kernel or initrd that
/// is named is taken to exist, every other file is not there. `source` has the kind, and the file's name for
/// messages. References are kept as above.
[[nodiscard]] Result<std::unique_ptr<Menu>> load_bare_configuration(std::string text,
                                                                    const ConfigurationSource& source,
                                                                    const GrubSettings& settings,
                                                                    Budget& budget, Diagnostics& diagnostics);
/// The same of a grub.cfg.
[[nodiscard]] inline Result<std::unique_ptr<Menu>> load_bare_configuration(std::string text, std::string name,
                                                                           const GrubSettings& settings,
                                                                           Budget& budget,
                                                                           Diagnostics& diagnostics) {
  return load_bare_configuration(std::move(text), ConfigurationSource{"grub2", "", std::move(name)}, settings,
                                 budget, diagnostics);
}

/// Runs a script (--eval): true when its last command's status was 0. `devices` may be null; with a disk,
/// `root` and `prefix` are those of the first configuration found, else of the first file system.
[[nodiscard]] Result<bool> evaluate_script(std::string text, std::string name, fs::Devices* devices,
                                           const GrubSettings& settings, Budget& budget,
                                           Diagnostics& diagnostics);

}  // namespace pvhgrub::grubcfg
