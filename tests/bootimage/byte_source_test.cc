// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/byte_source.h"

#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <limits>
#include <string>

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

namespace {

constexpr std::uint64_t kMaximum = std::numeric_limits<std::uint64_t>::max();

std::string read(ByteSource& source, std::uint64_t offset, std::size_t count) {
  std::vector<std::byte> bytes(count);
  const auto result = source.read_at(offset, bytes);
  if (!result) return "error " + std::to_string(static_cast<int>(result.error().code));
  return std::string(as_text(bytes));
}

const std::string kDamaged = "error " + std::to_string(static_cast<int>(ErrorCode::kDamaged));
const std::string kIo = "error " + std::to_string(static_cast<int>(ErrorCode::kIo));

}  // namespace

TEST_CASE("memory is read within its bounds and nowhere else") {
  MemorySource source(as_bytes("0123456789"));
  CHECK(source.size() == 10);
  CHECK(read(source, 0, 10) == "0123456789");
  CHECK(read(source, 3, 4) == "3456");
  CHECK(read(source, 10, 0).empty());
  CHECK(read(source, 10, 1) == kDamaged);
  CHECK(read(source, 11, 0) == kDamaged);
  CHECK(read(source, 9, 2) == kDamaged);
  CHECK(read(source, kMaximum, 1) == kDamaged);
}

TEST_CASE("a part is read by offsets from its own start") {
  MemorySource whole(as_bytes("0123456789"));
  PartSource part(whole, 2, 5);
  CHECK(part.size() == 5);
  CHECK(read(part, 0, 5) == "23456");
  CHECK(read(part, 4, 1) == "6");
  CHECK(read(part, 4, 2) == kDamaged);
  CHECK(read(part, kMaximum - 1, 2) == kDamaged);
}

TEST_CASE("a file is read by its descriptor, and one that became shorter is told") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  REQUIRE(std::fputs("0123456789", file) >= 0);
  REQUIRE(std::fflush(file) == 0);
  DescriptorSource source(fileno(file), 10);
  CHECK(read(source, 0, 10) == "0123456789");
  CHECK(read(source, 8, 2) == "89");
  CHECK(read(source, 8, 3) == kDamaged);
  REQUIRE(ftruncate(fileno(file), 5) == 0);
  CHECK(read(source, 3, 4) == kIo);
  CHECK(std::fclose(file) == 0);
  DescriptorSource closed(-1, 10);
  CHECK(read(closed, 0, 1) == kIo);
}

TEST_CASE("memory for bytes is charged before it is taken, and only for bytes that are there") {
  MemorySource source(as_bytes("0123456789"));
  Budget budget(0, 12);
  const auto outside = read_bytes(source, 0, kMaximum, budget, "the table");
  REQUIRE_FALSE(outside);
  CHECK(outside.error().code == ErrorCode::kDamaged);
  CHECK(outside.error().message.find("the table") == 0);
  CHECK(budget.bytes_left() == 12);
  CHECK(as_text(*read_bytes(source, 1, 3, budget, "bytes")) == "123");
  CHECK(budget.bytes_left() == 9);
  const auto exhausted = read_bytes(source, 0, 10, budget, "bytes");
  REQUIRE_FALSE(exhausted);
  CHECK(exhausted.error().code == ErrorCode::kLimit);
}

TEST_CASE("a start is as long as the bytes allow") {
  MemorySource source(as_bytes("0123456789"));
  Budget budget = Budget::standard();
  CHECK(as_text(*read_start(source, 4, budget, "start")) == "0123");
  CHECK(as_text(*read_start(source, 4096, budget, "start")) == "0123456789");
  MemorySource empty(Bytes{});
  CHECK(read_start(empty, 4096, budget, "start")->empty());
}
