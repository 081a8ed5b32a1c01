// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/output_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <functional>

#include "base/unique_fd.h"

using namespace pvhgrub;
using namespace pvhgrub::worker;
using protocol::FrameType;

namespace {

// What a stream sent, as words.
std::vector<std::string> sent(const std::function<Result<void>(OutputStream&)>& use) {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  Channel channel(writer.get());
  OutputStream stream(channel, 1);
  REQUIRE(use(stream));
  REQUIRE(stream.end());
  writer.reset();
  protocol::FrameBuffer buffer;
  std::vector<std::string> words;
  for (;;) {
    const auto frame = buffer.next();
    REQUIRE(frame);
    if (*frame) {
      const Bytes payload = (*frame)->payload;
      if ((*frame)->type == FrameType::kHole)
        words.push_back("hole " + std::to_string(protocol::HoleMessage::decode(payload)->length));
      if ((*frame)->type == FrameType::kBytes) words.push_back("bytes " + std::to_string(payload.size()));
      if ((*frame)->type == FrameType::kExtent) {
        const auto extent = protocol::ExtentMessage::decode(payload);
        words.push_back("extent " + std::to_string(extent->offset) + "+" + std::to_string(extent->length));
      }
      continue;
    }
    const auto room = buffer.room();
    const ssize_t count = read(reader.get(), room.data(), room.size());
    if (count <= 0) return words;
    buffer.filled(static_cast<std::size_t>(count));
  }
}

}  // namespace

TEST_CASE("neighbouring extents of one disk go as one") {
  CHECK(sent([](OutputStream& stream) -> Result<void> {
          PVHGRUB_TRY(stream.extent({0, 100, 50}));
          PVHGRUB_TRY(stream.extent({0, 150, 50}));
          PVHGRUB_TRY(stream.extent({1, 200, 50}));
          return stream.extent({1, 300, 1});
        }) == std::vector<std::string>{"extent 100+100", "extent 200+50", "extent 300+1"});
}

TEST_CASE("holes, extents and bytes keep their order") {
  CHECK(sent([](OutputStream& stream) -> Result<void> {
          PVHGRUB_TRY(stream.hole(5));
          PVHGRUB_TRY(stream.hole(6));
          PVHGRUB_TRY(stream.extent({0, 10, 1}));
          PVHGRUB_TRY(stream.bytes(as_bytes("abc")));
          PVHGRUB_TRY(stream.extent({0, 11, 1}));
          PVHGRUB_TRY(stream.hole(7));
          return stream.bytes(as_bytes("d"));
        }) ==
        std::vector<std::string>{"hole 11", "extent 10+1", "bytes 3", "extent 11+1", "hole 7", "bytes 1"});
}

TEST_CASE("empty pieces are not sent, long bytes in pieces of a frame") {
  const std::string text(limits::kFramePayload + 1, 'x');
  CHECK(sent([&](OutputStream& stream) -> Result<void> {
          PVHGRUB_TRY(stream.hole(0));
          PVHGRUB_TRY(stream.extent({0, 5, 0}));
          PVHGRUB_TRY(stream.bytes({}));
          return stream.bytes(as_bytes(text));
        }) == std::vector<std::string>{"bytes 65536", "bytes 1"});
}

TEST_CASE("a hole longer than a number can count is damage, not an overflow") {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  Channel channel(writer.get());
  OutputStream stream(channel, 1);
  REQUIRE(stream.hole(~0ULL));
  const auto overflow = stream.hole(1);
  REQUIRE_FALSE(overflow);
  CHECK(overflow.error().code == ErrorCode::kDamaged);
}
