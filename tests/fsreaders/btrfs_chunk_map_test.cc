// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_chunk_map.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/fsreaders/memory_source.h"

namespace pvhgrub::fs::test {
namespace {

constexpr std::uint64_t kStripe = 65536;
constexpr std::uint64_t kBegin = 1 << 20;  // of the chunk, as a logical address

void put(std::vector<std::byte>& bytes, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
}

BtrfsUuid uuid_of(std::uint64_t device) {
  BtrfsUuid uuid{};
  uuid[0] = static_cast<std::byte>(device);
  return uuid;
}

// A chunk with a stripe on each device, which begins at 1000 stripes.
std::vector<std::byte> chunk(std::uint64_t type, const std::vector<std::uint64_t>& devices,
                             std::uint64_t length = 12 * kStripe, std::uint64_t stripe = kStripe,
                             unsigned sub_stripes = 2) {
  std::vector<std::byte> item;
  put(item, length, 8);
  put(item, 2, 8);
  put(item, stripe, 8);
  put(item, type | 1, 8);
  put(item, 0, 12);
  put(item, devices.size(), 2);
  put(item, sub_stripes, 2);
  for (const std::uint64_t device : devices) {
    put(item, device, 8);
    put(item, 1000 * kStripe, 8);
    const BtrfsUuid uuid = uuid_of(device);
    item.insert(item.end(), uuid.begin(), uuid.end());
  }
  return item;
}

class Devices {
 public:
  explicit Devices(std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i) list.push_back({i, uuid_of(i), 7, &source_});
  }
  std::vector<BtrfsDevice> list;

 private:
  // Only its size is asked for.
  class Huge final : public BlockSource {
   public:
    [[nodiscard]] std::uint64_t size() const override { return 2000 * kStripe; }
    Result<void> read_at(std::uint64_t, std::span<std::byte>) override { return {}; }
    Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override {
      return DiskExtent{0, offset, length};
    }
  };
  Huge source_;
};

// "1:5+10 2:5+10": device, whole stripes from the chunk's start there, bytes; then how far it goes on.
std::string place(const BtrfsChunkMap& map, std::uint64_t offset) {
  const auto mapping = map.map(kBegin + offset, ~std::uint64_t{0} / 2);
  if (!mapping) return mapping.error().message;
  std::string text;
  for (const BtrfsMapping::Copy& copy : mapping->present()) {
    const std::uint64_t within = copy.offset - 1000 * kStripe;
    text += std::to_string(copy.device->id) + ":" + std::to_string(within / kStripe) + "+" +
            std::to_string(within % kStripe) + " ";
  }
  return text + "for " + std::to_string(mapping->length);
}

}  // namespace

TEST_CASE("chunks of every profile map bytes to devices", "[btrfs]") {
  const Devices devices(4);
  const auto at = [&](std::uint64_t type, const std::vector<std::uint64_t>& on, std::uint64_t offset) {
    BtrfsChunkMap map(devices.list);
    REQUIRE(map.add(kBegin, chunk(type, on)).value() == 48 + 32 * on.size());
    return place(map, offset);
  };
  // From the documentation of the profiles, worked out by hand.
  CHECK(at(0, {3}, 5 * kStripe + 10) == "3:5+10 for 458742");
  CHECK(at(1U << 5U, {1, 1}, 10) == "1:0+10 1:0+10 for 786422");
  CHECK(at(1U << 4U, {1, 2}, 3 * kStripe) == "1:3+0 2:3+0 for 589824");
  CHECK(at(1U << 9U, {1, 2, 4}, 0) == "1:0+0 2:0+0 4:0+0 for 786432");
  CHECK(at(1U << 10U, {1, 2, 3, 4}, 0) == "1:0+0 2:0+0 3:0+0 4:0+0 for 786432");
  CHECK(at(1U << 3U, {1, 2, 3}, 4 * kStripe + 9) == "2:1+9 for 65527");
  CHECK(at(1U << 6U, {1, 2, 3, 4}, 5 * kStripe + 9) == "3:2+9 4:2+9 for 65527");
  CHECK(at(1U << 7U, {1, 2, 3}, 0) == "1:0+0 for 65536");
  CHECK(at(1U << 7U, {1, 2, 3}, 2 * kStripe) == "2:1+0 for 65536");
  CHECK(at(1U << 7U, {1, 2, 3}, 5 * kStripe) == "1:2+0 for 65536");
  CHECK(at(1U << 8U, {1, 2, 3, 4}, 3 * kStripe + 1) == "3:1+1 for 65535");
  CHECK(at(0, {3}, 12 * kStripe).find("a chunk is missing") == 0);
}

