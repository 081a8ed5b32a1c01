// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string_view>

#include "grubcfg/grub_error.h"

namespace pvhgrub::grubcfg {

/// What GRUB makes of a number in text: leading white space is skipped, 0x and 0 prefixes count where `base`
/// is 0, what follows the digits is left. `status` is kStatusBadNumber where there is no digit (value 0) and
/// kStatusOutOfRange where it does not fit 64 bits (all ones).
struct ParsedNumber {
  std::uint64_t value = 0;
  std::string_view rest;  ///< what follows the digits; all of the text where there are none
  Status status = kStatusOk;
};
[[nodiscard]] ParsedNumber parse_number(std::string_view text, unsigned base);

/// True for the white space of GRUB: blank, tab, newline, carriage return; no vertical tab or form feed.
[[nodiscard]] bool is_space(char c);

/// `a` and `b` without regard to the case of ASCII letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace pvhgrub::grubcfg
