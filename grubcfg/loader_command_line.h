// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pvhgrub::grubcfg {

/// Words joined to a command line as GRUB's loaders do: a word with a space stands in double quotes;
/// backslash, single and double quote get a backslash. \xHH with two hexadecimal digits stays as it is where
/// `passes_hex_escapes` (Red Hat's GRUB, whose installation media depend on it: see grub_flavour.h).
[[nodiscard]] std::string make_loader_command_line(std::span<const std::string> words,
                                                   bool passes_hex_escapes = true);

/// True where `text` begins with \xHH.
[[nodiscard]] bool begins_with_hex_escape(std::string_view text);

}  // namespace pvhgrub::grubcfg
