// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"

namespace pvhgrub::grubcfg {

struct RegexpMatch {
  bool matched = false;
  std::string reason;  ///< why it did not match: no match, or what is wrong with the expression
  /// The whole match and its groups; no value for a group that took no part.
  std::vector<std::optional<std::string>> groups;
};

/// Matches a POSIX extended regular expression as GRUB's `regexp` does, in the C locale. kLimit: the
/// expression or the text is so large that matching could take too long or too much memory.
[[nodiscard]] Result<RegexpMatch> match_regexp(const std::string& expression, const std::string& text,
                                               Budget& budget);

}  // namespace pvhgrub::grubcfg
