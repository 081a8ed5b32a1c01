// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB 2's way of reading the menu of GRUB Legacy: legacy_source and its kin translate it into a script,
// which calls legacy_kernel and legacy_initrd.
#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/configuration_file.h"
#include "grubcfg/file_access.h"
#include "grubcfg/kernel_format.h"
#include "grubcfg/legacy_translation.h"

namespace pvhgrub::grubcfg {

namespace {

/// Translates a file and runs what stands before its first title.
class LegacyFileReader {
 public:
  LegacyFileReader(Evaluator& evaluator, std::string name) : evaluator_(evaluator), name_(std::move(name)) {}

  Result<Status> read(std::string_view bytes);

 private:
  Result<void> take_line(std::string_view raw);
  Result<void> run(std::string script, std::uint32_t line);
  Result<void> run_header_line(std::string script);
  Result<void> add_entry(bool is_last);
  Result<void> count_script(std::size_t size);

  Evaluator& evaluator_;
  std::string name_;
  std::uint32_t line_ = 0;
  bool in_entry_ = false;
  std::string title_;
  std::uint32_t body_line_ = 0;
  std::string body_;
  std::string at_end_;
  std::string pending_error_;
  std::size_t script_bytes_ = 0;
};

Result<void> LegacyFileReader::count_script(std::size_t size) {
  script_bytes_ += size;
  if (script_bytes_ > limits::kLegacyScriptBytes)
    return fail(ErrorCode::kLimit,
                "more than " + std::to_string(limits::kLegacyScriptBytes) + " bytes of script from one menu",
                name_ + ":" + std::to_string(line_));
  return evaluator_.session().budget.charge_steps(1 + size / 64, "translating a menu of GRUB Legacy");
}

Result<void> LegacyFileReader::run(std::string script, std::uint32_t line) {
  PVHGRUB_TRY(
      evaluator_.run_text(SourceRange::whole(SourceText::from_string(std::move(script), name_, line))));
  return {};
}

// What runs prints the errors that are pending.
Result<void> LegacyFileReader::run_header_line(std::string script) {
  PVHGRUB_TRY(run(std::move(script), line_));
  if (!pending_error_.empty())
    evaluator_.session().diagnostics.notice(name_ + ":" + std::to_string(line_),
                                            "error: " + pending_error_ + ".");
  pending_error_.clear();
  return {};
}

// GRUB gives all entries but the last to the user "legacy".
Result<void> LegacyFileReader::add_entry(bool is_last) {
  Session& session = evaluator_.session();
  if (++session.menu_entries > limits::kMenuEntries)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kMenuEntries) + " menu entries",
                name_ + ":" + std::to_string(line_));
  PVHGRUB_TRY(session.budget.charge_bytes(
      sizeof(MenuEntry) + sizeof(EntryBody) + 2 * title_.size() + body_.size(), "making menu entries"));
  MenuEntry entry;
  entry.title = title_;
  entry.id = std::move(title_);
  entry.restricted = !is_last;
  if (!is_last) entry.users = {std::string(kLegacyUser)};
  evaluator_.menu().entries.push_back(std::move(entry));
  evaluator_.menu().bodies.push_back(
      {SourceRange::whole(SourceText::from_string(std::exchange(body_, {}), name_, body_line_)), {}});
  return {};
}

Result<void> LegacyFileReader::take_line(std::string_view raw) {
  std::string line(raw.substr(0, raw.find('\0')));
  std::erase(line, '\r');
  LegacyTranslation translation = translate_legacy_line(line, in_entry_);
  PVHGRUB_TRY(count_script(translation.text.size()));
  pending_error_ = std::move(translation.error);
  switch (translation.kind) {
    case LegacyTranslation::Kind::kTitle:
      if (in_entry_) PVHGRUB_TRY(add_entry(false));
      in_entry_ = true;
      title_ = std::move(translation.text);
      body_line_ = line_ + 1;
      break;
    case LegacyTranslation::Kind::kAtEnd:
      at_end_ += translation.text;
      if (in_entry_) body_ += "\n";
      break;
    case LegacyTranslation::Kind::kScript:
      if (!in_entry_ && !translation.text.empty()) return run_header_line(std::move(translation.text));
      body_ += translation.text;
      break;
  }
  return {};
}

