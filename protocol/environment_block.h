// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace pvhgrub::protocol {

/// Whether `bytes` are an environment block as GRUB's own tools make it, of at most
/// limits::kEnvironmentBlockBytes:
/// "# GRUB Environment Block\n", then lines that are a comment ('#' first) or NAME=VALUE, each ended by a
/// newline, then nothing but '#'. In comments and values a backslash hides the next character, also a
/// newline. No control characters but tabs and hidden newlines.
///
/// The broker writes to a guest's disk only what this takes, and only over what this takes. It looks at each
/// byte once, and is written apart from the one in grubcfg/ on purpose: the broker links no parser of the
/// guest's bytes.
[[nodiscard]] bool is_environment_block(std::string_view bytes);

}  // namespace pvhgrub::protocol
