// SPDX-License-Identifier: LGPL-2.1-or-later
// Where firmware for guests without a device model lies on this host: by the name that --firmware gives, by
// the host's configuration, and by what distributions install.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "src/broker/host_configuration.h"

namespace pvhgrub::broker {

enum class Architecture : std::uint8_t { kX86, kArm64, kOther };

#if defined(__x86_64__) || defined(__i386__)
inline constexpr Architecture kHostArchitecture = Architecture::kX86;
#elif defined(__aarch64__)
inline constexpr Architecture kHostArchitecture = Architecture::kArm64;
#else
inline constexpr Architecture kHostArchitecture = Architecture::kOther;
#endif

/// A firmware that is there: a regular file with contents, open for reading. Whether a PVH domain can start
/// it (Xen note 18 on x86) is not looked at here.
struct FirmwareFile {
  std::string name;  ///< as it was asked for
  std::string path;
  UniqueFd fd;
  std::uint64_t size = 0;  ///< bytes
};

/// kUsage for what is no firmware of ours, with the reason and what to take instead: the names bios and uefi,
/// which mean something else on each host, and HVM's firmware (hvmloader, seabios, rombios), by name or by a
/// path's last component.
[[nodiscard]] Result<void> check_firmware_choice(std::string_view name_or_path);

/// The paths that a name stands for, in the order to look at: the configuration's, then the built-in ones.
/// Empty for a name that is not known.
[[nodiscard]] std::vector<std::string> firmware_search_list(const HostConfiguration& configuration,
                                                            std::string_view name,
                                                            Architecture architecture = kHostArchitecture);

/// Finds `name_or_path`: a path where it holds a '/', else a name. kUsage for an unknown or refused name
/// (with the known ones), kNotFound where nothing is there, with every path that was looked at and what to
/// install.
[[nodiscard]] Result<FirmwareFile> find_firmware(const HostConfiguration& configuration,
                                                 std::string_view name_or_path,
                                                 Architecture architecture = kHostArchitecture);

}  // namespace pvhgrub::broker
