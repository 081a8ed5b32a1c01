// SPDX-License-Identifier: LGPL-2.1-or-later
// The host's configuration file, pvhgrub.conf(5): what the host's owner sets for every domain. Read by the
// broker only, before any disk is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace pvhgrub::broker {

/// What an option of [options] wants on the right of its `=`.
enum class OptionKind : std::uint8_t {
  kText,      ///< a string
  kFile,      ///< a string, a path; a relative one begins at the file's own directory
  kFirmware,  ///< a string, a firmware's name or, where it holds a '/', a path as of kFile
  kNumber,    ///< a whole number, 0 or more
  kFlag,      ///< true or false
};

/// An option of the command line that [options] may set and [policy] may name, without its dashes.
struct ConfigurableOption {
  std::string_view name;
  OptionKind kind;
};

/// Every such option, in alphabetical order. Those that tell one request apart (--entry, --output, --kernel
/// and the like) are not among them.
[[nodiscard]] std::span<const ConfigurableOption> configurable_options();

/// One line of [options].
struct HostOption {
  std::string name;  ///< of a ConfigurableOption
  OptionKind kind = OptionKind::kText;
  std::string value;  ///< as text; "true" or "false" of a flag
  std::uint32_t line = 0;
};

/// One line of [firmware].
struct FirmwareEntry {
  std::string name;                ///< [a-z0-9-]+
  std::vector<std::string> paths;  ///< in the order to look at; at least one
  std::uint32_t line = 0;
};

struct HostConfiguration {
  std::string path;  ///< the file that was read; empty where there was none
  std::vector<HostOption> options;
  /// [policy] overrides; without it every option may be overridden.
  std::optional<std::vector<std::string>> overrides;
  std::uint64_t kernel_bytes = limits::kKernelBytes;    ///< the largest kernel taken from a guest
  std::uint64_t ramdisk_bytes = limits::kRamdiskBytes;  ///< the largest ramdisk, of all its parts
  std::vector<FirmwareEntry> firmware;

  /// [options] as words of a command line, in the order of the file: "--NAME=VALUE"; "--NAME" for a flag that
  /// is true, nothing for one that is false. To be parsed before the domain's own words.
  [[nodiscard]] std::vector<std::string> as_arguments() const;

  /// Whether the command line may give `option` (a long name without dashes) where [options] sets it too.
  [[nodiscard]] bool may_override(std::string_view option) const;

  /// To be asked for each option of the command line: kUsage, with file and line, where [options] sets
  /// `option` (a long name without dashes) and [policy] does not let a domain override it.
  [[nodiscard]] Result<void> check_override(std::string_view option) const;

  /// The line of [options] that sets `option`, or nullptr.
  [[nodiscard]] const HostOption* find_option(std::string_view option) const;

  /// "FILE:LINE" of an option that [options] sets: where its value turned out to be wrong.
  [[nodiscard]] std::string place_of(const HostOption& option) const;
};

/// Where the configuration is looked for.
struct HostConfigurationPath {
  std::string path;
  bool must_exist = false;
};

/// The installed one's place, which need not exist, or what the environment variable PVHGRUB_CONFIGURATION
/// names, which must; the variable is not looked at in a set-user-id program (secure_getenv(3)).
[[nodiscard]] HostConfigurationPath host_configuration_path();

/// Reads and checks the file. The defaults where it does not exist and `must_exist` is false. kUsage for what
/// is wrong in it, with file and line; also for a file that is no regular one, that another than its owner
/// may write, or that belongs neither to root nor to the running user; kLimit for one of more than
/// limits::kHostConfigurationBytes; kIo where it cannot be read.
[[nodiscard]] Result<HostConfiguration> load_host_configuration(const std::string& path, bool must_exist);

}  // namespace pvhgrub::broker
