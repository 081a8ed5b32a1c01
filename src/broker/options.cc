// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "src/broker/version.h"

namespace pvhgrub::broker {
namespace {

// As in pygrub, the last of an option that is given twice counts: xl puts bootloader_args after its own.
CLI::Option* last_counts(CLI::Option* option) {
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->expected(1);
}

struct RawValues {
  std::string format = "sxp";
  std::uint64_t deadline_seconds = limits::kDeadlineMilliseconds / 1000;
};

void declare_pygrub_options(CLI::App& app, Options& options, RawValues& raw) {
  app.add_flag("-q,--quiet", options.quiet, "boot the default entry, ask nobody");
  app.add_flag("-i,--interactive", options.interactive, "the opposite of --quiet");
  app.add_flag("-l,--list-entries", options.list_entries, "list the boot entries (as JSON with --output-format=json)");
  app.add_flag("-n,--not-really", options.not_really, "choose and check, but copy nothing");
  last_counts(app.add_option("--output", options.output, "write the result here, '-' for standard output"))
      ->type_name("FILE");
  last_counts(app.add_option("--output-format", raw.format, "of the result"))->type_name("sxp|simple|simple0|json");
  last_counts(app.add_option("--output-directory", options.output_directory,
                             "put kernel and ramdisk here (/var/run/xen/pygrub)"))
      ->type_name("DIR");
  last_counts(app.add_option("--kernel", options.kernel, "boot this file of the guest, read no configuration"))
      ->type_name("PATH");
  last_counts(app.add_option("--ramdisk", options.ramdisk, "with this file of the guest as its ramdisk"))
      ->type_name("PATH");
  last_counts(app.add_option("--args", options.arguments, "append to the kernel's command line"))->type_name("ARGS");
  last_counts(app.add_option("--entry", options.entry, "boot this entry: index, title, id, or a path of them (1>0)"))
      ->type_name("ENTRY");
  last_counts(app.add_option("--offset", options.offset, "the file system begins here; no partition table is read"))
      ->type_name("BYTES");
  last_counts(app.add_option("--runas", options.run_as, "user id of the confined worker; never 0"))->type_name("UID");
  app.add_flag("--isconfig", options.is_configuration, "DISK is a boot configuration file instead");
  app.add_flag("--debug", options.debug, "say more on standard error");
}

void declare_own_options(CLI::App& app, Options& options, RawValues& raw) {
  app.add_flag("--explain", options.explain, "tell each step from disk to choice, and why, on standard error");
  last_counts(app.add_option("--eval", options.evaluate, "run a GRUB script ('-': standard input), boot nothing"))
      ->type_name("FILE");
  last_counts(app.add_option("--grub-platform", options.grub_platform, "what $grub_platform says (xen_pvh)"))
      ->type_name("NAME");
  last_counts(app.add_option("--deadline", raw.deadline_seconds, "give up after so long; 0: never (120)"))
      ->type_name("SECONDS");
  app.add_flag("--sandbox-report", options.sandbox_report, "tell which layers confine the worker");
  app.add_flag("--allow-landlock-only", options.allow_landlock_only,
               "where namespaces cannot be had, let Landlock alone hide the host's files");
  app.add_option("disk", options.disk, "the guest's disk: an image file or a block device")->type_name("DISK");
}

std::unexpected<Error> usage(std::string message) {
  return fail(ErrorCode::kUsage, std::move(message) + "; see pvhgrub --help");
}

Result<void> check(Options& options) {
  const bool needs_no_disk = options.sandbox_report || options.evaluate;
  if (options.disk.empty() && !needs_no_disk) return usage("no disk was given");
  if (options.evaluate && (options.list_entries || options.is_configuration))
    return usage("--eval goes with neither --list-entries nor --isconfig");
  if (options.is_configuration && options.kernel) return usage("--isconfig has no disk to take --kernel from");
  if (options.run_as == uid_t{0}) return usage("--runas=0 would run the worker as root");
  if (options.offset && options.is_configuration) return usage("--offset goes with a disk, not with --isconfig");
  // xl passes these with nothing behind them where xl.cfg says so; that means the same as leaving them out.
  for (std::optional<std::string>* value : {&options.kernel, &options.ramdisk, &options.entry})
    if (*value && (*value)->empty()) value->reset();
  return {};
}

}  // namespace

Result<std::variant<Options, InformationText>> parse_options(int argc, const char* const* argv) {
  Options options;
  RawValues raw;
  // CLI11 reports by exceptions; none leaves this function.
  try {
    CLI::App app("Boots a Linux guest's own choice of kernel: reads the boot configuration on DISK in a sandbox and "
                 "hands kernel, ramdisk and command line to the toolstack.",
                 "pvhgrub");
    app.set_help_flag("-h,--help", "print this");
    app.set_version_flag("--version", std::string("pvhgrub ") + kVersion);
    declare_pygrub_options(app, options, raw);
    declare_own_options(app, options, raw);
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    std::erase(arguments, "");
    std::ranges::reverse(arguments);  // CLI11 takes its arguments from the back
    try {
      app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      return InformationText{app.help()};
    } catch (const CLI::CallForVersion&) {
      return InformationText{app.version() + "\n"};
    }
  } catch (const CLI::Error& error) {
    return usage(error.what());
  }
  PVHGRUB_TRY_ASSIGN(options.output_format, protocol::parse_result_format(raw.format));
  constexpr std::uint64_t kMostSeconds = 86'400;
  if (raw.deadline_seconds > kMostSeconds) return usage("--deadline is at most a day");
  options.deadline_milliseconds = raw.deadline_seconds * 1000;
  PVHGRUB_TRY(check(options));
  return options;
}

}  // namespace pvhgrub::broker
