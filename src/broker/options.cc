// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/options.h"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "src/broker/version.h"

namespace pvhgrub::broker {
namespace {

constexpr const char* kHelp =
    R"(usage: pvhgrub [OPTION]... DISK

Boots a Linux guest's own choice of kernel: reads the boot configuration on DISK (an image file or block device) in a
sandbox and hands kernel, ramdisk and command line to the toolstack. In xl.cfg: bootloader = "pvhgrub"

As pygrub:
  -q, --quiet               boot the default entry, ask nobody
  -i, --interactive         the opposite of --quiet
  -l, --list-entries        list the boot entries (as JSON with --output-format=json)
  -n, --not-really          choose and check, but copy nothing
  -h, --help                print this
  --output=FILE             write the result here; '-', the default, is standard output
  --output-format=FORMAT    sxp (the default), simple, simple0, json
  --output-directory=DIR    put kernel and ramdisk here (default /var/run/xen/pygrub)
  --kernel=PATH             boot this file of the guest, read no boot configuration
  --ramdisk=PATH            take this file of the guest as the ramdisk
  --args=ARGS               append to the kernel's command line
  --entry=ENTRY             boot this entry: index, title, id, glob, or a path of them ('1>0')
  --offset=BYTES            the file system begins here on DISK, no partition table is read
  --runas=UID               user id of the confined worker, never 0
  --isconfig                DISK is a boot configuration file instead
  --debug                   say still more than --explain

And also:
  --explain                 tell each step from disk to choice, and why, on standard error
  --eval=FILE               run a GRUB script ('-': standard input) and boot nothing; DISK may be left out
  --source=KIND             follow only this kind of boot configuration: grub, bls, uki, extlinux, grub-legacy
  --config=PATH             follow this file of the guest, (device)/path or /path
  --grubenv=MODE            the guest's environment block: read (the default; one-shot entries are not followed),
                            write (as GRUB: also what it saves), ignore
  --no-boot-image           leave BOOT_IMAGE= out of the command line
  --boot-hypervisor         of a Xen entry, boot Xen itself and give it the Linux kernel as its module
  --grub-platform=NAME      what $grub_platform says (default xen_pvh)
  --deadline=SECONDS        give up after so long (default 120; 0: never)
  --sandbox-report          tell which layers confine the worker; DISK may be left out
  --allow-landlock-only     where namespaces cannot be had, let Landlock alone hide the host's files
  --version                 print the version

Exit status: 0 result written, 1 error, 2 usage, 3 no sandbox, 4 nothing to boot, 5 guest damaged, 6 limit or deadline.
)";

// Long options without a letter of their own begin above all characters.
enum LongOption : int {
  kOutput = 256,
  kOutputFormat,
  kOutputDirectory,
  kKernel,
  kRamdisk,
  kArguments,
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
  kDeadline,
  kSandboxReport,
  kAllowLandlockOnly,
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
    option{"deadline", required_argument, nullptr, kDeadline},
    option{"sandbox-report", no_argument, nullptr, kSandboxReport},
    option{"allow-landlock-only", no_argument, nullptr, kAllowLandlockOnly},
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
  constexpr std::array<std::string_view, 5> kKinds = {"grub", "bls", "uki", "extlinux", "grub-legacy"};
  if (!text.empty() && std::ranges::find(kKinds, text) == kKinds.end())
    return usage("--source is grub, bls, uki, extlinux or grub-legacy, not '" + std::string(text) + "'");
  return std::string(text);
}

Result<protocol::GrubenvMode> parse_grubenv(std::string_view text) {
  if (text == "read") return protocol::GrubenvMode::kRead;
  if (text == "write") return protocol::GrubenvMode::kWrite;
  if (text == "ignore") return protocol::GrubenvMode::kIgnore;
  return usage("--grubenv is read, write or ignore, not '" + std::string(text) + "'");
}

void apply_flag(Options& options, int letter) {
  switch (letter) {
    case 'q':
      options.quiet = true;
      break;
    case 'i':
      options.interactive = true;
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
    default:
      break;
  }
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
    case kDeadline: {
      PVHGRUB_TRY_ASSIGN(options.deadline_milliseconds, parse_deadline(value));
      break;
    }
    default:
      break;
  }
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
  if (options.is_configuration && options.offset)
    return usage("--offset goes with a disk, not with --isconfig");
  if (options.run_as == uid_t{0}) return usage("--runas=0 would run the worker as root");
  // xl passes these with nothing behind them where xl.cfg says so; that means the same as leaving them out.
  for (std::optional<std::string>* value :
       {&options.kernel, &options.ramdisk, &options.entry, &options.configuration})
    if (*value && (*value)->empty()) value->reset();
  return {};
}

}  // namespace

Result<std::variant<Options, InformationText>> parse_options(int argc, const char* const* argv) {
  Options options;
  // getopt_long moves the words about and wants them writable.
  std::vector<std::string> words;
  for (int i = 0; i < argc; ++i)
    if (i == 0 || *argv[i] != '\0') words.emplace_back(argv[i]);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int count = static_cast<int>(words.size());
  optind = 0;  // start anew, also in a test program that parses many command lines
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
    apply_flag(options, letter);
    if (optarg != nullptr) PVHGRUB_TRY(apply_value(options, letter, optarg));
  }
  if (count - optind > 1) return usage("more than one disk was given");
  if (optind < count) options.disk = pointers[static_cast<std::size_t>(optind)];
  PVHGRUB_TRY(check(options));
  return options;
}

}  // namespace pvhgrub::broker
