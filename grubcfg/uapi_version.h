// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <compare>
#include <string_view>

namespace pvhgrub::grubcfg {

/// The order of versions by https://uapi-group.org/specifications/specs/version_format_specification/, as
/// `systemd-analyze compare-versions` tells it: "1.2~rc1" < "1.2" < "1.2.1" < "1.10". Takes as many steps as
/// the strings have characters.
[[nodiscard]] std::strong_ordering compare_versions(std::string_view a, std::string_view b);

}  // namespace pvhgrub::grubcfg
