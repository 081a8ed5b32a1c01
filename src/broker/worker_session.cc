// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/worker_session.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "protocol/descriptors.h"
#include "src/broker/output_files.h"
#include "src/broker/version.h"

namespace pvhgrub::broker {
namespace {

// What a worker may take to end after its verdict: it has only to exit, but the host may be busy.
constexpr std::uint64_t kLingerMilliseconds = 5'000;

}  // namespace

Result<std::string> find_worker(bool with_menu) {
  const std::string name = with_menu ? "pvhgrub-worker-menu" : "pvhgrub-worker";
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::vector<std::filesystem::path> places;
  if (!error) places.push_back(self.parent_path() / name);
  places.push_back(std::filesystem::path(kLibexecDirectory) / name);
  for (const std::filesystem::path& place : places)
    if (access(place.c_str(), X_OK) == 0) return place.string();
  return fail(ErrorCode::kSandbox,
              name + " is neither beside this program nor in " + std::string(kLibexecDirectory) +
                  (with_menu ? "; install pvhgrub with its menu, or give -q" : "; install pvhgrub again"));
}

Result<protocol::VerdictMessage> WorkerSession::run(const protocol::Request& request,
                                                    const std::vector<sandbox::FdGrant>& descriptors,
                                                    protocol::WorkerEvents& events) {
  started_ = settings_.started_milliseconds != 0 ? settings_.started_milliseconds : monotonic_milliseconds();
  const protocol::PayloadWriter payload = request.encode();
  if (payload.payload().size() > limits::kFramePayload)
    return fail(ErrorCode::kUsage, "the options are too long all together");

  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot make the channel to the worker");
  channel_.reset(ends[0]);
  UniqueFd workers_end(ends[1]);
  sandbox::SpawnRequest spawn{settings_.worker_path, descriptors, settings_.run_as,
                              settings_.allow_landlock_only};
  spawn.fds.push_back({workers_end.get(), protocol::kChannelDescriptor});
  if (settings_.appliance != nullptr)
    spawn.fds.push_back({settings_.appliance->workers_end(), protocol::kApplianceDescriptor});
  if (settings_.terminal >= 0) spawn.fds.push_back({settings_.terminal, protocol::kTerminalDescriptor});
  PVHGRUB_TRY_ASSIGN(sandbox::WorkerProcess worker, sandbox::spawn_worker(spawn));
  workers_end.reset();
  // So that the worker sees the appliance's end, and the other way round.
  if (settings_.appliance != nullptr) settings_.appliance->handed_over();

