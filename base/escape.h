// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pvhgrub {

/// Guest text made fit for a terminal or a log: well-formed printable UTF-8 stays, every other byte
/// (controls, C1 controls, bidirectional overrides, malformed sequences) becomes \xHH, and a backslash is
/// doubled so that the form is unambiguous. At most `maximum` bytes come out, then "...".
[[nodiscard]] std::string escape_for_terminal(std::string_view text, std::size_t maximum = 4096);

/// The first character of a text.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  ///< bytes that it takes; 0: they are no well-formed UTF-8
};
/// `text` is not empty.
[[nodiscard]] CodePoint decode_utf8(std::string_view text);

/// Whether a character can be shown as it is: no control, no bidirectional override, nothing invisible
/// (Unicode TR36, section 2.11).
[[nodiscard]] bool is_harmless(char32_t value);

/// True when `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD: for JSON, which must be
/// UTF-8.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

}  // namespace pvhgrub
