// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/channel.h"

#include <unistd.h>

#include <cerrno>

namespace pvhgrub::worker {
namespace {

// Gathered frames go out at this size: one system call for some hundred listing entries.
constexpr std::size_t kGatheredBytes = 64 * limits::kKiB;

}  // namespace

Result<protocol::Request> Channel::receive_request() {
  protocol::FrameBuffer buffer;
  for (;;) {
    PVHGRUB_TRY_ASSIGN(const std::optional<protocol::Frame> frame, buffer.next());
    if (frame) {
      if (frame->type != protocol::FrameType::kRequest)
        return fail(ErrorCode::kProtocol, "the broker sent something else than a request");
      return protocol::Request::decode(frame->payload);
    }
    const std::span<std::byte> room = buffer.room();
    const ssize_t count = read(descriptor_, room.data(), room.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot read the request");
    if (count == 0) return fail(ErrorCode::kProtocol, "the broker closed the channel before its request");
    buffer.filled(static_cast<std::size_t>(count));
  }
}

Result<void> Channel::send(protocol::FrameType type, std::uint16_t stream, Bytes payload) {
  if (payload.size() > limits::kFramePayload)
    return fail(ErrorCode::kLimit,
                "a message of " + std::to_string(payload.size()) + " bytes is too large to send");
  if (pending_.size() + protocol::kFrameHeaderBytes + payload.size() > kGatheredBytes) PVHGRUB_TRY(flush());
  const auto header = protocol::encode_header(type, stream, payload.size());
  pending_.insert(pending_.end(), header.begin(), header.end());
  pending_.insert(pending_.end(), payload.begin(), payload.end());
  return {};
}

Result<void> Channel::flush() {
  std::size_t sent = 0;
  while (sent < pending_.size()) {
    const ssize_t count = write(descriptor_, pending_.data() + sent, pending_.size() - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot write to the broker");
    sent += static_cast<std::size_t>(count);
  }
  pending_.clear();
  return {};
}

}  // namespace pvhgrub::worker
