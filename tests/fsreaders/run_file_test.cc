// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/run_file.h"

#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "tests/fsreaders/memory_source.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

// Tells what was sent: "h3" a hole, "e10+4" an extent, "b5" bytes.
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
    text += "b" + std::to_string(bytes.size()) + " ";
    return {};
  }
  std::string text;
};

std::string contents(File& file) {
  std::string text(static_cast<std::size_t>(file.size()), '?');
  const auto count = file.read(0, std::as_writable_bytes(std::span(text)));
  REQUIRE(count);
  REQUIRE(*count == text.size());
  return text;
}

MemorySource alphabet() {
  const std::string text = "abcdefghijklmnopqrstuvwxyz";
  return MemorySource(std::vector(as_bytes(text).begin(), as_bytes(text).end()));
}

}  // namespace

TEST_CASE("a file of runs reads and sends blocks, holes between them and the rest of its last block") {
  MemorySource source = alphabet();
  const auto file = make_run_file(source, {.origin = 1,
                                           .block_size = 4,
                                           .size = 14,
                                           .runs = {{0, 1, 2}, {2, 1, 0}, {3, 1, 1}},
                                           .overwriting_obstacle = ""});
  CHECK(contents(*file) == std::string("jklm\0\0\0\0bcdefg", 14));
  TellingSink sink;
  REQUIRE(file->send(sink));
  CHECK(sink.text == "e9+4 h4 e1+6 ");
  TellingSink part;
  REQUIRE(file->send_range(3, 6, part));
  CHECK(part.text == "e12+1 h4 e1+1 ");
  CHECK_FALSE(file->overwritable_extents());  // the hole
}

TEST_CASE("what a file of runs never wrote is zeros although it has blocks there") {
  MemorySource source = alphabet();
  const auto file =
      make_run_file(source, {.origin = 0, .block_size = 8, .size = 8, .stored = 3, .runs = {{0, 1, 0}}});
  CHECK(contents(*file) == std::string("abc\0\0\0\0\0", 8));
  TellingSink sink;
  REQUIRE(file->send(sink));
  CHECK(sink.text == "e0+3 h5 ");
}

TEST_CASE("a whole file of runs can be overwritten where nothing speaks against it") {
  MemorySource source = alphabet();
  const auto file = make_run_file(
      source, {.origin = 0, .block_size = 4, .size = 6, .runs = {{0, 2, 1}}, .overwriting_obstacle = ""});
  const auto extents = file->overwritable_extents();
  REQUIRE(extents);
  CHECK(*extents == std::vector<DiskExtent>{{0, 4, 6}});
}

TEST_CASE("a file in memory ends in zeros and keeps to its size") {
  const std::string text = "hello";
  const std::vector<std::byte> bytes(as_bytes(text).begin(), as_bytes(text).end());
  CHECK(contents(*make_memory_file(7, bytes, "no")) == std::string("hello\0\0", 7));
  CHECK(contents(*make_memory_file(2, bytes, "no")) == "he");
  TellingSink sink;
  REQUIRE(make_memory_file(7, bytes, "no")->send(sink));
  CHECK(sink.text == "b5 h2 ");
}
