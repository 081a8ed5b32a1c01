// SPDX-License-Identifier: LGPL-2.1-or-later
// pvhgrub-worker: the confined half of pvhgrub, and the only one that reads guest bytes. The broker starts
// it, one for each request; nobody runs it by hand.
//
// The order of main() is the security argument: the request (from the broker, which is trusted) is read
// first, then every power is given up, then the first guest byte is read.
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
  options.channel = protocol::kChannelDescriptor;
  if (request.appliance != protocol::ApplianceUse::kNone) {
    options.profile = sandbox::Profile::kExtractWithAppliance;
    options.appliance = protocol::kApplianceDescriptor;
  }
  for (const protocol::RequestDisk& disk : request.disks)
    options.disks.push_back(static_cast<int>(disk.descriptor));
  for (const protocol::HostFile& file : request.host_files)
    options.disks.push_back(static_cast<int>(file.descriptor));
  PVHGRUB_TRY_ASSIGN(const sandbox::LayerReport report, sandbox::confine(options));
  protocol::PayloadWriter text;
  text.put_text(request.mode == protocol::Mode::kReport ? report.to_text() : report.to_line());
  return channel.send(protocol::FrameType::kLayers, 0, text.payload());
}

Result<void> serve_mode(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter,
                        Budget& budget, protocol::VerdictMessage& verdict) {
  // What is inspected may be no disk.
  if (request.mode != protocol::Mode::kInspect) PVHGRUB_TRY(guest.open_disks());
  switch (request.mode) {
    case protocol::Mode::kBoot:
      return run_boot(guest, request, channel, reporter, budget);
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
                   protocol::VerdictMessage& verdict) {
  if (request.mode == protocol::Mode::kReport) return {};
  Reporter reporter(channel, request.explain, request.mode == protocol::Mode::kEvaluate);
  Budget budget = Budget::standard();
  Guest guest(request, std::move(script), reporter, budget);
  const Result<void> done = serve_mode(guest, request, channel, reporter, budget, verdict);
  if (!done) verdict.lacks_reader = guest.lacks_reader();
  return done;
}

Result<void> run(int argc, char** argv, Channel& channel, protocol::VerdictMessage& verdict) {
  PVHGRUB_TRY_ASSIGN(const protocol::Request request, channel.receive_request());
  std::string script;
  if (request.has_script) {
    PVHGRUB_TRY_ASSIGN(script, read_script());
  }
  PVHGRUB_TRY(confine_worker(argc, argv, request, channel));
  return serve(request, std::move(script), channel, verdict);
}

// RLIMIT_AS is a limit like any other: what does not fit ends with an error, not with a crash.
Result<void> run_in_memory_limit(int argc, char** argv, Channel& channel, protocol::VerdictMessage& verdict) {
  try {
    return run(argc, argv, channel, verdict);
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

int worker_main(int argc, char** argv) {
  Channel channel(protocol::kChannelDescriptor);
  protocol::VerdictMessage verdict;
  const Result<void> done = run_in_memory_limit(argc, argv, channel, verdict);
  verdict.success = done.has_value();
  if (!done) verdict.error = done.error();
  cut(verdict.error.message);
  cut(verdict.error.where);
  const bool told =
      channel.send(protocol::FrameType::kVerdict, 0, verdict.encode().payload()) && channel.flush();
  return told ? 0 : 1;
}

}  // namespace
}  // namespace pvhgrub::worker

int main(int argc, char** argv) {
  // _exit: destructors of static objects have nothing to do here that the kernel does not do better.
  _exit(pvhgrub::worker::worker_main(argc, argv));
}
