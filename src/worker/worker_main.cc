// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/worker_main.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <new>

#include "protocol/descriptors.h"
#include "sandbox/confine.h"
#include "src/worker/boot_mode.h"
#include "src/worker/inspect_mode.h"
#include "src/worker/list_mode.h"

namespace pvhgrub::worker {
namespace {

// The script comes from the broker in a sealed memfd, at most limits::kScriptBytes.
Result<std::string> read_script() {
  std::string script;
  std::array<char, 64 * limits::kKiB> piece{};
  for (;;) {
    const ssize_t count =
        pread(protocol::kScriptDescriptor, piece.data(), piece.size(), static_cast<off_t>(script.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot read the script");
    if (count == 0) break;
    script.append(piece.data(), static_cast<std::size_t>(count));
    if (script.size() > limits::kScriptBytes) return fail(ErrorCode::kLimit, "the script is too large");
  }
  close(protocol::kScriptDescriptor);
  return script;
}

Result<void> confine_worker(int argc, char** argv, const protocol::Request& request, Channel& channel) {
  sandbox::ConfineOptions options;
  PVHGRUB_TRY_ASSIGN(options.plan, sandbox::ConfinePlan::from_arguments(argc, argv));
  sandbox::GrantedDescriptors& descriptors = options.descriptors;
  descriptors.channel = protocol::kChannelDescriptor;
  const bool appliance = request.appliance != protocol::ApplianceUse::kNone;
  if (appliance) descriptors.appliance = protocol::kApplianceDescriptor;
  if (request.terminal) descriptors.terminal = protocol::kTerminalDescriptor;
  using sandbox::Profile;
  if (request.terminal) {
    options.profile = appliance ? Profile::kMenuWithAppliance : Profile::kMenu;
  } else {
    options.profile = appliance ? Profile::kExtractWithAppliance : Profile::kExtract;
  }
  for (const protocol::RequestDisk& disk : request.disks)
    descriptors.disks.push_back(static_cast<int>(disk.descriptor));
  for (const protocol::HostFile& file : request.host_files)
    descriptors.disks.push_back(static_cast<int>(file.descriptor));
  PVHGRUB_TRY_ASSIGN(const sandbox::LayerReport report, sandbox::confine(options));
  protocol::PayloadWriter text;
  text.put_text(request.mode == protocol::Mode::kReport ? report.to_text() : report.to_line());
  return channel.send(protocol::FrameType::kLayers, 0, text.payload());
}

Result<void> serve_mode(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter,
                        Budget& budget, MenuTerminal* terminal, protocol::VerdictMessage& verdict) {
  // What is inspected may be no disk.
  if (request.mode != protocol::Mode::kInspect) PVHGRUB_TRY(guest.open_disks());
  switch (request.mode) {
    case protocol::Mode::kBoot: {
      const std::unique_ptr<Person> person =
          terminal != nullptr ? terminal->person({guest, request, channel, reporter, budget}) : nullptr;
      return run_boot(guest, request, channel, reporter, budget, person.get());
    }
    case protocol::Mode::kList:
      return run_list(guest, request, channel, budget);
    case protocol::Mode::kInspect:
      return run_inspect(guest, request, channel, reporter, budget);
    case protocol::Mode::kEvaluate: {
      PVHGRUB_TRY_ASSIGN(verdict.script_status, guest.evaluate());
      return {};
    }
    case protocol::Mode::kReport:
      break;
  }
  return fail(ErrorCode::kInternal, "a mode without a handler");
}

Result<void> serve(const protocol::Request& request, std::string script, Channel& channel,
                   MenuTerminal* terminal, protocol::VerdictMessage& verdict) {
  if (request.mode == protocol::Mode::kReport) return {};
  Reporter reporter(channel, request.explain, request.mode == protocol::Mode::kEvaluate);
  Budget budget = Budget::standard();
  Guest guest(request, std::move(script), reporter, budget);
  const Result<void> done = serve_mode(guest, request, channel, reporter, budget, terminal, verdict);
  if (!done) verdict.lacks_reader = guest.lacks_reader();
  return done;
}

Result<void> run(int argc, char** argv, OpenTerminal open_terminal, Channel& channel,
                 protocol::VerdictMessage& verdict) {
  PVHGRUB_TRY_ASSIGN(const protocol::Request request, channel.receive_request());
  std::string script;
  if (request.has_script) {
    PVHGRUB_TRY_ASSIGN(script, read_script());
  }
  // Its libraries read files of the host's.
  std::unique_ptr<MenuTerminal> terminal;
  if (request.terminal) {
    if (open_terminal == nullptr) return fail(ErrorCode::kInternal, "this worker can ask nobody");
    terminal = open_terminal(*request.terminal);
  }
  PVHGRUB_TRY(confine_worker(argc, argv, request, channel));
  return serve(request, std::move(script), channel, terminal.get(), verdict);
}

// RLIMIT_AS is a limit like any other: what does not fit ends with an error, not with a crash.
Result<void> run_in_memory_limit(int argc, char** argv, OpenTerminal open_terminal, Channel& channel,
                                 protocol::VerdictMessage& verdict) {
  try {
    return run(argc, argv, open_terminal, channel, verdict);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kLimit,
                "the disk or its boot configuration needs more memory than the worker may use");
  }
}

// Texts are cut so that the verdict always fits its frame.
void cut(std::string& text) {
  constexpr std::size_t kVerdictTextBytes = 16 * limits::kKiB;
  if (text.size() > kVerdictTextBytes) text.resize(kVerdictTextBytes);
}

}  // namespace

int worker_main(int argc, char** argv, OpenTerminal open_terminal) {
  Channel channel(protocol::kChannelDescriptor);
  protocol::VerdictMessage verdict;
  const Result<void> done = run_in_memory_limit(argc, argv, open_terminal, channel, verdict);
  verdict.success = done.has_value();
  if (!done) verdict.error = done.error();
  cut(verdict.error.message);
  cut(verdict.error.where);
  const bool told =
      channel.send(protocol::FrameType::kVerdict, 0, verdict.encode().payload()) && channel.flush();
  return told ? 0 : 1;
}

}  // namespace pvhgrub::worker
