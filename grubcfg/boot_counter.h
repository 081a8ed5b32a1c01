// SPDX-License-Identifier: LGPL-2.1-or-later
// Boot counters in the names of boot entries: "name+LEFT-DONE.conf".
// https://uapi-group.org/specifications/specs/boot_loader_specification/#boot-counting
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pvhgrub::grubcfg {

struct BootCounter {
  std::uint32_t left = 0;  ///< tries that are left; 0: the entry is bad
  std::uint32_t done = 0;  ///< tries that failed, or whose outcome nobody noted
};

struct CountedName {
  std::string name;                    ///< without the counter, with the suffix
  std::optional<BootCounter> counter;  ///< no value: the name has none
};

/// Splits a file name. `suffix`: what follows the counter, ".conf" or ".efi", in any case.
[[nodiscard]] CountedName split_boot_counter(std::string_view file_name, std::string_view suffix);

}  // namespace pvhgrub::grubcfg