Result<Status> LegacyFileReader::read(std::string_view bytes) {
  while (!bytes.empty()) {
    ++line_;
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    PVHGRUB_TRY(take_line(bytes.substr(0, end)));
    if (evaluator_.ending() != Ending::kNone) return kStatusOk;
    // GRUB takes an error that is pending for one of reading the next line, and gives up.
    if (!pending_error_.empty()) return evaluator_.raise(kStatusBadArgument, pending_error_);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  if (in_entry_) PVHGRUB_TRY(add_entry(true));
  PVHGRUB_TRY(run(std::move(at_end_), line_));
  return kStatusOk;
}

Result<Status> read_legacy_file(Evaluator& evaluator, const std::string& name) {
  FileAccess files(evaluator);
  const std::optional<FileReference> file = files.locate(name);
  if (!file) return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> bytes, files.read(*file, limits::kConfigurationBytes));
  if (!bytes) return evaluator.error();
  evaluator.session().diagnostics.explain("reading the menu of GRUB Legacy " + file->to_string());
  return LegacyFileReader(evaluator, file->to_string()).read(*bytes);
}

Result<Status> run_legacy_source(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "file name required");
  return read_legacy_file(evaluator, call.arguments[0]);
}

Result<Status> run_legacy_configfile(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "file name required");
  const std::string& name = call.arguments[0];
  return run_in_new_context(evaluator, "grub-legacy", name,
                            [&] { return read_legacy_file(evaluator, name); });
}

Result<Status> run_extract_legacy_source(Evaluator& evaluator, const CommandCall& call) {
  const Environment outer = evaluator.environment();
  ++evaluator.state().extractor_level;
  PVHGRUB_TRY_ASSIGN(const Status status, run_legacy_source(evaluator, call));
  --evaluator.state().extractor_level;
  if (evaluator.ending() == Ending::kNone) evaluator.environment() = outer;
  return status;
}

Result<Status> run_extract_legacy_configfile(Evaluator& evaluator, const CommandCall& call) {
  ++evaluator.state().extractor_level;
  const Result<Status> status = run_legacy_configfile(evaluator, call);
  --evaluator.state().extractor_level;
  return status;
}

Result<Status> run_command(Evaluator& evaluator, std::string_view name,
                           std::span<const std::string> arguments) {
  return find_command(name)->run(evaluator, {name, arguments});
}

/// Without a disk a kernel may be anything.
Result<bool> may_be(Evaluator& evaluator, const std::string& name, KernelFormat wanted) {
  const std::optional<FileReference> file = FileAccess(evaluator).locate(name);
  evaluator.clear_error();
  if (!file) return false;
  Session& session = evaluator.session();
  PVHGRUB_TRY_ASSIGN(const KernelFormat format,
                     kernel_format({session.devices, session.budget}, *file, session.budget));
  return format == wanted || format == KernelFormat::kUnknown ||
         (wanted == KernelFormat::kMultiboot && format == KernelFormat::kCompressed);
}

/// GRUB has the 16-bit commands on a BIOS only.
bool is_bios(Evaluator& evaluator) {
  return evaluator.session().settings.platform == "pc";
}

/// Takes the option, if the word is one.
bool take_kernel_option(std::string_view word, LegacyKernel& type) {
  if (word == "--no-mem-option") return true;
  constexpr std::array<std::pair<std::string_view, LegacyKernel>, 6> kTypes = {
      {{"--type=linux", LegacyKernel::kLinux},
       {"--type=biglinux", LegacyKernel::kLinux},
       {"--type=multiboot", LegacyKernel::kMultiboot},
       {"--type=freebsd", LegacyKernel::kFreeBsd},
       {"--type=openbsd", LegacyKernel::kOpenBsd},
       {"--type=netbsd", LegacyKernel::kNetBsd}}};
  for (const auto& [option, kernel] : kTypes) {
    if (word != option) continue;
    type = kernel;
    return true;
  }
  return false;
}

