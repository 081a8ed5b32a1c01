// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/result.h"

namespace pvhgrub::grubcfg {

/// What a boot menu wants of an os-release text, chosen among its fields as systemd-boot does. Empty: the
/// text does not say.
struct OsRelease {
  std::string name;      ///< PRETTY_NAME, else IMAGE_ID, NAME, ID
  std::string version;   ///< IMAGE_VERSION, else VERSION, VERSION_ID, BUILD_ID
  std::string sort_key;  ///< IMAGE_ID, else ID
};

/// https://www.freedesktop.org/software/systemd/man/os-release.html; quotes around a value are taken off,
/// backslashes inside stay, as in systemd-boot. A Result's error is kLimit.
[[nodiscard]] Result<OsRelease> parse_os_release(std::string_view text, Budget& budget);

}  // namespace pvhgrub::grubcfg
