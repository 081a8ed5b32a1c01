// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/output_stream.h"

#include <algorithm>

namespace pvhgrub::worker {

using protocol::FrameType;

Result<void> OutputStream::begin(protocol::OutputKind kind, std::uint64_t size, bool exact) {
  return channel_.send(FrameType::kStreamBegin, number_,
                       protocol::StreamBeginMessage{kind, size, exact}.encode().payload());
}

Result<void> OutputStream::end() {
  PVHGRUB_TRY(send_held());
  PVHGRUB_TRY(channel_.send(FrameType::kStreamEnd, number_, {}));
  // The broker copies this output while the worker goes on with the next.
  return channel_.flush();
}

Result<void> OutputStream::hole(std::uint64_t length) {
  if (length == 0) return {};
  if (held_hole_ == 0) PVHGRUB_TRY(send_held());
  const auto sum = checked_add(held_hole_, length);
  if (!sum) return fail(ErrorCode::kDamaged, "a file with a hole longer than a file can be");
  held_hole_ = *sum;
  return {};
}

Result<void> OutputStream::extent(const fs::DiskExtent& extent) {
  if (extent.length == 0) return {};
  const bool adjoins = held_extent_.length != 0 && held_extent_.disk == extent.disk &&
                       checked_add(held_extent_.offset, held_extent_.length) == extent.offset &&
                       checked_add(held_extent_.length, extent.length).has_value();
  if (adjoins) {
    held_extent_.length += extent.length;
    return {};
  }
  PVHGRUB_TRY(send_held());
  held_extent_ = extent;
  return {};
}

Result<void> OutputStream::bytes(std::span<const std::byte> bytes) {
  PVHGRUB_TRY(send_held());
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), limits::kFramePayload));
    PVHGRUB_TRY(channel_.send(FrameType::kBytes, number_, piece));
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

Result<void> OutputStream::send_held() {
  if (held_hole_ != 0) {
    PVHGRUB_TRY(
        channel_.send(FrameType::kHole, number_, protocol::HoleMessage{held_hole_}.encode().payload()));
    held_hole_ = 0;
  }
  if (held_extent_.length != 0) {
    const protocol::ExtentMessage message{held_extent_.disk, held_extent_.offset, held_extent_.length};
    PVHGRUB_TRY(channel_.send(FrameType::kExtent, number_, message.encode().payload()));
    held_extent_ = {};
  }
  return {};
}

}  // namespace pvhgrub::worker
