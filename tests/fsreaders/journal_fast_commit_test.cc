// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_fast_commit.h"

#include <catch2/catch.hpp>

#include "tests/fsreaders/journal_builder.h"

namespace pvhgrub::fs::test {
namespace {

void put16(std::vector<std::byte>& bytes, unsigned value) {
  bytes.push_back(static_cast<std::byte>(value & 0xffU));
  bytes.push_back(static_cast<std::byte>(value >> 8U));
}
void put32(std::vector<std::byte>& bytes, std::uint32_t value) {
  put16(bytes, value & 0xffffU);
  put16(bytes, value >> 16U);
}
std::vector<std::byte> head(std::uint32_t sequence, std::uint32_t features = 0) {
  std::vector<std::byte> bytes;
  put16(bytes, 9);
  put16(bytes, 8);
  put32(bytes, features);
  put32(bytes, sequence);
  return bytes;
}
void unlink(std::vector<std::byte>& bytes) {
  put16(bytes, 5);
  put16(bytes, 9);
  put32(bytes, 2);
  put32(bytes, 12);
  bytes.push_back(std::byte{'f'});
}
void tail(std::vector<std::byte>& bytes, std::uint32_t sequence) {
  put16(bytes, 8);
  put16(bytes, 8);
  put32(bytes, sequence);
  put32(bytes, slow_crc32c(0, bytes));
}

JournalBuilder with_area(const std::vector<std::byte>& bytes) {
  JournalBuilder builder;
  builder.journal_blocks = 1400;
  builder.fast_commit = true;
  builder.log({{7, 'a'}});
  builder.commit();
  for (std::uint32_t i = 0; i < 255; ++i) builder.fast_commit_bytes(i, {});
  builder.fast_commit_bytes(0, bytes);
  return builder;
}

Result<std::vector<FastCommitRecord>> scan(JournalBuilder builder) {
  PVHGRUB_TRY_ASSIGN(const JournalSuperblock superblock,
                     parse_journal_superblock(builder.superblock(), 1024, builder.journal_blocks));
  Budget budget = Budget::standard();
  return scan_fast_commits(builder.file(), superblock, builder.next_sequence(), budget);
}

}  // namespace

TEST_CASE("a complete fast commit is found") {
  auto bytes = head(11);
  unlink(bytes);
  tail(bytes, 11);
  const auto records = scan(with_area(bytes));
  REQUIRE(records);
  REQUIRE(records->size() == 1);
  CHECK(records->front().tag == FastCommitTag::kUnlink);
  CHECK(records->front().value.size() == 9);
}

TEST_CASE("a fast commit without its tail counts for nothing") {
  auto bytes = head(11);
  unlink(bytes);
  const auto records = scan(with_area(bytes));
  REQUIRE(records);
  CHECK(records->empty());
}

TEST_CASE("a fast commit with a wrong checksum counts for nothing") {
  auto bytes = head(11);
  unlink(bytes);
  tail(bytes, 11);
  bytes[20] ^= std::byte{1};
  const auto records = scan(with_area(bytes));
  REQUIRE(records);
  CHECK(records->empty());
}

TEST_CASE("fast commits that an earlier transaction left count for nothing") {
  auto bytes = head(10);
  unlink(bytes);
  tail(bytes, 10);
  const auto records = scan(with_area(bytes));
  REQUIRE(records);
  CHECK(records->empty());
}

TEST_CASE("fast commits with unknown features are refused") {
  const auto records = scan(with_area(head(11, 1)));
  REQUIRE_FALSE(records);
  CHECK(records.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a fast commit record that runs past its block ends the scan") {
  auto bytes = head(11);
  put16(bytes, 5);
  put16(bytes, 0xffff);
  const auto records = scan(with_area(bytes));
  REQUIRE(records);
  CHECK(records->empty());
}

}  // namespace pvhgrub::fs::test
