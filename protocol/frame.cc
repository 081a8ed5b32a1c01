// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/frame.h"

#include <algorithm>

namespace pvhgrub::protocol {

std::array<std::byte, kFrameHeaderBytes> encode_header(FrameType type, std::uint16_t stream,
                                                       std::size_t payload_length) {
  PayloadWriter header;
  header.put_u32(static_cast<std::uint32_t>(payload_length));
  header.put_u16(static_cast<std::uint16_t>(type));
  header.put_u16(stream);
  std::array<std::byte, kFrameHeaderBytes> bytes{};
  std::ranges::copy(header.payload(), bytes.begin());
  return bytes;
}

std::span<std::byte> FrameBuffer::room() {
  // The buffer holds two frames, so after moving the unfinished one to the front at least one frame's room is
  // left.
  if (begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span(buffer_).subspan(end_);
}

Result<std::optional<Frame>> FrameBuffer::next() {
  const Bytes held = Bytes(buffer_).subspan(begin_, end_ - begin_);
  if (held.size() < kFrameHeaderBytes) return std::optional<Frame>();
  ByteReader header(held.first(kFrameHeaderBytes));
  PVHGRUB_TRY_ASSIGN(const std::uint32_t length, header.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint16_t type, header.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint16_t stream, header.little_endian<std::uint16_t>());
  if (length > limits::kFramePayload)
    return fail(ErrorCode::kProtocol, "a frame of " + std::to_string(length) + " bytes, more than the " +
                                          std::to_string(limits::kFramePayload) + " allowed");
  if (type < static_cast<std::uint16_t>(FrameType::kRequest) ||
      type > static_cast<std::uint16_t>(kLastFrameType))
    return fail(ErrorCode::kProtocol, "a frame of the unknown type " + std::to_string(type));
  if (held.size() < kFrameHeaderBytes + length) return std::optional<Frame>();
  begin_ += kFrameHeaderBytes + length;
  return Frame{static_cast<FrameType>(type), stream, held.subspan(kFrameHeaderBytes, length)};
}

void PayloadWriter::put(std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) payload_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFFU));
}

void PayloadWriter::put_text(std::string_view text) {
  put_u32(static_cast<std::uint32_t>(text.size()));
  payload_.insert(payload_.end(), as_bytes(text).begin(), as_bytes(text).end());
}

Result<bool> PayloadReader::boolean() {
  PVHGRUB_TRY_ASSIGN(const std::uint8_t value, u8());
  if (value > 1) return fail(ErrorCode::kProtocol, "a truth value of " + std::to_string(value));
  return value == 1;
}

Result<std::string> PayloadReader::text() {
  PVHGRUB_TRY_ASSIGN(const std::uint32_t length, u32());
  PVHGRUB_TRY_ASSIGN(const Bytes bytes, reader_.take(length));
  return std::string(as_text(bytes));
}

Result<void> PayloadReader::finish() const {
  if (reader_.remaining() != 0)
    return fail(ErrorCode::kProtocol, std::to_string(reader_.remaining()) + " bytes too many in a frame");
  return {};
}

}  // namespace pvhgrub::protocol
