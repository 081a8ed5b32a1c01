// SPDX-License-Identifier: LGPL-2.1-or-later
// How `default` and `fallback` name an entry.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// Whether an id or title is what `wanted` names up to its first single '>'; a doubled one stands for one
/// '>'.
[[nodiscard]] bool names_entry(std::string_view id_or_title, std::string_view wanted);

/// The entry that the value of `default` names, no value for none. GRUB takes a number at its beginning
/// before any id or title, Red Hat's GRUB after them.
[[nodiscard]] std::optional<std::size_t> find_entry(const std::vector<MenuEntry>& entries,
                                                    std::string_view wanted, bool is_red_hat);

/// What follows the first single '>' of `default`: the way inside the submenu. Empty for nothing.
[[nodiscard]] std::string_view rest_of_path(std::string_view wanted);

/// The entries of `fallback`: numbers with white space between them, up to the first that is none or names no
/// entry. Red Hat's GRUB takes ids and titles too.
[[nodiscard]] std::vector<std::size_t> find_fallback(const std::vector<MenuEntry>& entries,
                                                     std::string_view wanted, bool is_red_hat);

}  // namespace pvhgrub::grubcfg
