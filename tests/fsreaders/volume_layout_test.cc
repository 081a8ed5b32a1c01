// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/volume_layout.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>

#include "fsreaders/volume_source.h"
#include "tests/fsreaders/memory_source.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

using Kind = VolumeLayout::Kind;
using Parity = VolumeLayout::Parity;

/// The data chunks of the first rows as a table: the chunk's letter, '.' where a row has something else.
std::string rows_of(const VolumeLayout& layout, std::uint64_t chunks, std::uint64_t rows) {
  std::string table;
  for (std::uint64_t row = 0; row < rows; ++row) table += std::string(layout.legs, '.') + "\n";
  for (std::uint64_t chunk = 0; chunk < chunks; ++chunk)
    for (const VolumePlace& copy : find_places(layout, chunk * layout.chunk).copies) {
      const std::uint64_t row = copy.offset / layout.chunk;
      if (row < rows) table[row * (layout.legs + 1) + copy.leg] = static_cast<char>('A' + chunk);
    }
  return table;
}

VolumeLayout raid5(std::uint32_t legs, Parity parity) {
  VolumeLayout layout;
  layout.kind = Kind::kParity;
  layout.chunk = 4096;
  layout.legs = legs;
  layout.parity_legs = 1;
  layout.parity = parity;
  return layout;
}

VolumeLayout raid10(std::uint32_t legs, std::uint32_t near, std::uint32_t far, bool offset) {
  VolumeLayout layout;
  layout.kind = Kind::kRaid10;
  layout.chunk = 4096;
  layout.legs = legs;
  layout.near_copies = near;
  layout.far_copies = far;
  layout.far_offset = offset;
  layout.stride = offset ? 4096 : 4 * 4096;
  return layout;
}

}  // namespace

// The tables are those of the SNIA's DDF and of md(4).
TEST_CASE("data chunks go round the parity as each order says") {
  CHECK(rows_of(raid5(4, Parity::kLeftAsymmetric), 12, 4) == "ABC.\nDE.F\nG.HI\n.JKL\n");
  CHECK(rows_of(raid5(4, Parity::kRightAsymmetric), 12, 4) == ".ABC\nD.EF\nGH.I\nJKL.\n");
  CHECK(rows_of(raid5(4, Parity::kLeftSymmetric), 12, 4) == "ABC.\nEF.D\nI.GH\n.JKL\n");
  CHECK(rows_of(raid5(4, Parity::kRightSymmetric), 12, 4) == ".ABC\nF.DE\nHI.G\nJKL.\n");
  CHECK(rows_of(raid5(4, Parity::kLast), 6, 2) == "ABC.\nDEF.\n");
  CHECK(rows_of(raid5(4, Parity::kFirst), 6, 2) == ".ABC\n.DEF\n");
}

TEST_CASE("level 6 leaves two legs of each row to parity") {
  VolumeLayout layout = raid5(5, Parity::kLeftSymmetric);
  layout.parity_legs = 2;
  for (const Parity parity :
       {Parity::kLeftAsymmetric, Parity::kRightAsymmetric, Parity::kLeftSymmetric, Parity::kRightSymmetric,
        Parity::kZeroRestart, Parity::kNextRestart, Parity::kNextContinue, Parity::kFirst, Parity::kLast}) {
    layout.parity = parity;
    std::set<std::pair<std::uint32_t, std::uint64_t>> taken;
    for (std::uint64_t chunk = 0; chunk < 60; ++chunk) {
      const VolumePlaces places = find_places(layout, chunk * layout.chunk);
      REQUIRE(places.copies.size() == 1);
      CHECK(places.copies[0].leg < layout.legs);
      CHECK(places.copies[0].offset / layout.chunk == chunk / 3);
      CHECK(taken.insert({places.copies[0].leg, places.copies[0].offset}).second);
    }
  }
}

TEST_CASE("copies of level 10 lie near, far and offset") {
  CHECK(rows_of(raid10(4, 2, 1, false), 4, 2) == "AABB\nCCDD\n");
  CHECK(rows_of(raid10(3, 2, 1, false), 3, 2) == "AAB\nBCC\n");
  CHECK(rows_of(raid10(3, 1, 2, true), 6, 4) == "ABC\nCAB\nDEF\nFDE\n");
  CHECK(rows_of(raid10(3, 1, 2, false), 6, 6) == "ABC\nDEF\n...\n...\nCAB\nFDE\n");
}

TEST_CASE("stripes are cut at their ends") {
  VolumeLayout layout;
  layout.kind = Kind::kStriped;
  layout.chunk = 1024;
  layout.legs = 3;
  const VolumePlaces places = find_places(layout, 4 * 1024 + 24);
  CHECK(places.length == 1000);
  CHECK(places.copies == std::vector<VolumePlace>{{1, 1024 + 24}});
}

TEST_CASE("a mirror reads its other leg where the first cannot be read") {
  MemorySource first(std::vector<std::byte>(8192, std::byte{'a'}), 0);
  MemorySource second(std::vector<std::byte>(8192, std::byte{'a'}), 1);
  first.make_bad(1000, 1100);
  VolumeSegment segment;
  segment.length = 4096;
  segment.layout.legs = 2;
  segment.legs = {{&first, 512}, {&second, 1024}};
  VolumeSource volume("lvm/a-b", {segment});
  CHECK(volume.size() == 4096);
  std::vector<std::byte> bytes(4096);
  CHECK(volume.read_at(0, bytes));
  CHECK(bytes.front() == std::byte{'a'});
  const auto extent = volume.locate(100, 10'000);
  REQUIRE(extent);
  CHECK(*extent == DiskExtent{0, 612, 3996});
  CHECK_FALSE(volume.read_at(1, bytes));
  CHECK_FALSE(volume.locate(4096, 1));
  second.make_bad(0, 8192);
  const auto failed = volume.read_at(0, bytes);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::kIo);
}

TEST_CASE("a volume without a leg that holds the bytes says so") {
  VolumeSegment segment;
  segment.length = 4096;
  segment.legs = {{nullptr, 0}};
  CHECK_FALSE(is_readable(segment));
  VolumeSource volume("md/0", {segment});
  std::vector<std::byte> bytes(16);
  const auto failed = volume.read_at(0, bytes);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::kUnsupported);
  VolumeSegment pairs;
  pairs.length = 1 << 20;
  pairs.layout = raid10(4, 2, 1, false);
  MemorySource leg(std::vector<std::byte>(16));
  pairs.legs = {{&leg, 0}, {nullptr, 0}, {nullptr, 0}, {&leg, 0}};
  CHECK(is_readable(pairs));
  pairs.legs[3].source = nullptr;
  CHECK_FALSE(is_readable(pairs));
}
