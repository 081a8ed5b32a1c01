// SPDX-License-Identifier: LGPL-2.1-or-later
// The result record that the toolstack reads, in pygrub's formats and JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace pvhgrub::protocol {

enum class ResultFormat : std::uint8_t { kSxp, kSimple, kSimple0, kSimple0Extended, kJson };

/// "sxp", "simple", "simple0", "simple0-extended", "json".
[[nodiscard]] Result<ResultFormat> parse_result_format(std::string_view name);

/// One file that the broker made.
struct BootModule {
  std::string path;
  std::uint64_t size = 0;  ///< bytes
  std::string sha256;      ///< hexadecimal; empty where nobody asked for it
};

/// What the extended formats tell beside.
struct BootDetails {
  std::string entry_id;
  std::string entry_title;
  std::string boot;  ///< "direct", "firmware", "shim"
  std::string reason;
  std::string firmware;  ///< the host's file that the kernel is a copy of; empty for none
  std::string shim;      ///< the same
  std::string kernel_version;
  std::string kernel_description;
  std::vector<BootModule> modules;  ///< kernel first, then the ramdisk where there is one, then --module
};

struct BootResult {
  std::string kernel;                  ///< path of the file that the broker made, or "<kernel:/path>" for -n
  std::optional<std::string> ramdisk;  ///< the same; none where the entry has no initrd
  std::string arguments;               ///< the kernel's command line; left out where empty, as pygrub does
  std::optional<BootDetails> details = std::nullopt;  ///< not for a choice without a decision (--isconfig)
};

/// The record's bytes. Fails where a value holds what the format cannot carry: NUL anywhere, a newline in
/// `simple`; and where the item would be dropped by libxl for its length (limits::kCommandLineBytes).
///
///   simple0  "kernel PATH\0ramdisk PATH\0args ARGS\0\0"  (libxl: tools/libs/light/libxl_bootloader.c)
///   simple   the same with newlines                       (xapi)
///   sxp      linux (kernel 'PATH')(ramdisk 'PATH')(args 'ARGS'), strings quoted as Python's repr() does
///   simple0-extended, json: docs/protocol.md
[[nodiscard]] Result<std::string> format_boot_result(const BootResult& result, ResultFormat format);

}  // namespace pvhgrub::protocol
