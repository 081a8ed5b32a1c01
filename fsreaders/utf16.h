// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace pvhgrub::fs {

/// Little-endian UTF-16 as UTF-8, up to the first NUL; half of a surrogate pair becomes U+FFFD. An odd last
/// byte is left out.
[[nodiscard]] std::string utf8_of_utf16(Bytes bytes);

/// UTF-8 as UTF-16; nothing where it is not well-formed.
[[nodiscard]] std::optional<std::u16string> utf16_of_utf8(std::string_view text);

}  // namespace pvhgrub::fs