/// The command for a kernel that is none of Linux or Multiboot.
std::string_view bsd_command(LegacyKernel type) {
  if (type == LegacyKernel::kFreeBsd) return "kfreebsd";
  return type == LegacyKernel::kNetBsd ? "knetbsd" : "kopenbsd";
}

// legacy_kernel [OPTION]... FILE NAME [ARGUMENT]...: FILE is by GRUB 2's syntax, NAME what the menu has.
Result<Status> run_legacy_kernel(Evaluator& evaluator, const CommandCall& call) {
  std::span<const std::string> arguments = call.arguments;
  LegacyKernel& type = evaluator.state().legacy_kernel;
  for (int i = 0; i < 2 && !arguments.empty() && take_kernel_option(arguments[0], type); ++i)
    arguments = arguments.subspan(1);
  if (arguments.size() < 2) return evaluator.raise(kStatusBadArgument, "filename expected");
  const std::string& name = arguments[0];
  std::vector<std::string> without_name = {name};
  without_name.insert(without_name.end(), arguments.begin() + 2, arguments.end());
  Status status = kStatusBadOs;
  if (type == LegacyKernel::kGuess || type == LegacyKernel::kLinux) {
    PVHGRUB_TRY_ASSIGN(const bool is_linux, may_be(evaluator, name, KernelFormat::kLinux));
    if (is_linux) {
      PVHGRUB_TRY_ASSIGN(status,
                         run_command(evaluator, is_bios(evaluator) ? "linux16" : "linux", without_name));
    }
    if (status == kStatusOk) type = LegacyKernel::kLinux;
  }
  if (status != kStatusOk && (type == LegacyKernel::kGuess || type == LegacyKernel::kMultiboot)) {
    PVHGRUB_TRY_ASSIGN(const bool is_multiboot, may_be(evaluator, name, KernelFormat::kMultiboot));
    if (is_multiboot) {
      PVHGRUB_TRY_ASSIGN(status, run_command(evaluator, "multiboot", arguments));
    }
    if (status == kStatusOk) type = LegacyKernel::kMultiboot;
  } else if (status != kStatusOk && type != LegacyKernel::kLinux) {
    PVHGRUB_TRY_ASSIGN(status, run_command(evaluator, bsd_command(type), without_name));
  }
  if (status == kStatusOk) {
    evaluator.clear_error();
    return status;
  }
  return evaluator.raise(kStatusBadOs, "couldn't load file " + name);
}

// legacy_initrd FILE NAME [ARGUMENT]...
Result<Status> run_legacy_initrd(Evaluator& evaluator, const CommandCall& call) {
  const bool is_nounzip = call.name == "legacy_initrd_nounzip";
  if (evaluator.state().legacy_kernel == LegacyKernel::kLinux) {
    const std::size_t count =
        is_nounzip ? call.arguments.size() : std::min<std::size_t>(call.arguments.size(), 1);
    return run_command(evaluator, is_bios(evaluator) ? "initrd16" : "initrd", call.arguments.first(count));
  }
  if (evaluator.state().legacy_kernel == LegacyKernel::kMultiboot)
    return run_command(evaluator, "module", call.arguments);
  return evaluator.raise(kStatusBadArgument, "you need to load the kernel first");
}

constexpr std::array kCommands = {
    CommandEntry{"legacy_source", run_legacy_source},
    CommandEntry{"legacy_configfile", run_legacy_configfile},
    CommandEntry{"extract_legacy_entries_source", run_extract_legacy_source},
    CommandEntry{"extract_legacy_entries_configfile", run_extract_legacy_configfile},
    CommandEntry{"legacy_kernel", run_legacy_kernel},
    CommandEntry{"legacy_initrd", run_legacy_initrd},
    CommandEntry{"legacy_initrd_nounzip", run_legacy_initrd},
};

}  // namespace

std::span<const CommandEntry> legacy_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
