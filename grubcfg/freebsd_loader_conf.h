// SPDX-License-Identifier: LGPL-2.1-or-later
// The language of FreeBSD's loader.conf(5).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/diagnostics.h"

namespace pvhgrub::grubcfg {

/// A module that the loader loads beside the kernel, by what its settings say.
struct FreebsdModule {
  bool load = false;  ///< NAME_load="YES"
  std::string name;   ///< NAME_name, the file; empty: as the module
  std::string type;   ///< NAME_type; empty: a kernel module
};

/// What the loader's files set.
struct FreebsdSettings {
  std::map<std::string, std::string> variables;  ///< of its environment, which is the kernel's later
  std::map<std::string, FreebsdModule> modules;  ///< by the part of the setting's name before "_load"

  /// The value of a variable, or `otherwise` where it is not set.
  [[nodiscard]] std::string get(const std::string& name, std::string_view otherwise = {}) const {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second : std::string(otherwise);
  }
  [[nodiscard]] bool has(const std::string& name) const { return variables.contains(name); }
};

/// Reads the text of one file into `settings`; later settings replace earlier ones. `name` is the file's, for
/// messages. A value stands in double quotes, or is one word of letters, digits, '-', '_' and '.'; in quotes
/// a backslash makes the next character an ordinary one, and $NAME and ${NAME} stand for other variables.
/// Only a comment may follow. Lines that are wrong are left out with a notice. A Result's error is kLimit.
[[nodiscard]] Result<void> parse_freebsd_loader_conf(std::string_view text, std::string_view name,
                                                     FreebsdSettings& settings, Budget& budget,
                                                     Diagnostics& diagnostics);

}  // namespace pvhgrub::grubcfg
