// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace pvhgrub::bootimage {

/// Bytes from a kernel image's start that hold all of the fields below.
inline constexpr std::size_t kLinuxHeaderBytes = 0x264;

/// The longest command line that an x86 kernel image says it takes, in bytes without the final NUL:
/// `cmdline_size` of the setup header (Linux, Documentation/arch/x86/boot.rst, protocol 2.06), 255 before
/// that. Nothing for what is not a bzImage or too short to hold the header.
[[nodiscard]] std::optional<std::uint32_t> command_line_size(Bytes image_start);

}  // namespace pvhgrub::bootimage
