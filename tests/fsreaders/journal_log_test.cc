// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_log.h"

#include <catch2/catch.hpp>

#include "tests/fsreaders/journal_builder.h"

namespace pvhgrub::fs::test {

TEST_CASE("a commit block with a wrong checksum ends the replay there, with a note") {
  for (const JournalChecksum checksum : {JournalChecksum::kV1, JournalChecksum::kV2, JournalChecksum::kV3}) {
    JournalBuilder builder;
    builder.checksum = checksum;
    builder.log({{7, 'a'}});
    builder.commit();
    builder.log({{8, 'b'}});
    builder.commit();  // blocks 4, 5, 6
    builder.log({{9, 'c'}});
    builder.commit();
    builder.journal_block(6)[0x11] ^= std::byte{1};
    auto replayed = replay(builder);
    REQUIRE(replayed);
    CHECK(replayed->damage.find("transaction 11") != std::string::npos);
    CHECK(replayed->block(7) == 'a');
    CHECK(replayed->block(8) == '.');
    CHECK(replayed->block(9) == '.');
  }
}

TEST_CASE("with checksum v1 a changed data block undoes its transaction") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV1;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.log({{8, 'b'}});
  builder.commit();
  builder.journal_block(5)[77] ^= std::byte{1};
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK_FALSE(replayed->damage.empty());
  CHECK(replayed->block(7) == 'a');
  CHECK(replayed->block(8) == '.');
}

TEST_CASE("with checksum v1 a commit block without any checksum is taken") {
  JournalBuilder builder;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.checksum = JournalChecksum::kV1;
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->damage.empty());
  CHECK(replayed->block(7) == 'a');
}

TEST_CASE("a descriptor or revoke block with a wrong checksum undoes its transaction") {
  for (const std::uint32_t damaged_block : {4U, 6U}) {
    JournalBuilder builder;
    builder.checksum = JournalChecksum::kV3;
    builder.log({{7, 'a'}});
    builder.commit();
    builder.log({{8, 'b'}});  // 4, 5
    builder.revoke({7});      // 6
    builder.commit();
    builder.journal_block(damaged_block)[900] ^= std::byte{1};
    auto replayed = replay(builder);
    REQUIRE(replayed);
    CHECK_FALSE(replayed->damage.empty());
    CHECK(replayed->block(7) == 'a');
    CHECK(replayed->block(8) == '.');
  }
}

TEST_CASE("what an earlier round of the ring left is the log's end, not damage") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV3;
  builder.commit_seconds = 2000;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.commit_seconds = 1999;  // before the transaction that it follows
  builder.log({{8, 'b'}});
  builder.commit();
  builder.journal_block(4)[900] ^= std::byte{1};
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->damage.empty());
  CHECK(replayed->end_sequence == 11);
  CHECK(replayed->block(8) == '.');
}

TEST_CASE("a commit block of which only the first sector was written counts") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV3;
  builder.log({{7, 'a'}});
  builder.commit();
  std::ranges::fill(builder.journal_block(3).subspan(512), std::byte{0xee});
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->block(7) == 'a');
}

TEST_CASE("a descriptor whose tags fill the ring ends the scan") {
  JournalBuilder builder;
  std::vector<std::pair<std::uint64_t, char>> blocks;
  for (std::uint64_t i = 0; i < 70; ++i) blocks.emplace_back(i, 'x');
  builder.log(blocks);
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->overlay.size() == 0);
}

TEST_CASE("descriptors that lead around the ring to themselves end the scan") {
  // 63 blocks of ring: a descriptor with 62 tags, so that the next block is the same descriptor again.
  JournalBuilder builder;
  std::vector<std::pair<std::uint64_t, char>> blocks;
  for (std::uint64_t i = 0; i < 62; ++i) blocks.emplace_back(i, 'x');
  builder.log(blocks);
  CHECK(builder.cursor() == 1);
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->overlay.transactions() == 0);
  CHECK(replayed->overlay.size() == 0);
}

TEST_CASE("a tag past the partition's end ends the replay with a note") {
  JournalBuilder builder;
  builder.wide = true;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.log({{std::uint64_t{1} << 40U, 'b'}});
  builder.commit();
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->damage.find("past the partition's end") != std::string::npos);
  CHECK(replayed->overlay.size() == 1);
}

TEST_CASE("a revoke block that claims more than a block ends the replay with a note") {
  JournalBuilder builder;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.revoke({7});
  builder.commit();
  JournalBuilder::put32(builder.journal_block(4), 12, 1025);
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK_FALSE(replayed->damage.empty());
  CHECK(replayed->block(7) == 'a');
}

TEST_CASE("a block of an unknown type ends the log") {
  JournalBuilder builder;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.log({{8, 'b'}});
  builder.commit();
  JournalBuilder::put32(builder.journal_block(4), 4, 99);
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->damage.empty());
  CHECK(replayed->block(7) == 'a');
  CHECK(replayed->block(8) == '.');
}

TEST_CASE("the scan does not read data blocks where their checksums are in the tags") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV3;
  builder.log({{1, 'x'}, {2, 'x'}, {3, 'x'}, {4, 'x'}, {5, 'x'}, {6, 'x'}, {7, 'x'}, {8, 'x'}});
  builder.commit();
  const auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(builder.source().reads() == 3);  // descriptor, commit, and the block after, which is no journal block
}

TEST_CASE("a scan of the journal costs budget") {
  JournalBuilder builder;
  builder.log({{7, 'a'}});
  builder.commit();
  const auto bytes = builder.superblock();
  const auto superblock = parse_journal_superblock(bytes, 1024, 64);
  REQUIRE(superblock);
  Budget small(1, 1 << 20);
  const auto log = scan_journal_log(builder.file(), *superblock, small);
  REQUIRE_FALSE(log);
  CHECK(log.error().code == ErrorCode::kLimit);
}

}  // namespace pvhgrub::fs::test
