// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/frame.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace pvhgrub;
using namespace pvhgrub::protocol;

namespace {

std::string frame_bytes(FrameType type, std::uint16_t stream, const std::string& payload) {
  const auto header = encode_header(type, stream, payload.size());
  return std::string(as_text(header)) + payload;
}

void fill(FrameBuffer& buffer, std::string_view bytes) {
  const auto room = buffer.room();
  REQUIRE(room.size() >= bytes.size());
  std::ranges::copy(as_bytes(bytes), room.begin());
  buffer.filled(bytes.size());
}

}  // namespace

TEST_CASE("frames come out whole however their bytes come in") {
  FrameBuffer buffer;
  const std::string bytes = frame_bytes(FrameType::kLog, 0, "hello") + frame_bytes(FrameType::kBytes, 2, "");
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    fill(buffer, bytes.substr(i, 1));
    const auto frame = buffer.next();
    REQUIRE(frame);
    if (i == 12) {
      REQUIRE(*frame);
      CHECK((*frame)->type == FrameType::kLog);
      CHECK(as_text((*frame)->payload) == "hello");
    } else {
      CHECK_FALSE(*frame);
    }
  }
  fill(buffer, bytes.substr(bytes.size() - 1));
  const auto last = buffer.next();
  REQUIRE((last && *last));
  CHECK((*last)->stream == 2);
  CHECK((*last)->payload.empty());
  CHECK(buffer.empty());
}

TEST_CASE("a frame of the largest size passes, again and again") {
  FrameBuffer buffer;
  for (int round = 0; round < 5; ++round) {
    fill(buffer, frame_bytes(FrameType::kBytes, 1, std::string(limits::kFramePayload, 'x')));
    const auto frame = buffer.next();
    REQUIRE((frame && *frame));
    CHECK((*frame)->payload.size() == limits::kFramePayload);
  }
}

TEST_CASE("a frame larger than allowed is refused by its header alone") {
  for (const std::uint32_t length :
       {static_cast<std::uint32_t>(limits::kFramePayload + 1), 0x8000'0000U, ~0U}) {
    FrameBuffer buffer;
    PayloadWriter header;
    header.put_u32(length);
    header.put_u16(static_cast<std::uint16_t>(FrameType::kBytes));
    header.put_u16(1);
    fill(buffer, as_text(header.payload()));
    const auto frame = buffer.next();
    REQUIRE_FALSE(frame);
    CHECK(frame.error().code == ErrorCode::kProtocol);
  }
}

TEST_CASE("an unknown frame type is refused") {
  for (const std::uint16_t type : {std::uint16_t{0}, std::uint16_t{19}, std::uint16_t{0xFFFF}}) {
    FrameBuffer buffer;
    fill(buffer, frame_bytes(static_cast<FrameType>(type), 0, ""));
    CHECK_FALSE(buffer.next());
  }
}
