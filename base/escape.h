// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace pvhgrub {

/// Guest text made fit for a terminal or a log: well-formed printable UTF-8 stays, every other byte
/// (controls, C1 controls, bidirectional overrides, malformed sequences) becomes \xHH, and a backslash is
/// doubled so that the form is unambiguous. At most `maximum` bytes come out, then "...".
[[nodiscard]] std::string escape_for_terminal(std::string_view text, std::size_t maximum = 4096);

/// True when `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD: for JSON, which must be
/// UTF-8.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

}  // namespace pvhgrub
