// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/program.h"

#include <unistd.h>

#include <algorithm>

#include "base/escape.h"
#include "protocol/descriptors.h"
#include "protocol/inspection.h"
#include "src/broker/appliance_process.h"
#include "src/broker/console.h"
#include "src/broker/console_wait.h"
#include "src/broker/environment_writer.h"
#include "src/broker/guest_disk.h"
#include "src/broker/guest_type.h"
#include "src/broker/host_configuration.h"
#include "src/broker/host_files.h"
#include "src/broker/options.h"
#include "src/broker/output_digest.h"
#include "src/broker/output_files.h"
#include "src/broker/request_handler.h"
#include "src/broker/worker_session.h"

namespace pvhgrub::broker {
namespace {

using protocol::Mode;

Mode mode_of(const Options& options) {
  if (options.sandbox_report) return Mode::kReport;
  if (options.evaluate) return Mode::kEvaluate;
  if (options.inspect) return Mode::kInspect;
  return options.list_entries ? Mode::kList : Mode::kBoot;
}

protocol::Request request_of(const Options& options) {
  protocol::Request request;
  request.mode = mode_of(options);
  request.bare_configuration = options.is_configuration;
  request.has_script = options.is_configuration || request.mode == Mode::kEvaluate;
  request.script_name = options.is_configuration ? options.disk : options.evaluate.value_or("");
  if (request.script_name == "-") request.script_name = "standard input";
  // A bare configuration has no files to copy; it is told what would be.
  request.not_really = options.not_really || options.is_configuration;
  request.explain = options.explain || options.debug;
  request.entry = options.entry;
  request.kernel = options.kernel;
  request.ramdisk = options.ramdisk;
  request.arguments = options.arguments;
  request.grub_platform = options.grub_platform;
  request.source = options.source;
  request.configuration = options.configuration;
  request.grubenv = options.grubenv;
  request.no_boot_image = options.no_boot_image;
  request.boots_hypervisor = options.boots_hypervisor;
  request.boot = options.boot;
  request.guest_type = options.guest_type.value_or(protocol::GuestType::kUnknown);
  request.kernel_format = options.kernel_format;
  request.kernel_limit = options.kernel_limit;
  request.ramdisk_limit = options.ramdisk_limit;
  return request;
}

// As pygrub: whoever names the entry or the kernel is not asked, nor where nobody can answer.
bool asks_a_person(const Options& options) {
  if (mode_of(options) != Mode::kBoot || options.entry || options.kernel || options.quiet) return false;
  // Firmware shows what the guest's own boot loader shows.
  if (options.boot == protocol::BootRequest::kFirmware) return false;
  return options.interactive || (!options.is_configuration && can_ask_a_person());
}

// The error's text without its place, which stands elsewhere.
std::string why(Error error) {
  error.where.clear();
  return error.describe();
}

class Program {
 public:
  /// `script`: what --isconfig or --eval named, loaded; not valid without them.
  Program(const Options& options, Console& console, Termination& termination, UniqueFd script,
          HostFiles host_files)
      : options_(options),
        console_(console),
        termination_(termination),
        request_(request_of(options)),
        script_(std::move(script)),
        host_files_(std::move(host_files)) {}

  Result<ExitStatus> run() {
    // A build without the menu asks nobody, unless it was told to.
    if (asks_a_person(options_) && (options_.interactive || find_worker(true))) {
      PVHGRUB_TRY_ASSIGN(MenuTerminal terminal, MenuTerminal::open());
      terminal_.emplace(std::move(terminal));
      request_.terminal = MenuTerminal::describe(title());
    }
    switch (request_.mode) {
      case Mode::kBoot:
        return options_.is_configuration ? show_bare_choice() : boot();
      case Mode::kList:
      case Mode::kReport:
        PVHGRUB_TRY(open_disks());
        PVHGRUB_TRY(ask(nullptr));
        return ExitStatus::kSuccess;
      case Mode::kInspect:
        PVHGRUB_TRY(open_disks());
        PVHGRUB_TRY(ask(nullptr));
        PVHGRUB_TRY(console_.print(protocol::format_inspection(
            handler_->facts(), options_.output_format == protocol::ResultFormat::kJson)));
        return ExitStatus::kSuccess;
      case Mode::kEvaluate: {
        PVHGRUB_TRY(open_disks());
        PVHGRUB_TRY_ASSIGN(const protocol::VerdictMessage verdict, ask(nullptr));
        return verdict.script_status ? ExitStatus::kSuccess : ExitStatus::kError;
      }
    }
    return fail(ErrorCode::kInternal, "a mode without a handler");
  }

