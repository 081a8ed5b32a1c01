// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/options.h"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <vector>

#include "base/volume_limits.h"
#include "src/broker/firmware_paths.h"
#include "src/broker/help.h"
#include "src/broker/version.h"

namespace pvhgrub::broker {
namespace {

// Long options without a letter of their own begin above all characters.
enum LongOption : int {
  kOutput = 256,
  kOutputFormat,
  kOutputDirectory,
  kKernel,
  kRamdisk,
  kArguments,
  kDisk,
  kEntry,
  kOffset,
  kRunAs,
  kIsConfiguration,
  kDebug,
  kExplain,
  kEvaluate,
  kGrubPlatform,
  kSource,
  kConfiguration,
  kGrubenv,
  kNoBootImage,
  kBootHypervisor,
  kBoot,
  kGuestType,
  kFirmware,
  kShim,
  kKernelFormat,
  kModule,
  kModuleAs,
  kSha256,
  kInspect,
  kDeadline,
  kSandboxReport,
  kAllowLandlockOnly,
  kAppliance,
  kVersionOption,
};

constexpr std::array kLongOptions{
    option{"quiet", no_argument, nullptr, 'q'},
    option{"interactive", no_argument, nullptr, 'i'},
    option{"list-entries", no_argument, nullptr, 'l'},
    option{"not-really", no_argument, nullptr, 'n'},
    option{"help", no_argument, nullptr, 'h'},
    option{"output", required_argument, nullptr, kOutput},
    option{"output-format", required_argument, nullptr, kOutputFormat},
    option{"output-directory", required_argument, nullptr, kOutputDirectory},
    option{"kernel", required_argument, nullptr, kKernel},
    option{"ramdisk", required_argument, nullptr, kRamdisk},
    option{"args", required_argument, nullptr, kArguments},
    option{"disk", required_argument, nullptr, kDisk},
    option{"entry", required_argument, nullptr, kEntry},
    option{"offset", required_argument, nullptr, kOffset},
    option{"runas", required_argument, nullptr, kRunAs},
    option{"isconfig", no_argument, nullptr, kIsConfiguration},
    option{"debug", no_argument, nullptr, kDebug},
    option{"explain", no_argument, nullptr, kExplain},
    option{"eval", required_argument, nullptr, kEvaluate},
    option{"grub-platform", required_argument, nullptr, kGrubPlatform},
    option{"source", required_argument, nullptr, kSource},
    option{"config", required_argument, nullptr, kConfiguration},
    option{"grubenv", required_argument, nullptr, kGrubenv},
    option{"no-boot-image", no_argument, nullptr, kNoBootImage},
    option{"boot-hypervisor", no_argument, nullptr, kBootHypervisor},
    option{"boot", required_argument, nullptr, kBoot},
    option{"guest-type", required_argument, nullptr, kGuestType},
    option{"firmware", required_argument, nullptr, kFirmware},
    option{"shim", required_argument, nullptr, kShim},
    option{"kernel-format", required_argument, nullptr, kKernelFormat},
    option{"module", required_argument, nullptr, kModule},
    option{"module-as", required_argument, nullptr, kModuleAs},
    option{"sha256", no_argument, nullptr, kSha256},
    option{"inspect", no_argument, nullptr, kInspect},
    option{"deadline", required_argument, nullptr, kDeadline},
    option{"sandbox-report", no_argument, nullptr, kSandboxReport},
    option{"allow-landlock-only", no_argument, nullptr, kAllowLandlockOnly},
    option{"appliance", required_argument, nullptr, kAppliance},
    option{"version", no_argument, nullptr, kVersionOption},
    option{nullptr, 0, nullptr, 0},
};

std::unexpected<Error> usage(std::string message) {
  return fail(ErrorCode::kUsage, std::move(message) + "; see pvhgrub --help");
}

template <typename Number>
Result<Number> parse_number(std::string_view text, std::string_view option_name) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return usage(std::string(option_name) + " wants a whole number, not '" + std::string(text) + "'");
  return number;
}

Result<std::uint64_t> parse_deadline(std::string_view text) {
  constexpr std::uint64_t kMostSeconds = 86'400;
  PVHGRUB_TRY_ASSIGN(const auto seconds, parse_number<std::uint64_t>(text, "--deadline"));
  if (seconds > kMostSeconds) return usage("--deadline is at most a day");
  return seconds * 1000;
}

Result<std::string> parse_source(std::string_view text) {
  constexpr std::array<std::string_view, 9> kKinds = {"grub",    "bls",    "uki", "extlinux", "grub-legacy",
                                                      "freebsd", "netbsd", "elf", "efi"};
  if (!text.empty() && std::ranges::find(kKinds, text) == kKinds.end())
    return usage("--source is grub, bls, uki, extlinux, grub-legacy, freebsd, netbsd, elf or efi, not '" +
                 std::string(text) + "'");
  return std::string(text);
}

Result<protocol::GrubenvMode> parse_grubenv(std::string_view text) {
  if (text == "read") return protocol::GrubenvMode::kRead;
  if (text == "write") return protocol::GrubenvMode::kWrite;
  if (text == "ignore") return protocol::GrubenvMode::kIgnore;
  return usage("--grubenv is read, write or ignore, not '" + std::string(text) + "'");
}

Result<AppliancePolicy> parse_appliance(std::string_view text) {
  if (text == "never") return AppliancePolicy::kNever;
  if (text == "auto") return AppliancePolicy::kAuto;
  if (text == "always") return AppliancePolicy::kAlways;
  return usage("--appliance is auto, never or always, not '" + std::string(text) + "'");
}

void apply_flag(Options& options, int letter) {
  switch (letter) {
    case 'q':
      options.quiet = true;
      options.interactive = false;
      break;
    case 'i':
      options.interactive = true;
      options.quiet = false;
      break;
    case 'l':
      options.list_entries = true;
      break;
    case 'n':
      options.not_really = true;
      break;
    case kIsConfiguration:
      options.is_configuration = true;
      break;
    case kDebug:
      options.debug = true;
      break;
    case kExplain:
      options.explain = true;
      break;
    case kSandboxReport:
      options.sandbox_report = true;
      break;
    case kAllowLandlockOnly:
      options.allow_landlock_only = true;
      break;
    case kNoBootImage:
      options.no_boot_image = true;
      break;
    case kBootHypervisor:
      options.boots_hypervisor = true;
      break;
    case kSha256:
      options.sha256 = true;
      break;
    case kInspect:
      options.inspect = true;
      break;
    default:
      break;
  }
}

// --module-as says what becomes of the --module before it.
Result<void> apply_module_form(Options& options, std::string_view form) {
  constexpr std::string_view kInitrd = "initrd:";
  if (options.modules.empty()) return usage("--module-as goes behind the --module that it is about");
  std::string& name = options.modules.back().ramdisk_name;
  if (form == "raw") {
    name.clear();
  } else if (form.starts_with(kInitrd) && form.size() > kInitrd.size()) {
    name = form.substr(kInitrd.size());
    // As GRUB has it for newc:, and the kernel unpacks from its root.
    name.erase(0, std::min(name.find_first_not_of('/'), name.size()));
    if (name.empty() || name.size() > limits::kPathBytes || name == "TRAILER!!!")
      return usage("--module-as=" + std::string(form) + " names no file");
  } else {
    return usage("--module-as is raw or initrd:NAME, not '" + std::string(form) + "'");
  }
  return {};
}

// The options that decide what is started.
Result<void> apply_boot_value(Options& options, int letter, const std::string& value) {
  switch (letter) {
    case kBoot: {
      PVHGRUB_TRY_ASSIGN(options.boot, protocol::parse_boot_request(value));
      break;
    }
    case kGuestType: {
      PVHGRUB_TRY_ASSIGN(options.guest_type, protocol::parse_guest_type(value));
      break;
    }
    case kFirmware:
      PVHGRUB_TRY(check_firmware_choice(value));
      options.firmware = value;
      break;
    case kShim:
      options.shim = value;
      break;
    case kKernelFormat: {
      PVHGRUB_TRY_ASSIGN(options.kernel_format, protocol::parse_kernel_format(value));
      break;
    }
    case kModule:
      options.modules.push_back({value, ""});
      break;
    case kModuleAs:
      return apply_module_form(options, value);
    default:
      break;
  }
  return {};
}

// As in pygrub, the last of an option that is given twice counts: xl puts bootloader_args behind its own.
Result<void> apply_value(Options& options, int letter, const std::string& value) {
  switch (letter) {
    case kOutput:
      options.output = value;
      break;
    case kOutputFormat: {
      PVHGRUB_TRY_ASSIGN(options.output_format, protocol::parse_result_format(value));
      break;
    }
    case kOutputDirectory:
      options.output_directory = value;
      break;
    case kKernel:
      options.kernel = value;
      break;
    case kRamdisk:
      options.ramdisk = value;
      break;
    case kArguments:
      options.arguments = value;
      break;
    case kDisk:
      options.more_disks.push_back(value);
      break;
    case kEntry:
      options.entry = value;
      break;
    case kOffset: {
      PVHGRUB_TRY_ASSIGN(options.offset, parse_number<std::uint64_t>(value, "--offset"));
      break;
    }
    case kRunAs: {
      PVHGRUB_TRY_ASSIGN(options.run_as, parse_number<uid_t>(value, "--runas"));
      break;
    }
    case kEvaluate:
      options.evaluate = value;
      break;
    case kGrubPlatform:
      options.grub_platform = value;
      break;
    case kSource: {
      PVHGRUB_TRY_ASSIGN(options.source, parse_source(value));
      break;
    }
    case kConfiguration:
      options.configuration = value;
      break;
    case kGrubenv: {
      PVHGRUB_TRY_ASSIGN(options.grubenv, parse_grubenv(value));
      break;
    }
    case kBoot:
    case kGuestType:
    case kFirmware:
    case kShim:
    case kKernelFormat:
    case kModule:
    case kModuleAs:
      return apply_boot_value(options, letter, value);
    case kAppliance: {
      PVHGRUB_TRY_ASSIGN(options.appliance, parse_appliance(value));
      break;
    }
    case kDeadline: {
      PVHGRUB_TRY_ASSIGN(options.deadline_milliseconds, parse_deadline(value));
      break;
    }
    default:
      break;
  }
  return {};
}

Result<void> check_boot(const Options& options) {
  const bool extended = options.output_format == protocol::ResultFormat::kJson ||
                        options.output_format == protocol::ResultFormat::kSimple0Extended;
  const bool raw = std::ranges::any_of(options.modules, [](const ModuleOption& module) {
    return module.path.empty() || module.ramdisk_name.empty();
  });
  if (raw && !extended)
    return usage(
        "--module is told to the toolstack by --output-format=json or simple0-extended only; with the others "
        "give --module-as=initrd:NAME");
  if (options.inspect && (options.list_entries || options.is_configuration || options.evaluate))
    return usage("--inspect goes with neither --list-entries, --isconfig nor --eval");
  return {};
}

Result<void> check(Options& options) {
  const bool needs_no_disk = options.sandbox_report || options.evaluate;
  if (options.disk.empty() && !needs_no_disk) return usage("no disk was given");
  if (options.evaluate && (options.list_entries || options.is_configuration))
    return usage("--eval goes with neither --list-entries nor --isconfig");
  if (options.is_configuration && options.kernel)
    return usage("--isconfig has no disk to take --kernel from");
  if (options.is_configuration && options.configuration)
    return usage("--config names a file on a disk, and --isconfig is a file without one");
  if (options.is_configuration && !options.more_disks.empty())
    return usage("--isconfig takes one configuration and no disk");
  if (options.disks().size() > limits::kDisks)
    return usage("more than " + std::to_string(limits::kDisks) + " disks were given");
  if (options.is_configuration && options.offset)
    return usage("--offset goes with a disk, not with --isconfig");
  if (options.appliance != AppliancePolicy::kNever && options.offset)
    return usage("--appliance reads whole disks, so it does not go with --offset");
  if (options.run_as == uid_t{0}) return usage("--runas=0 would run the worker as root");
  // xl passes these with nothing behind them where xl.cfg says so; that means the same as leaving them out.
  for (std::optional<std::string>* value :
       {&options.kernel, &options.ramdisk, &options.entry, &options.configuration})
    if (*value && (*value)->empty()) value->reset();
  return check_boot(options);
}

// The words of one command line, applied to `options`. `known` is asked for each option that is given.
using OptionCheck = std::function<Result<void>(std::string_view name)>;

std::string_view long_name(int letter) {
  const auto* const found = std::ranges::find(kLongOptions, letter, &option::val);
  return found != kLongOptions.end() ? std::string_view(found->name) : std::string_view();
}

Result<std::optional<InformationText>> apply_words(Options& options, std::vector<std::string> words,
                                                   const OptionCheck& check_option) {
  // getopt_long moves the words about and wants them writable.
  words.insert(words.begin(), "pvhgrub");
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int count = static_cast<int>(words.size());
  optind = 0;  // start anew
  opterr = 0;
  for (;;) {
    const int at = optind == 0 ? 1 : optind;
    const int letter = getopt_long(count, pointers.data(), ":qilnh", kLongOptions.data(), nullptr);
    if (letter == -1) break;
    if (letter == 'h') return InformationText{kHelp};
    if (letter == kVersionOption) return InformationText{std::string("pvhgrub ") + kVersion + "\n"};
    if (letter == '?')
      return usage("unknown or ambiguous option " + std::string(pointers[static_cast<std::size_t>(at)]));
    if (letter == ':')
      return usage("a value is missing after " + std::string(pointers[static_cast<std::size_t>(at)]));
    PVHGRUB_TRY(check_option(long_name(letter)));
    apply_flag(options, letter);
    if (optarg != nullptr) PVHGRUB_TRY(apply_value(options, letter, optarg));
  }
  // The disks in their order; those of --disk follow.
  std::vector<std::string> disks;
  for (; optind < count; ++optind) disks.emplace_back(pointers[static_cast<std::size_t>(optind)]);
  disks.insert(disks.end(), options.more_disks.begin(), options.more_disks.end());
  if (!disks.empty()) {
    options.disk = disks.front();
    options.more_disks.assign(disks.begin() + 1, disks.end());
  }
  return std::optional<InformationText>();
}

}  // namespace

Result<Options> options_of_host(const HostConfiguration& host) {
  Options options;
  for (const HostOption& line : host.options) {
    HostConfiguration one;
    one.options.push_back(line);
    const auto applied =
        apply_words(options, one.as_arguments(), [](std::string_view) { return Result<void>(); });
    if (!applied) return std::unexpected(at(host.place_of(line), applied.error()));
  }
  options.kernel_limit = host.kernel_bytes;
  options.ramdisk_limit = host.ramdisk_bytes;
  return options;
}

Result<std::variant<Options, InformationText>> parse_options(int argc, const char* const* argv,
                                                             const HostConfiguration& host) {
  PVHGRUB_TRY_ASSIGN(Options options, options_of_host(host));
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i)
    if (*argv[i] != '\0') words.emplace_back(argv[i]);
  PVHGRUB_TRY_ASSIGN(const auto information,
                     apply_words(options, std::move(words),
                                 [&](std::string_view name) { return host.check_override(name); }));
  if (information) return *information;
  PVHGRUB_TRY(check(options));
  return options;
}

}  // namespace pvhgrub::broker
