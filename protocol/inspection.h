// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "protocol/messages.h"

namespace pvhgrub::protocol {

/// What --inspect prints: a headed list for a person, or one JSON object of objects, in the order of the
/// facts; a name that comes again in its group makes an array. Guest text is escaped.
[[nodiscard]] std::string format_inspection(const std::vector<FactMessage>& facts, bool json);

}  // namespace pvhgrub::protocol