 private:
  // Asks a worker; with --appliance=auto once more, beside the appliance, where a reader is all that was
  // missing.
  Result<protocol::VerdictMessage> ask(ExtentCopier* copier) {
    started_ = monotonic_milliseconds();
    if (options_.appliance == AppliancePolicy::kAlways && !request_.disks.empty())
      PVHGRUB_TRY(start_appliance(protocol::ApplianceUse::kAll));
    auto verdict = ask_worker(copier);
    const bool nothing_sent = copier == nullptr || (!copier->path(protocol::OutputKind::kKernel) &&
                                                    !copier->path(protocol::OutputKind::kRamdisk));
    if (verdict || !lacks_reader_) return verdict;
    if (options_.appliance == AppliancePolicy::kNever && !options_.offset)
      console_.notice("", "what has no reader here may be read with --appliance=auto, by libguestfs");
    if (options_.appliance != AppliancePolicy::kAuto || !nothing_sent) return verdict;
    console_.discard();
    console_.notice("", verdict.error().describe());
    console_.notice("", "trying once more with the appliance (--appliance=auto)");
    PVHGRUB_TRY(start_appliance(protocol::ApplianceUse::kMissing));
    return ask_worker(copier);
  }

  Result<void> start_appliance(protocol::ApplianceUse use) {
    PVHGRUB_TRY_ASSIGN(const std::string path, find_appliance());
    std::vector<ApplianceDisk> disks;
    disks.reserve(disks_.size());
    for (const GuestDisk& disk : disks_) disks.push_back({disk.fd.get(), disk.facts.size});
    PVHGRUB_TRY_ASSIGN(ApplianceProcess started,
                       ApplianceProcess::start(path, options_.run_as, disks, console_));
    appliance_.emplace(std::move(started));
    request_.appliance = use;
    return {};
  }

  // What a person reads above the menu.
  [[nodiscard]] std::string title() const {
    std::string text;
    if (const auto domain = domain_of_output_directory(options_.output_directory)) {
      text = domain_name_from_xenstore(*domain);
      text +=
          (text.empty() ? "domain " : " (domain ") + std::to_string(*domain) + (text.empty() ? ", " : "), ");
    }
    return text + options_.disk;
  }

  // Opens what the request needs, runs one worker on it, and leaves what it said in handler_.
  Result<protocol::VerdictMessage> ask_worker(ExtentCopier* copier) {
    SessionSettings settings;
    PVHGRUB_TRY_ASSIGN(settings.worker_path, find_worker(terminal_.has_value()));
    settings.run_as = options_.run_as;
    settings.allow_landlock_only = options_.allow_landlock_only;
    settings.deadline_milliseconds = options_.deadline_milliseconds;
    settings.started_milliseconds = started_;
    settings.appliance = appliance_ ? &*appliance_ : nullptr;
    settings.terminal = terminal_ ? terminal_->fd() : -1;
    settings.shows_progress = terminal_.has_value() && copier != nullptr;

    std::vector<sandbox::FdGrant> descriptors;
    if (script_.valid()) descriptors.push_back({script_.get(), protocol::kScriptDescriptor});
    for (const GuestDisk& disk : disks_)
      descriptors.push_back({disk.fd.get(), static_cast<int>(disk.facts.descriptor)});
    request_.host_files.clear();
    host_files_.add_to(request_, protocol::kFirstDiskDescriptor + static_cast<int>(request_.disks.size()),
                       descriptors);

    std::unique_ptr<protocol::ListingWriter> listing;
    if (request_.mode == Mode::kList)
      listing = options_.output_format == protocol::ResultFormat::kJson ? protocol::make_json_listing()
                                                                        : protocol::make_text_listing();
    protocol::ListingWriter* const writer = listing.get();
    handler_.emplace(console_, std::move(listing), copier, options_.sandbox_report,
                     terminal_ ? &*terminal_ : nullptr);
    WorkerSession session(std::move(settings), termination_, copier);
    auto asked = session.run(request_, descriptors, *handler_);
    console_.hold(false);
    lacks_reader_ = session.lacks_reader();
    PVHGRUB_TRY_ASSIGN(protocol::VerdictMessage verdict, std::move(asked));
    if (writer != nullptr) PVHGRUB_TRY(console_.print(writer->end()));
    PVHGRUB_TRY(console_.flush());
    return verdict;
  }

  // Does nothing where no disk was named, or what was named is a configuration.
  Result<void> open_disks() {
    for (const std::string& path : options_.disks()) {
      PVHGRUB_TRY_ASSIGN(GuestDisk disk, open_guest_disk(path));
      disk.facts.descriptor = static_cast<std::uint32_t>(protocol::kFirstDiskDescriptor) +
                              static_cast<std::uint32_t>(disks_.size());
      if (disks_.empty()) disk.facts.offset = options_.offset;
      request_.disks.push_back(disk.facts);
      disks_.push_back(std::move(disk));
    }
    return {};
  }

