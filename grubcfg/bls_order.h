// SPDX-License-Identifier: LGPL-2.1-or-later
// The menu that systemd-boot makes of its entries: their order, their titles, and which is the default.
// https://uapi-group.org/specifications/specs/boot_loader_specification/#sorting
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "grubcfg/boot_counter.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// One entry on its way to the menu.
struct BlsEntry {
  std::string id;       ///< the file's name without a boot counter; "@PROFILE" behind it
  std::string file_id;  ///< the same without the profile, in lower case
  std::uint32_t profile = 0;
  std::string title;  ///< empty: the id stands for it
  std::string version;
  std::string machine_id;
  std::optional<std::string> sort_key;
  std::optional<BootCounter> counter;
  std::string where;  ///< the file, for messages
  BootEntry boot;
  std::string source;  ///< the file's text; empty for a unified kernel image

  [[nodiscard]] bool is_bad() const { return counter && counter->left == 0; }
};

/// Puts the entries into the order of the menu, the best first. A Result's error is kLimit.
[[nodiscard]] Result<void> sort_bls_entries(std::vector<BlsEntry>& entries, Budget& budget);

/// Gives every entry a title, and where two have the same, adds to theirs: the version, then the beginning of
/// the machine id, then the id.
void make_titles_unique(std::vector<BlsEntry>& entries);

/// The first entry whose id matches a pattern of loader.conf, without regard to case. `only_good`: none whose
/// tries are used up. A Result's error is kLimit.
[[nodiscard]] Result<std::optional<std::size_t>> find_bls_entry(const std::vector<BlsEntry>& entries,
                                                                std::string_view pattern, bool only_good,
                                                                Budget& budget);

/// ASCII letters in lower case.
[[nodiscard]] std::string to_lower_case(std::string_view text);

}  // namespace pvhgrub::grubcfg
