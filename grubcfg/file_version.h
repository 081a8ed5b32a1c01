// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <compare>
#include <string_view>

namespace pvhgrub::grubcfg {

/// The order of `sort --version-sort` without its last resort, which GRUB 2.14 puts entry files in (GNU
/// coreutils manual, "Version sort ordering"). greater: `a` is the newer one. Names that are not the same may
/// be equivalent ("1", "01").
[[nodiscard]] std::weak_ordering compare_file_versions(std::string_view a, std::string_view b);

}  // namespace pvhgrub::grubcfg