  Result<ExitStatus> boot() {
    PVHGRUB_TRY_ASSIGN(ResultFile result_file, ResultFile::open(options_.output));
    const Result<void> done = boot_into(result_file);
    if (done) return ExitStatus::kSuccess;
    result_file.clear();
    return std::unexpected(done.error());
  }

  Result<void> boot_into(ResultFile& result_file) {
    PVHGRUB_TRY(open_disks());
    open_for_writing(result_file);
    std::shared_ptr<OutputDirectory> directory;
    if (!options_.not_really) {
      PVHGRUB_TRY_ASSIGN(directory, OutputDirectory::open(options_.output_directory));
    }
    std::vector<int> sources;
    sources.reserve(disks_.size() + host_files_.descriptors().size());
    for (const GuestDisk& disk : disks_) sources.push_back(disk.fd.get());
    for (const int fd : host_files_.descriptors()) sources.push_back(fd);
    ExtentCopier copier(std::move(sources), directory);
    if (!options_.not_really)
      for (const HostModule& module : host_files_.modules())
        PVHGRUB_TRY(copier.add_module(module.fd.get(), module.size));
    PVHGRUB_TRY(ask(options_.not_really ? nullptr : &copier));
    PVHGRUB_TRY(copier.finish());
    PVHGRUB_TRY_ASSIGN(const protocol::BootResult result, result_of(copier));
    PVHGRUB_TRY_ASSIGN(const std::string record,
                       protocol::format_boot_result(result, options_.output_format));
    // All that can fail for other reasons is done. GRUB, too, writes before it boots.
    PVHGRUB_TRY(write_environment());
    PVHGRUB_TRY(result_file.write(record));
    copier.keep();
    return {};
  }

  Result<protocol::BootResult> result_of(const ExtentCopier& copier) {
    const protocol::ChoiceMessage& choice = *handler_->chosen();
    const protocol::DecisionMessage& decision = *handler_->decided();
    protocol::BootResult result;
    result.arguments = decision.command_line;
    protocol::BootDetails details;
    details.entry_id = choice.id;
    details.entry_title = choice.title;
    details.boot = protocol::boot_kind_name(decision.kind);
    details.reason = decision.reason;
    details.kernel_version = decision.kernel_version;
    details.kernel_description = decision.description;
    using Role = protocol::HostFile::Role;
    if (decision.kind == protocol::BootKind::kFirmware)
      details.firmware = host_files_.path_of(Role::kFirmware);
    if (decision.kind == protocol::BootKind::kShim) details.shim = host_files_.path_of(Role::kShim);
    if (options_.not_really) {
      const std::string& host_file = details.firmware.empty() ? details.shim : details.firmware;
      result.kernel = "<kernel:" + (host_file.empty() ? choice.kernel : host_file) + ">";
      if (!choice.initrds.empty() && decision.kind != protocol::BootKind::kFirmware)
        result.ramdisk = "<ramdisk:" + choice.initrds.front() + ">";
    } else {
      result.kernel = *copier.path(protocol::OutputKind::kKernel);
      result.ramdisk = copier.path(protocol::OutputKind::kRamdisk);
    }
    for (const ExtentCopier::Made& made : copier.made()) {
      protocol::BootModule module{made.path, made.size, ""};
      if (options_.sha256) {
        PVHGRUB_TRY_ASSIGN(module.sha256, sha256_of_file(made.fd, made.path));
      }
      details.modules.push_back(std::move(module));
    }
    result.details = std::move(details);
    return result;
  }

  // For --grubenv=write. Where the disk cannot be written, the worker must not follow what nobody would take
  // back.
  void open_for_writing(const ResultFile& result_file) {
    if (!request_.writes_environment()) return;
    request_.grubenv = protocol::GrubenvMode::kRead;
    if (options_.kernel) return;  // no boot configuration, so nothing to write
    Result<EnvironmentWriter> opened =
        result_file.is_named()
            ? open_environment_writer()
            : fail(ErrorCode::kUsage,
                   "the result goes to standard output, so nothing is booted (--output=FILE)");
    if (!opened) {
      console_.notice(opened.error().where,
                      "the guest's environment blocks are read only, in spite of --grubenv=write: " +
                          why(opened.error()));
      return;
    }
    environment_writer_.emplace(std::move(*opened));
    request_.grubenv = protocol::GrubenvMode::kWrite;
  }

  // Every disk must be writable: which of them holds the block is not known yet.
  Result<EnvironmentWriter> open_environment_writer() {
    PVHGRUB_TRY_ASSIGN(EnvironmentWriter writer, EnvironmentWriter::open(options_.disk, disks_.front()));
    for (std::size_t i = 1; i < disks_.size(); ++i)
      PVHGRUB_TRY(writer.add_disk(options_.more_disks[i - 1], disks_[i]));
    return writer;
  }

