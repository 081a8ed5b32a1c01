// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/bytes.h"

namespace pvhgrub {

/// Two lower-case digits a byte.
[[nodiscard]] std::string hexadecimal(Bytes bytes);

/// The 16 bytes of a UUID in the order of its text, as Linux writes it:
/// "01234567-89ab-cdef-0123-456789abcdef".
[[nodiscard]] std::string uuid_text(Bytes bytes);

}  // namespace pvhgrub
