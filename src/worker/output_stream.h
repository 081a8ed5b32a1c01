// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fsreaders/file_system.h"
#include "src/worker/channel.h"

namespace pvhgrub::worker {

/// Sends one output's contents as frames. Neighbouring extents and holes are merged, since each costs the
/// broker a system call.
class OutputStream final : public fs::ContentSink {
 public:
  /// `number`: 1 or 2, one for each output. The channel outlives the stream.
  OutputStream(Channel& channel, std::uint16_t number) : channel_(channel), number_(number) {}

  [[nodiscard]] Result<void> begin(protocol::OutputKind kind, std::uint64_t size, bool exact = true);
  [[nodiscard]] Result<void> end();

  [[nodiscard]] Result<void> hole(std::uint64_t length) override;
  [[nodiscard]] Result<void> extent(const fs::DiskExtent& extent) override;
  [[nodiscard]] Result<void> bytes(std::span<const std::byte> bytes) override;

 private:
  [[nodiscard]] Result<void> send_held();

  Channel& channel_;
  std::uint16_t number_;
  fs::DiskExtent held_extent_;   // not sent yet; length 0: none
  std::uint64_t held_hole_ = 0;  // not sent yet
};

}  // namespace pvhgrub::worker
