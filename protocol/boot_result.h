// SPDX-License-Identifier: LGPL-2.1-or-later
// The result record that the toolstack reads, in pygrub's formats and JSON.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace pvhgrub::protocol {

enum class ResultFormat : std::uint8_t { kSxp, kSimple, kSimple0, kJson };

/// "sxp", "simple", "simple0", "json".
[[nodiscard]] Result<ResultFormat> parse_result_format(std::string_view name);

struct BootResult {
  std::string kernel;                  ///< path of the file that the broker made, or "<kernel:/path>" for -n
  std::optional<std::string> ramdisk;  ///< the same; none where the entry has no initrd
  std::string arguments;               ///< the kernel's command line; left out where empty, as pygrub does
};

/// The record's bytes. Fails where a value holds what the format cannot carry: NUL anywhere, a newline in
/// `simple`; and where the item would be dropped by libxl for its length (limits::kCommandLineBytes).
///
///   simple0  "kernel PATH\0ramdisk PATH\0args ARGS\0\0"  (libxl: tools/libs/light/libxl_bootloader.c)
///   simple   the same with newlines                       (xapi)
///   sxp      linux (kernel 'PATH')(ramdisk 'PATH')(args 'ARGS'), strings quoted as Python's repr() does
///   json     {"kernel": ..., "ramdisk": ... or null, "args": ...}
[[nodiscard]] Result<std::string> format_boot_result(const BootResult& result, ResultFormat format);

}  // namespace pvhgrub::protocol
