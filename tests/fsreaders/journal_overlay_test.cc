// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_overlay.h"

#include <catch2/catch.hpp>

#include "tests/fsreaders/journal_builder.h"

namespace pvhgrub::fs::test {
namespace {

// Every layout of tags and checksums that jbd2 has.
struct Layout {
  JournalChecksum checksum;
  bool wide;
};
const Layout kLayouts[] = {{JournalChecksum::kNone, false}, {JournalChecksum::kNone, true},
                           {JournalChecksum::kV1, false},   {JournalChecksum::kV1, true},
                           {JournalChecksum::kV2, false},   {JournalChecksum::kV2, true},
                           {JournalChecksum::kV3, false},   {JournalChecksum::kV3, true}};

JournalBuilder builder_of(const Layout& layout) {
  JournalBuilder builder;
  builder.checksum = layout.checksum;
  builder.wide = layout.wide;
  return builder;
}

}  // namespace

TEST_CASE("of a block that was logged several times the last copy counts, in every layout") {
  for (const Layout& layout : kLayouts) {
    JournalBuilder builder = builder_of(layout);
    builder.log({{7, 'a'}, {9, 'b'}, {1000, 'c'}});
    builder.commit();
    builder.log({{9, 'd'}});
    builder.commit();
    auto replayed = replay(builder);
    REQUIRE(replayed);
    CHECK(replayed->damage.empty());
    CHECK(replayed->overlay.transactions() == 2);
    CHECK(replayed->overlay.size() == 3);
    CHECK(replayed->block(7) == 'a');
    CHECK(replayed->block(9) == 'd');
    CHECK(replayed->block(1000) == 'c');
    CHECK(replayed->block(8) == '.');
  }
}

TEST_CASE("a transaction without its commit block is not replayed, nor what it revoked") {
  for (const Layout& layout : kLayouts) {
    JournalBuilder builder = builder_of(layout);
    builder.log({{7, 'a'}});
    builder.commit();
    builder.revoke({7});
    builder.log({{8, 'b'}});
    auto replayed = replay(builder);
    REQUIRE(replayed);
    CHECK(replayed->damage.empty());
    CHECK(replayed->block(7) == 'a');
    CHECK(replayed->block(8) == '.');
  }
}

TEST_CASE("a revoke record cancels copies of earlier transactions and of its own, not later ones") {
  for (const Layout& layout : kLayouts) {
    JournalBuilder builder = builder_of(layout);
    builder.log({{5, 'a'}, {6, 'a'}, {7, 'a'}});
    builder.commit();
    builder.log({{6, 'b'}});
    builder.revoke({5, 6, 7});
    builder.commit();
    builder.log({{7, 'c'}});
    builder.commit();
    auto replayed = replay(builder);
    REQUIRE(replayed);
    CHECK(replayed->block(5) == '.');
    CHECK(replayed->block(6) == '.');
    CHECK(replayed->block(7) == 'c');
  }
}

TEST_CASE("the last of several revoke records of a block counts") {
  JournalBuilder builder;
  builder.revoke({7});
  builder.commit();
  builder.log({{7, 'a'}});
  builder.commit();
  builder.revoke({7});
  builder.commit();
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->block(7) == '.');
}

TEST_CASE("a block that begins with the journal's magic gets it back") {
  for (const Layout& layout : kLayouts) {
    JournalBuilder builder = builder_of(layout);
    builder.log({{7, 'M'}});
    builder.commit();
    auto replayed = replay(builder);
    REQUIRE(replayed);
    const auto segment = replayed->overlay.first_segment(7, 1);
    REQUIRE(segment);
    REQUIRE(segment->copy);
    CHECK(segment->copy->escaped);
    std::vector<std::byte> contents(JournalBuilder::kBlockSize);
    REQUIRE(replayed->overlay.read_copy(*segment->copy, contents));
    CHECK(parse_journal_header(contents).has_value());
    CHECK(contents[4] == std::byte{'M'});
  }
}

