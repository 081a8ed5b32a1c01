// SPDX-License-Identifier: LGPL-2.1-or-later
// loader.conf, the configuration of systemd-boot: loader.conf(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

struct LoaderConf {
  /// Patterns of ids, as written; empty for none.
  std::string default_entry;
  std::string preferred_entry;  ///< before default_entry, but never an entry whose tries are used up
  /// As PlainMenuSettings: without a `timeout` line the default entry is booted at once.
  std::optional<std::uint32_t> timeout = 0;
  TimeoutStyle timeout_style = TimeoutStyle::kHidden;
};

/// Reads the text of a loader.conf; `name` is the file's for messages. Lines that are wrong are left out with
/// a notice. A Result's error is kLimit.
[[nodiscard]] Result<LoaderConf> parse_loader_conf(std::string_view text, std::string_view name,
                                                   Budget& budget, Diagnostics& diagnostics);

}  // namespace pvhgrub::grubcfg
