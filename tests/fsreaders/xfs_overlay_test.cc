// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_overlay.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/limits.h"
#include "fsreaders/file_system.h"
#include "tests/fsreaders/memory_source.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

// Tells what was sent: "e10+4" an extent, "b5:x" bytes that begin with x.
class TellingSink final : public ContentSink {
 public:
  Result<void> hole(std::uint64_t length) override {
    text += "h" + std::to_string(length) + " ";
    return {};
  }
  Result<void> extent(const DiskExtent& extent) override {
    text += "e" + std::to_string(extent.offset) + "+" + std::to_string(extent.length) + " ";
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    text += "b" + std::to_string(bytes.size()) + ":" + as_text(bytes)[0] + " ";
    return {};
  }
  std::string text;
};

std::string read(XfsOverlay& overlay, std::uint64_t offset, std::size_t length) {
  std::string text(length, '?');
  REQUIRE(overlay.read_at(offset, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace

TEST_CASE("replaced bytes are read and sent in place of the source's, the rest as extents") {
  MemorySource source(std::vector<std::byte>(4096, std::byte{'.'}));
  XfsOverlay overlay(source);
  CHECK(overlay.empty());
  REQUIRE(overlay.write(1022, as_bytes("abcd")));  // over the edge of two sectors
  REQUIRE(overlay.write(1024, as_bytes("C")));
  CHECK(read(overlay, 1020, 8) == "..abCd..");
  CHECK(read(overlay, 0, 4) == "....");
  CHECK(overlay.covers(512, 1));
  CHECK(overlay.covers(0, 513));
  CHECK_FALSE(overlay.covers(0, 512));
  CHECK_FALSE(overlay.covers(1536, 2560));
  CHECK_FALSE(overlay.covers(512, 0));
  TellingSink sink;
  REQUIRE(overlay.send(100, 2000, sink));
  CHECK(sink.text == "e100+412 b512:. b512:C e1536+564 ");
  CHECK_FALSE(overlay.locate(1023, 10));
  CHECK(overlay.locate(0, 4096)->length == 512);
  CHECK(overlay.locate(1536, 100)->offset == 1536);
}

TEST_CASE("replacing ends with the source and with the memory for it") {
  MemorySource source(std::vector<std::byte>(limits::kXfsOverlayBytes + 1024));
  XfsOverlay overlay(source);
  CHECK(overlay.write(source.size() - 1, as_bytes("ab")).error().code == ErrorCode::kDamaged);
  CHECK(overlay.write(~std::uint64_t{0}, as_bytes("a")).error().code == ErrorCode::kDamaged);
  CHECK(overlay.empty());
  const std::vector<std::byte> much(limits::kXfsOverlayBytes);
  REQUIRE(overlay.write(0, much));
  REQUIRE(overlay.write(0, as_bytes("again")));
  CHECK(overlay.write(limits::kXfsOverlayBytes, as_bytes("a")).error().code == ErrorCode::kLimit);
}
