// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "protocol/messages.h"

namespace pvhgrub::worker {

/// The worker's end of the socketpair. Small frames are gathered; `flush` sends them.
class Channel {
 public:
  explicit Channel(int descriptor) : descriptor_(descriptor) {}

  /// The broker's request: read before the worker is confined, since the filter allows no reading here.
  [[nodiscard]] Result<protocol::Request> receive_request();

  [[nodiscard]] Result<void> send(protocol::FrameType type, std::uint16_t stream, Bytes payload);
  [[nodiscard]] Result<void> flush();

 private:
  int descriptor_;
  std::vector<std::byte> pending_;
};

}  // namespace pvhgrub::worker