  const auto header = protocol::encode_header(protocol::FrameType::kRequest, 0, payload.payload().size());
  protocol::Conversation conversation(request, events);
  // A worker that is gone already tells why itself, or by its exit status.
  Result<void> sent = write_all(channel_.get(), as_text(header), "the channel to the worker");
  if (sent) sent = write_all(channel_.get(), as_text(payload.payload()), "the channel to the worker");
  const Result<void> done = loop(conversation);
  progress_.reset();
  if (!done) return std::unexpected(explain_sudden_end(worker, done.error()));
  lacks_reader_ = conversation.verdict()->lacks_reader;
  if (!conversation.verdict()->success) return std::unexpected(conversation.verdict()->error);
  return *conversation.verdict();
}

Result<void> WorkerSession::loop(protocol::Conversation& conversation) {
  for (;;) {
    while (!queue_full()) {
      PVHGRUB_TRY_ASSIGN(const bool handled, conversation.handle_next());
      if (!handled) break;
    }
    mind_menu(conversation.menu_state());
    if (conversation.verdict() && !verdict_at_) verdict_at_ = monotonic_milliseconds();
    const bool reading = !ended_ && !queue_full();
    if (!reading && !copying()) break;
    bool readable = false;
    PVHGRUB_TRY(wait_for_events(reading, readable));
    if (readable) PVHGRUB_TRY(read_from_worker(conversation));
    if (copying()) PVHGRUB_TRY(copier_->step());
    show_progress();
  }
  return conversation.finish();
}

// No time runs out while a person is at the menu; one that nobody touches is no reason to wait for ever.
void WorkerSession::mind_menu(protocol::MenuState state) {
  menu_state_ = state;
  if (state != protocol::MenuState::kClosed) progress_.reset();
  const bool attended = state == protocol::MenuState::kAttended;
  if (attended == menu_at_.has_value()) return;
  if (attended) {
    menu_at_ = monotonic_milliseconds();
  } else {
    started_ += monotonic_milliseconds() - *menu_at_;
    menu_at_.reset();
  }
}

void WorkerSession::show_progress() {
  if (!settings_.shows_progress || menu_state_ != protocol::MenuState::kClosed || copier_ == nullptr) return;
  const ExtentCopier::Amount amount = copier_->amount();
  if (amount.total == 0) return;
  if (!progress_) progress_.emplace(settings_.terminal);
  progress_->update(amount.done, amount.total, monotonic_milliseconds());
}

Error WorkerSession::out_of_time() const {
  const std::string seconds = std::to_string(settings_.deadline_milliseconds / 1000) + " seconds";
  if (menu_state_ == protocol::MenuState::kShown)
    return {ErrorCode::kNoEntry,
            "nobody touched a key at the menu within " + seconds +
                "; attach to the console, set a timeout in the guest's boot configuration, or boot its "
                "default with "
                "-q (--deadline=0 waits for ever)",
            "", 0};
  return {ErrorCode::kLimit,
          "gave up after " + seconds + "; the disk is very slow or hostile (--deadline changes this)", "", 0};
}

// Waits until the worker can be read, or not at all while there is something to copy.
Result<void> WorkerSession::wait_for_events(bool may_read, bool& readable) {
  int timeout = -1;
  if (settings_.deadline_milliseconds != 0 && !menu_at_) {
    const std::uint64_t elapsed = monotonic_milliseconds() - started_;
    if (elapsed >= settings_.deadline_milliseconds) return std::unexpected(out_of_time());
    timeout = static_cast<int>(std::min<std::uint64_t>(settings_.deadline_milliseconds - elapsed, 60'000));
  }
  if (verdict_at_) {
    const std::uint64_t elapsed = monotonic_milliseconds() - *verdict_at_;
    if (elapsed >= kLingerMilliseconds && !copying())
      return fail(ErrorCode::kProtocol, "the worker did not end after its verdict");
    timeout = static_cast<int>(kLingerMilliseconds);
  }
  if (copying()) timeout = 0;
  const int progress = settings_.appliance != nullptr ? settings_.appliance->progress_fd() : -1;
  // Of the terminal only its end is of interest: keys are the worker's.
  std::array<pollfd, 4> events{{{termination_.fd(), POLLIN, 0},
                                {may_read ? channel_.get() : -1, POLLIN, 0},
                                {progress, POLLIN, 0},
                                {settings_.terminal, 0, 0}}};
  if (poll(events.data(), events.size(), timeout) < 0 && errno != EINTR)
    return fail_errno("cannot wait for the worker");
  if (events[0].revents != 0) return std::unexpected(termination_.reason());
  if ((events[3].revents & (POLLHUP | POLLERR)) != 0)
    return fail(ErrorCode::kIo, "the terminal that the menu was on is gone");
  readable = events[1].revents != 0;
  if (events[2].revents != 0) settings_.appliance->read_progress();
  return {};
}

Result<void> WorkerSession::read_from_worker(protocol::Conversation& conversation) {
  const std::span<std::byte> room = conversation.room();
  const ssize_t count = recv(channel_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (count > 0) {
    conversation.filled(static_cast<std::size_t>(count));
    return {};
  }
  // A worker that was killed with our request unread resets the connection: an end like any other.
  if (count == 0 || errno == ECONNRESET) {
    ended_ = true;
    return {};
  }
  if (errno == EAGAIN || errno == EINTR) return {};
  return fail_errno("cannot read from the worker");
}

// An end without a verdict has its cause in how the worker's process ended.
Error WorkerSession::explain_sudden_end(sandbox::WorkerProcess& worker, Error error) {
  if (!ended_ || error.code != ErrorCode::kProtocol) return error;
  const auto reason = worker.wait_for(std::chrono::milliseconds(1000));
  if (!reason || reason->kind != sandbox::ExitReason::Kind::kSignaled) return error;
  if (reason->value == SIGKILL)
    return {ErrorCode::kLimit,
            "the worker ran out of memory or processor time; the disk is damaged or hostile", "", 0};
  return {ErrorCode::kInternal,
          reason->describe() + "; the disk may be hostile, and this program has a bug: report it", "", 0};
}

}  // namespace pvhgrub::broker
