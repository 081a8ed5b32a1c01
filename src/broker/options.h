// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "protocol/boot_result.h"
#include "protocol/messages.h"
#include "src/broker/host_configuration.h"

namespace pvhgrub::broker {

/// --appliance: when file systems may be read through it.
enum class AppliancePolicy : std::uint8_t {
  kNever,
  kAuto,    ///< once more with it, where a boot fails for want of a reader
  kAlways,  ///< all file systems come from it
};

/// One --module with its --module-as.
struct ModuleOption {
  std::string path;
  std::string ramdisk_name;  ///< the file's name within the ramdisk; empty: an output of its own
};

/// The command line, understood. pvhgrub(1) describes each option; those of pygrub mean what they mean there.
struct Options {
  bool quiet = false;
  bool interactive = false;
  bool list_entries = false;
  bool not_really = false;
  bool is_configuration = false;
  bool debug = false;
  bool explain = false;
  bool sandbox_report = false;
  bool allow_landlock_only = false;
  bool sha256 = false;
  bool inspect = false;
  AppliancePolicy appliance = AppliancePolicy::kNever;
  std::string output;            ///< empty or "-": standard output
  std::string output_directory;  ///< empty: the default, which is made where it does not exist
  protocol::ResultFormat output_format = protocol::ResultFormat::kSxp;
  std::optional<std::string> kernel;
  std::optional<std::string> ramdisk;
  std::optional<std::string> entry;
  std::optional<std::string> evaluate;  ///< --eval: a script's path, "-" for standard input
  std::string arguments;
  std::string grub_platform;
  std::string source;  ///< one of the kinds of --source; empty: the guest's own choice
  std::optional<std::string> configuration;
  protocol::GrubenvMode grubenv = protocol::GrubenvMode::kRead;
  bool no_boot_image = false;
  bool boots_hypervisor = false;
  protocol::BootRequest boot = protocol::BootRequest::kAuto;
  std::optional<protocol::GuestType> guest_type;  ///< not given: what xenstore says
  std::optional<std::string> firmware;            ///< a name or a path
  std::optional<std::string> shim;                ///< a path
  protocol::KernelFormat kernel_format = protocol::KernelFormat::kElf;
  std::vector<ModuleOption> modules;
  std::uint64_t kernel_limit = limits::kKernelBytes;    ///< bytes
  std::uint64_t ramdisk_limit = limits::kRamdiskBytes;  ///< bytes
  std::optional<std::uint64_t> offset;                  ///< bytes
  std::optional<uid_t> run_as;
  std::uint64_t deadline_milliseconds = limits::kDeadlineMilliseconds;  ///< 0: none
  std::string
      disk;  ///< path of the first disk, or of the configuration with --isconfig; empty where none was given
  std::vector<std::string> more_disks;  ///< paths of hd1, hd2, ...

  /// The paths of all disks in their order.
  [[nodiscard]] std::vector<std::string> disks() const {
    std::vector<std::string> all;
    if (!is_configuration && !disk.empty()) all.push_back(disk);
    all.insert(all.end(), more_disks.begin(), more_disks.end());
    return all;
  }
};

/// A text to print instead of running (--help, --version).
struct InformationText {
  std::string text;
};

/// What the host's configuration sets by itself. kUsage, with its file and line.
[[nodiscard]] Result<Options> options_of_host(const HostConfiguration& host);

/// The command line over what the host's configuration sets. kUsage, with what is wrong. Empty arguments are
/// passed over: xl hands on empty strings of bootloader_args.
[[nodiscard]] Result<std::variant<Options, InformationText>> parse_options(int argc, const char* const* argv,
                                                                           const HostConfiguration& host);

}  // namespace pvhgrub::broker
