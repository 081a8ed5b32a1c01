// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_format.h"

#include <catch2/catch.hpp>

#include "tests/fsreaders/journal_builder.h"

namespace pvhgrub::fs::test {
namespace {

Result<JournalSuperblock> parse(const std::vector<std::byte>& bytes) {
  return parse_journal_superblock(bytes, 1024, 64);
}

ErrorCode code_of(const std::vector<std::byte>& bytes) {
  const auto superblock = parse(bytes);
  REQUIRE_FALSE(superblock);
  return superblock.error().code;
}

}  // namespace

TEST_CASE("a journal superblock tells where the log lies and how it is checksummed") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV3;
  builder.wide = true;
  builder.start = 5;
  const auto superblock = parse(builder.superblock());
  REQUIRE(superblock);
  CHECK(superblock->first == 1);
  CHECK(superblock->end == 64);
  CHECK(superblock->start == 5);
  CHECK(superblock->sequence == 10);
  CHECK(superblock->checksum == JournalChecksum::kV3);
  CHECK(superblock->wide_blocks);
}

TEST_CASE("a version 1 superblock has no features, whatever stands in their place") {
  JournalBuilder builder;
  builder.version_1 = true;
  builder.wide = true;
  const auto superblock = parse(builder.superblock());
  REQUIRE(superblock);
  CHECK_FALSE(superblock->wide_blocks);
}

TEST_CASE("a journal superblock with a wrong checksum is damaged") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV2;
  auto bytes = builder.superblock();
  bytes[0x44] ^= std::byte{1};
  CHECK(code_of(bytes) == ErrorCode::kDamaged);
}

TEST_CASE("an unknown feature of the journal is refused") {
  auto bytes = JournalBuilder().superblock();
  JournalBuilder::put32(bytes, 0x28, 0x40);
  CHECK(code_of(bytes) == ErrorCode::kUnsupported);
}

TEST_CASE("a journal superblock that contradicts itself is damaged") {
  struct Case {
    std::size_t offset;
    std::uint32_t value;
  };
  const Case cases[] = {{0, 0},    {4, 1},     {0x0c, 4096}, {0x10, 65},         {0x10, 0},         {0x10, 1},
                        {0x14, 0}, {0x14, 64}, {0x1c, 64},   {0x1c, 0xffffffff}, {0x14, 0xffffffff}};
  for (const Case& one : cases) {
    auto bytes = JournalBuilder().superblock();
    JournalBuilder::put32(bytes, one.offset, one.value);
    INFO(one.offset << " = " << one.value);
    CHECK(code_of(bytes) == ErrorCode::kDamaged);
  }
}

TEST_CASE("the fast commit area takes the journal's end, 256 blocks where no number is given") {
  JournalBuilder builder;
  builder.journal_blocks = 2000;
  builder.fast_commit = true;
  const auto superblock = parse_journal_superblock(builder.superblock(), 1024, 2000);
  REQUIRE(superblock);
  CHECK(superblock->end == 1744);
  CHECK(superblock->fast_commit_first == 1745);
  CHECK(superblock->fast_commit_end == 2000);
}

TEST_CASE("tags of a descriptor block end at the block's end without a last tag") {
  for (const JournalChecksum checksum :
       {JournalChecksum::kNone, JournalChecksum::kV2, JournalChecksum::kV3}) {
    JournalSuperblock superblock;
    superblock.checksum = checksum;
    const std::vector<std::byte> zeros(1024);  // every tag is followed by a UUID, and none is the last
    const std::size_t tag_bytes = checksum == JournalChecksum::kV3   ? 16
                                  : checksum == JournalChecksum::kV2 ? 10
                                                                     : 8;
    const std::size_t room = 1024 - 12 - superblock.tail_bytes();
    CHECK(parse_journal_tags(zeros, superblock).size() == (room - tag_bytes) / (tag_bytes + 16) + 1);
  }
}

}  // namespace pvhgrub::fs::test
