// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace pvhgrub::grubcfg {

/// Whether a boot entry's id matches a pattern of loader.conf: '*' any characters, '?' one, "[abc]" and
/// "[a-z]" one of a set (without any negation), a backslash in front of a character takes its meaning away;
/// all of it must match. systemd-boot's own rules, which are part of fnmatch(3)'s. Bytes are compared as they
/// are: change both to lower case before. Takes at most pattern times id steps.
[[nodiscard]] bool matches_loader_pattern(std::string_view pattern, std::string_view id);

}  // namespace pvhgrub::grubcfg
