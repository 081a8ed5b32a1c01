// SPDX-License-Identifier: LGPL-2.1-or-later
// pvhgrub-appliance: reads file systems by libguestfs for a worker that has no reader for them. The broker
// starts it, one for each request; nobody runs it by hand.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/appliance_limits.h"
#include "protocol/appliance_start.h"
#include "protocol/descriptors.h"
#include "src/appliance/confinement.h"
#include "src/appliance/guest_files.h"
#include "src/appliance/nbd_server.h"

namespace pvhgrub::appliance {
namespace {

using protocol::AnswerState;
using protocol::ApplianceHeader;
using protocol::ApplianceOperation;
using protocol::ApplianceQuestion;

// False at the peer's end.
bool receive(int fd, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t count = read(fd, out.data(), out.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool send_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

void tell(std::string line) {
  std::ranges::replace(line, '\n', ' ');
  line += '\n';
  (void)send_all(protocol::kApplianceControlDescriptor, as_bytes(line));
}

Result<protocol::ApplianceStart> receive_start() {
  std::array<std::byte, 4> head{};
  if (!receive(protocol::kApplianceControlDescriptor, head))
    return fail(ErrorCode::kProtocol, "the broker has gone");
  PVHGRUB_TRY_ASSIGN(const std::uint32_t length, protocol::PayloadReader(head).u32());
  if (length > limits::kFramePayload) return fail(ErrorCode::kProtocol, "too long a start message");
  std::vector<std::byte> payload(length);
  if (!receive(protocol::kApplianceControlDescriptor, payload))
    return fail(ErrorCode::kProtocol, "the broker has gone");
  return protocol::ApplianceStart::decode(payload);
}

// A process of its own serves the disks, so that the one that speaks to QEMU and the worker has none of them.
Result<std::vector<std::string>> start_disk_server(const protocol::ApplianceStart& start) {
  std::vector<std::string> sockets;
  std::vector<UniqueFd> listeners;
  std::vector<ServedDisk> disks;
  for (std::size_t i = 0; i < start.disk_sizes.size(); ++i) {
    sockets.push_back(std::string(kWorkDirectory) + "/disk-" + std::to_string(i));
    PVHGRUB_TRY_ASSIGN(UniqueFd listener, listen_at(sockets.back()));
    listeners.push_back(std::move(listener));
    disks.push_back({protocol::kApplianceFirstDiskDescriptor + static_cast<int>(i), start.disk_sizes[i]});
  }
  const pid_t child = fork();
  if (child < 0) return fail_errno("cannot start the server of the disks");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(SIGKILL), 0, 0, 0);
    close(protocol::kApplianceControlDescriptor);
    close(protocol::kApplianceQuestionsDescriptor);
    serve_disks(std::move(listeners), std::move(disks));
  }
  for (const ServedDisk& disk : disks) close(disk.fd);
  return sockets;
}

class Answers {
 public:
  explicit Answers(GuestFiles& files) : files_(files) {}

  // Until the worker has gone, or breaks the protocol.
  void serve() {
    for (;;) {
      std::array<std::byte, protocol::kApplianceHeaderBytes> head{};
      if (!receive(kSocket, head)) return;
      const auto header = ApplianceHeader::decode(head, limits::kApplianceQuestionBytes);
      if (!header) return;
      std::vector<std::byte> payload(header->length);
      if (!receive(kSocket, payload)) return;
      const auto question = ApplianceQuestion::decode(payload);
      if (!question || !answer(header->operation, *question)) return;
    }
  }

 private:
  static constexpr int kSocket = protocol::kApplianceQuestionsDescriptor;
  static constexpr std::size_t kVolumesInAPart = 16;
  static_assert(kVolumesInAPart * 4 * (4 + limits::kApplianceTextBytes) < limits::kApplianceAnswerBytes);

  static bool send_part(ApplianceOperation operation, AnswerState state, Bytes payload) {
    const ApplianceHeader header{
        .length = static_cast<std::uint32_t>(payload.size()), .operation = operation, .state = state};
    return send_all(kSocket, header.encode()) && send_all(kSocket, payload);
  }

  static bool send_failure(ApplianceOperation operation, Error error) {
    error.message.resize(std::min(error.message.size(), limits::kApplianceTextBytes));
    const protocol::ApplianceFailure failure{.code = error.code, .message = std::move(error.message)};
    return send_part(operation, AnswerState::kError, failure.encode().payload());
  }

  // A list in parts that fit.
  template <typename Part, typename Element>
  static bool send_list(ApplianceOperation operation, std::vector<Element> Part::* list,
                        std::vector<Element> all, std::size_t most_in_a_part) {
    std::size_t at = 0;
    do {
      Part part;
      const std::size_t end = std::min(all.size(), at + most_in_a_part);
      for (; at < end; ++at) (part.*list).push_back(std::move(all[at]));
      const protocol::PayloadWriter payload = part.encode();
      if (!send_part(operation, at == all.size() ? AnswerState::kLast : AnswerState::kMore,
                     payload.payload()))
        return false;
    } while (at < all.size());
    return true;
  }

  bool answer(ApplianceOperation operation, const ApplianceQuestion& question) {
    switch (operation) {
      case ApplianceOperation::kFileSystems:
        return send_list(operation, &protocol::ApplianceVolumes::volumes, files_.volumes(), kVolumesInAPart);
      case ApplianceOperation::kList: {
        auto entries = files_.list(question.file_system, question.path);
        if (!entries) return send_failure(operation, std::move(entries).error());
        // Names of Linux have at most 255 bytes, so a part has at most 280 KB.
        return send_list(operation, &protocol::ApplianceEntries::entries, std::move(*entries), 1000);
      }
      case ApplianceOperation::kReadLink: {
        auto target = files_.read_link(question.file_system, question.path);
        if (!target) return send_failure(operation, std::move(target).error());
        return send_part(operation, AnswerState::kLast, as_bytes(*target));
      }
      case ApplianceOperation::kRead: {
        auto contents = files_.read(question.file_system, question.path, question.offset, question.length);
        if (!contents) return send_failure(operation, std::move(contents).error());
        return send_part(operation, AnswerState::kLast, as_bytes(*contents));
      }
    }
    return false;
  }

  GuestFiles& files_;
};

Result<void> run(int argc, char** argv) {
  PVHGRUB_TRY_ASSIGN(const sandbox::ConfinePlan plan, sandbox::ConfinePlan::from_arguments(argc, argv));
  PVHGRUB_TRY_ASSIGN(const protocol::ApplianceStart start, receive_start());
  PVHGRUB_TRY(confine_appliance(plan, start.environment));
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> sockets, start_disk_server(start));
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<GuestFiles> files, GuestFiles::start(sockets, tell));
  Answers(*files).serve();
  return {};
}

}  // namespace
}  // namespace pvhgrub::appliance

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const auto done = pvhgrub::appliance::run(argc, argv);
  if (!done) pvhgrub::appliance::tell(done.error().describe());
  // QEMU and the server of the disks end with this process, the first one of their namespace.
  _exit(done ? 0 : 1);
}