TEST_CASE("the log goes around the ring, also in the middle of a transaction") {
  for (const Layout& layout : kLayouts) {
    JournalBuilder builder = builder_of(layout);
    builder.start = 61;
    builder.log({{7, 'a'}, {8, 'b'}, {9, 'c'}, {10, 'd'}});  // descriptor at 61, data at 62, 63, 1, 2
    builder.commit();
    builder.log({{8, 'e'}});
    builder.commit();
    CHECK(builder.cursor() == 7);
    auto replayed = replay(builder);
    REQUIRE(replayed);
    CHECK(replayed->block(7) == 'a');
    CHECK(replayed->block(8) == 'e');
    CHECK(replayed->block(9) == 'c');
    CHECK(replayed->block(10) == 'd');
  }
}

TEST_CASE("sequence numbers wrap around after the last one") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV3;
  builder.sequence = 0xffffffff;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.log({{8, 'b'}});
  builder.revoke({7});
  builder.commit();
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->overlay.transactions() == 2);
  CHECK(replayed->block(7) == '.');
  CHECK(replayed->block(8) == 'b');
}

TEST_CASE("a fragmented journal is followed through its runs") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV2;
  builder.runs = {{0, 3, 300}, {3, 1, 200}, {4, 60, 400}};
  builder.log({{7, 'a'}, {8, 'b'}, {9, 'c'}});
  builder.commit();
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->block(7) == 'a');
  CHECK(replayed->block(8) == 'b');
  CHECK(replayed->block(9) == 'c');
}

TEST_CASE("a journal with a hole where the log is, is damaged") {
  JournalBuilder builder;
  builder.runs = {{0, 64, 300}};
  builder.log({{7, 'a'}});
  builder.commit();
  builder.runs = {{0, 1, 300}, {3, 61, 303}};
  const auto replayed = replay(builder);
  REQUIRE_FALSE(replayed);
  CHECK(replayed.error().code == ErrorCode::kDamaged);
}

TEST_CASE("a data block with the wrong checksum is an error when it is read, and only then") {
  for (const JournalChecksum checksum : {JournalChecksum::kV2, JournalChecksum::kV3}) {
    JournalBuilder builder;
    builder.checksum = checksum;
    builder.log({{7, 'a'}, {8, 'b'}});
    builder.commit();
    builder.journal_block(2)[500] ^= std::byte{1};
    auto replayed = replay(builder);
    REQUIRE(replayed);
    CHECK(replayed->damage.empty());
    CHECK(replayed->block(8) == 'b');
    const auto segment = replayed->overlay.first_segment(7, 1);
    REQUIRE(segment);
    std::vector<std::byte> contents(JournalBuilder::kBlockSize);
    const auto read = replayed->overlay.read_copy(*segment->copy, contents);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kDamaged);
    CHECK(read.error().where ==
          "file system byte " + std::to_string((JournalBuilder::kJournalAt + 2) * 1024));
  }
}

TEST_CASE("a range of blocks is cut where a copy begins") {
  JournalBuilder builder;
  builder.log({{10, 'a'}, {11, 'b'}, {20, 'c'}});
  builder.commit();
  auto replayed = replay(builder);
  REQUIRE(replayed);
  CHECK(replayed->overlay.first_segment(0, 5)->count == 5);
  CHECK(replayed->overlay.first_segment(0, 100)->count == 10);
  CHECK_FALSE(replayed->overlay.first_segment(0, 100)->copy);
  CHECK(replayed->overlay.first_segment(10, 100)->count == 1);
  CHECK(replayed->overlay.first_segment(10, 100)->copy);
  CHECK(replayed->overlay.first_segment(12, 100)->count == 8);
  CHECK(replayed->overlay.first_segment(21, 100)->count == 100);
}

}  // namespace pvhgrub::fs::test