TEST_CASE("devices that are missing or too small hold no copy, those that missed writes the last",
          "[btrfs]") {
  Devices devices(2);
  devices.list[0].generation = 6;
  BtrfsChunkMap map(devices.list);
  REQUIRE(map.add(kBegin, chunk(1U << 9U, {1, 2, 9})));
  CHECK(place(map, 0) == "2:0+0 1:0+0 for 786432");
  CHECK(map.map(kBegin, 1).value().missing_device == 9);
  BtrfsChunkMap large(devices.list);
  REQUIRE(large.add(kBegin, chunk(0, {1}, 2000 * kStripe)));
  CHECK(large.map(kBegin + 1500 * kStripe, 1).value().copy_count == 0);
}

TEST_CASE("a chunk that is known is not added again, and wrong ones are refused", "[btrfs]") {
  const Devices devices(4);
  BtrfsChunkMap map(devices.list);
  REQUIRE(map.add(kBegin, chunk(0, {1})));
  REQUIRE(map.add(kBegin, chunk(0, {2})));
  CHECK(place(map, 0) == "1:0+0 for 786432");
  CHECK_FALSE(map.map(kBegin - 1, 1));
  CHECK_FALSE(map.map(0, 1));
  for (const std::vector<std::byte>& bad :
       {chunk(0, {}), chunk(1U << 7U, {1}), chunk(1U << 8U, {1, 2}), chunk(3U << 4U, {1, 2}),
        chunk(0, {1}, 0), chunk(0, {1}, ~std::uint64_t{0}), chunk(0, {1}, kStripe, 0),
        chunk(0, {1}, kStripe, 65537), chunk(1U << 6U, {1, 2, 3}),
        chunk(1U << 6U, {1, 2}, kStripe, kStripe, 0)}) {
    const auto added = map.add(8 * kBegin, bad);
    REQUIRE_FALSE(added);
    CHECK(added.error().code == ErrorCode::kDamaged);
  }
  std::vector<std::byte> cut = chunk(0, {1});
  cut.pop_back();
  CHECK_FALSE(map.add(8 * kBegin, cut));
  CHECK_FALSE(map.map(8 * kBegin, 1));
}

TEST_CASE("the superblock's system chunks are pairs of key and chunk", "[btrfs]") {
  const Devices devices(2);
  BtrfsChunkMap map(devices.list);
  std::vector<std::byte> pairs;
  for (const std::uint64_t begin : {kBegin, 100 * kBegin}) {
    put(pairs, 256, 8);
    put(pairs, 228, 1);
    put(pairs, begin, 8);
    const std::vector<std::byte> item = chunk(1U << 5U, {2, 2});
    pairs.insert(pairs.end(), item.begin(), item.end());
  }
  REQUIRE(map.add_system_chunks(pairs));
  CHECK(map.map(100 * kBegin, 1).value().copy_count == 2);
  pairs[8] = std::byte{1};
  CHECK_FALSE(BtrfsChunkMap(devices.list).add_system_chunks(pairs));
  pairs.resize(20);
  CHECK_FALSE(BtrfsChunkMap(devices.list).add_system_chunks(pairs));
}

}  // namespace pvhgrub::fs::test
