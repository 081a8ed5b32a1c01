// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_volume.h"

#include <catch2/catch.hpp>

#include "tests/fsreaders/journal_builder.h"

namespace pvhgrub::fs::test {
namespace {

constexpr std::uint64_t kBlock = JournalBuilder::kBlockSize;

}  // namespace

TEST_CASE("bytes are located in the journal where it has a copy of their block") {
  JournalBuilder builder;
  builder.log({{7, 'a'}, {9, 'M'}});
  builder.commit();
  auto replayed = replay(builder);
  REQUIRE(replayed);
  Budget budget = Budget::standard();
  ExtVolume volume(builder.source(), budget, JournalBuilder::kBlockSize);
  CHECK(volume.size() == std::uint64_t{JournalBuilder::kDiskBlocks} * kBlock);
  volume.set_overlay(std::move(replayed->overlay));

  // Up to the block that the journal has, and that one in it: behind its superblock and a descriptor.
  CHECK(volume.locate(6 * kBlock + 10, 5000) == DiskExtent{0, 6 * kBlock + 10, kBlock - 10});
  const std::uint64_t copy = (JournalBuilder::kJournalAt + 2) * kBlock;
  CHECK(volume.locate(7 * kBlock + 10, 5000) == DiskExtent{0, copy + 10, kBlock - 10});
  CHECK(volume.locate(8 * kBlock, 100) == DiskExtent{0, 8 * kBlock, 100});
  // Escaped, so that the journal holds other bytes.
  const auto escaped = volume.locate(9 * kBlock, 100);
  REQUIRE_FALSE(escaped);
  CHECK(escaped.error().code == ErrorCode::kUnsupported);
  CHECK(volume.locate(volume.size() - 1, 2).error().code == ErrorCode::kDamaged);
  CHECK(volume.locate(volume.size(), 0).error().code == ErrorCode::kDamaged);
}

TEST_CASE("a copy with a wrong checksum is located nowhere") {
  JournalBuilder builder;
  builder.checksum = JournalChecksum::kV3;
  builder.log({{7, 'a'}});
  builder.commit();
  builder.journal_block(2)[100] ^= std::byte{1};
  auto replayed = replay(builder);
  REQUIRE(replayed);
  Budget budget = Budget::standard();
  ExtVolume volume(builder.source(), budget, JournalBuilder::kBlockSize);
  volume.set_overlay(std::move(replayed->overlay));
  CHECK(volume.locate(7 * kBlock, 10).error().code == ErrorCode::kDamaged);
  CHECK(volume.locate(8 * kBlock, 10).has_value());
}

}  // namespace pvhgrub::fs::test
