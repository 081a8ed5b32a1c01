// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/result.h"

namespace pvhgrub::broker {

/// SHA-256 (FIPS 180-4) of all that the file holds, in 64 lower-case hexadecimal digits. Reads all of it; the
/// file position stays. `where` is for messages.
[[nodiscard]] Result<std::string> sha256_of_file(int fd, const std::string& where);

}  // namespace pvhgrub::broker