  Result<void> write_environment() {
    if (!environment_writer_) return {};
    const std::vector<protocol::EnvironmentMessage>& changes = handler_->environment_changes();
    PVHGRUB_TRY_ASSIGN(const auto refused,
                       environment_writer_->write(changes, &termination_, limits::kDiskLockMilliseconds));
    for (const protocol::EnvironmentMessage& change : changes)
      if (std::ranges::find(refused, change.name, &EnvironmentWriter::Refusal::name) == refused.end())
        console_.explain("written to the disk: " + change.name);
    for (const EnvironmentWriter::Refusal& refusal : refused)
      console_.notice(refusal.name, "what the guest's boot loader would have saved is not written: " +
                                        refusal.error.describe());
    return {};
  }

  // --isconfig without -l: pygrub's three lines.
  Result<ExitStatus> show_bare_choice() {
    PVHGRUB_TRY(ask(nullptr));
    const protocol::ChoiceMessage& choice = *handler_->chosen();
    std::string text = "  kernel: " + escape_for_terminal(choice.kernel) + "\n";
    for (const std::string& initrd : choice.initrds)
      text += "  initrd: " + escape_for_terminal(initrd) + "\n";
    text += "  args: " + escape_for_terminal(choice.command_line, limits::kCommandLineBytes * 4) + "\n";
    PVHGRUB_TRY(console_.print(text));
    return ExitStatus::kSuccess;
  }

  const Options& options_;
  Console& console_;
  Termination& termination_;
  protocol::Request request_;
  UniqueFd script_;
  HostFiles host_files_;
  std::vector<GuestDisk> disks_;
  std::optional<ApplianceProcess> appliance_;
  std::uint64_t started_ = 0;  // milliseconds, CLOCK_MONOTONIC
  bool lacks_reader_ = false;
  std::optional<MenuTerminal> terminal_;
  std::optional<RequestHandler> handler_;
  std::optional<EnvironmentWriter> environment_writer_;
};

Verbosity verbosity_of(const Options& options) {
  if (options.debug) return Verbosity::kDebug;
  return options.explain ? Verbosity::kExplain : Verbosity::kNormal;
}

// The script is loaded while signals still end the program: its other end may be a pipe that never ends.
Result<UniqueFd> script_of(const Options& options) {
  if (options.is_configuration) return load_script(options.disk);
  return options.evaluate ? load_script(*options.evaluate) : UniqueFd();
}

// Xenstore is asked while signals still end the program: it may be slow to answer.
void look_up_guest_type(Options& options) {
  if (options.guest_type || mode_of(options) != Mode::kBoot || options.is_configuration) return;
  if (const auto domain = domain_of_output_directory(options.output_directory))
    options.guest_type = guest_type_from_xenstore(*domain);
}

Result<ExitStatus> run_with(Options options, const HostConfiguration& host, Console& console) {
  const pid_t parent = getppid();  // now: a parent that ends meanwhile is no reason to wait for its console
  look_up_guest_type(options);
  PVHGRUB_TRY_ASSIGN(HostFiles host_files, HostFiles::open(options, host));
  PVHGRUB_TRY_ASSIGN(UniqueFd script, script_of(options));
  PVHGRUB_TRY_ASSIGN(Termination termination, Termination::install());
  const Result<ExitStatus> done =
      Program(options, console, termination, std::move(script), std::move(host_files)).run();
  if (!done && mode_of(options) == Mode::kList) console.discard();
  if (!done) console.error(done.error());
  if (mode_of(options) == Mode::kBoot) wait_for_console("/proc", parent, termination);
  return done ? *done : exit_status_of(done.error().code);
}

}  // namespace

namespace {

Result<HostConfiguration> load_configuration() {
  const HostConfigurationPath place = host_configuration_path();
  return load_host_configuration(place.path, place.must_exist);
}

}  // namespace

ExitStatus run_program(int argc, const char* const* argv) {
  const auto host = load_configuration();
  const auto parsed = host ? parse_options(argc, argv, *host) : std::unexpected(host.error());
  const auto* options = parsed ? std::get_if<Options>(&*parsed) : nullptr;
  Console console(options != nullptr ? verbosity_of(*options) : Verbosity::kNormal,
                  options != nullptr && options->output_format == protocol::ResultFormat::kSimple);
  Result<ExitStatus> done = ExitStatus::kSuccess;
  if (!parsed) {
    done = std::unexpected(parsed.error());
  } else if (options != nullptr) {
    done = run_with(*options, *host, console);
  } else if (const Result<void> printed = console.print(std::get<InformationText>(*parsed).text); !printed) {
    done = std::unexpected(printed.error());
  }
  if (!done) console.error(done.error());
  const Result<void> flushed = console.flush();
  return done && flushed ? *done : exit_status_of(done ? ErrorCode::kIo : done.error().code);
}

}  // namespace pvhgrub::broker
