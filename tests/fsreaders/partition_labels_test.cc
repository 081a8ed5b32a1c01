// SPDX-License-Identifier: LGPL-2.1-or-later
// BSD labels on disks, in slices and beside other tables, and Sun's labels: names and places as GRUB 2.06
// tells them (labels_conformance_test.py asks it), and whatever a guest writes there ends in partitions of
// the disk.
#include "fsreaders/partition_labels.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "fsreaders/disk_set.h"
#include "fsreaders/partition_bsd_label.h"
#include "tests/fsreaders/disk_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint64_t kMiB = limits::kMiB;

void put(std::vector<std::byte>& bytes, std::size_t offset, std::uint64_t value, std::size_t size,
         bool big_endian = false) {
  for (std::size_t i = 0; i < size; ++i)
    bytes.at(offset + (big_endian ? size - 1 - i : i)) = static_cast<std::byte>(value >> (8 * i));
}

/// Makes the exclusive or of the first `size` bytes' 16-bit words 0 by the word at `place`.
void seal(std::vector<std::byte>& bytes, std::size_t place, std::size_t size) {
  put(bytes, place, 0, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    std::byte sum{};
    for (std::size_t at = i; at < size; at += 2) sum ^= bytes.at(at);
    bytes.at(place + i) = sum;
  }
}

struct BsdEntry {
  std::uint32_t start = 0;    ///< sectors
  std::uint32_t sectors = 0;  ///< sectors
  std::uint8_t type = 7;
};

/// A label's sector; entries by their letters.
std::vector<std::byte> bsd_label(const std::map<char, BsdEntry>& entries, std::uint16_t count = 8) {
  std::vector<std::byte> sector(512);
  put(sector, 0, 0x8256'4557, 4);
  put(sector, 132, 0x8256'4557, 4);
  put(sector, 138, count, 2);
  for (const auto& [letter, entry] : entries) {
    const auto place = 148 + 16 * static_cast<std::size_t>(letter - 'a');
    put(sector, place, entry.sectors, 4);
    put(sector, place + 4, entry.start, 4);
    put(sector, place + 12, entry.type, 1);
  }
  seal(sector, 136, std::min<std::size_t>(148 + std::size_t{16} * count, 500));
  return sector;
}

struct SunEntry {
  std::uint16_t tag = 0x83;
  std::uint32_t cylinder = 0;
  std::uint32_t sectors = 0;
};

/// With 4 heads of 32 sectors.
std::vector<std::byte> sun_label(const std::vector<SunEntry>& entries) {
  std::vector<std::byte> sector(512);
  put(sector, 128, 1, 4, true);
  put(sector, 140, 8, 2, true);
  put(sector, 188, 0x600D'DEEE, 4, true);
  put(sector, 432, 100, 2, true);
  put(sector, 436, 4, 2, true);
  put(sector, 438, 32, 2, true);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    put(sector, 142 + 4 * i, entries[i].tag, 2, true);
    put(sector, 444 + 8 * i, entries[i].cylinder, 4, true);
    put(sector, 448 + 8 * i, entries[i].sectors, 4, true);
  }
  put(sector, 508, 0xDABE, 2, true);
  seal(sector, 510, 512);
  return sector;
}

Result<PartitionTable> read_table(const Image& image) {
  Budget budget = Budget::standard();
  const auto disk = Disk::open(image.input(), 0);
  REQUIRE(disk);
  return read_partition_table(**disk, budget);
}

/// "name first-sector sectors" of each partition, by libfdisk and without it.
std::string lines(const Image& image) {
  const auto table = read_table(image);
  REQUIRE(table);
  std::string text;
  for (const Partition& partition : table->partitions)
    text += partition.name + " " + std::to_string(partition.offset / 512) + " " +
            std::to_string(partition.size / 512) + "\n";
  Budget budget = Budget::standard();
  const auto disk = Disk::open(image.input(), 0);
  const auto without = read_image_partition_table(**disk, "hd0", budget);
  REQUIRE(without);
  CHECK(without->kind == table->kind);
  REQUIRE(without->partitions.size() == table->partitions.size());
  for (std::size_t i = 0; i < table->partitions.size(); ++i) {
    CHECK(without->partitions[i].name == table->partitions[i].name);
    CHECK(without->partitions[i].offset == table->partitions[i].offset);
    CHECK(without->partitions[i].type == table->partitions[i].type);
  }
  return text;
}

std::string notes(const Image& image) {
  const auto table = read_table(image);
  REQUIRE(table);
  std::string text;
  for (const std::string& note : table->notes) text += note + "\n";
  return text;
}

const Partition& partition(const PartitionTable& table, std::string_view name) {
  for (const Partition& each : table.partitions)
    if (each.name == name) return each;
  FAIL("there is no " << name);
  return table.partitions.front();
}

}  // namespace

TEST_CASE("a BSD label on a bare disk divides it", "[labels]") {
  Image image(64 * kMiB);
  image.write(512, bsd_label({{'a', {16, 20'000}}, {'b', {20'016, 1'000, 1}}, {'c', {0, 131'072, 0}}}));
  CHECK(lines(image) == "bsd1 16 20000\nbsd2 20016 1000\n");
  const auto table = read_table(image);
  CHECK(table->kind == PartitionTable::Kind::kBsd);
  CHECK(table->kind_name() == "bsd");
  CHECK(table->partitions.front().type == "bsd:0x07");
  CHECK(table->notes.empty());
}

TEST_CASE("FreeBSD's labels count from their partition c, in each slice of that type", "[labels]") {
  Image image(64 * kMiB);
  write_boot_record(image, 0, {{0xA5, 2'048, 40'000}, {0x83, 44'000, 1'000}, {0xA5, 50'000, 40'000}});
  image.write(2'049 * 512, bsd_label({{'a', {0, 20'000}}, {'c', {0, 40'000, 0}}}));
  image.write(50'001 * 512, bsd_label({{'a', {50'016, 20'000}}, {'c', {50'000, 40'000, 0}}}));
  image.write(44'001 * 512, bsd_label({{'a', {0, 100}}}));
  CHECK(lines(image) ==
        "msdos1 2048 40000\nmsdos1,bsd1 2048 20000\nmsdos2 44000 1000\nmsdos3 50000 40000\n"
        "msdos3,bsd1 50016 20000\n");
  const auto table = read_table(image);
  CHECK(partition(*table, "msdos1").begins_as == "msdos1,bsd1");
  CHECK(partition(*table, "msdos1,bsd1").begins_as.empty());
  CHECK(partition(*table, "msdos3").begins_as.empty());
  // With two partitions there is no c, and so nothing to count from but the slice.
  image.write(2'049 * 512, bsd_label({{'a', {100, 200}}, {'b', {2'048, 30}}}, 2));
  CHECK(lines(image).find("msdos1,bsd1 2148 200\nmsdos1,bsd2 4096 30\n") != std::string::npos);
}

TEST_CASE("NetBSD's and OpenBSD's labels count from the disk's beginning, in their first slice", "[labels]") {
  Image image(64 * kMiB);
  write_boot_record(
      image, 0, {{0xA9, 2'048, 4'000}, {0xA6, 8'192, 40'000}, {0xA9, 60'000, 40'000}, {0xA9, 100'000, 9}});
  image.write(8'193 * 512, bsd_label({{'a', {8'192, 20'000}}, {'p', {60'000, 100, 8}}}, 16));
  image.write(60'001 * 512,
              bsd_label({{'a', {60'000, 1'000}}, {'c', {60'000, 40'000, 0}}, {'d', {0, 131'072, 0}}}));
  image.write(100'001 * 512, bsd_label({{'a', {100, 1'000}}}));
  CHECK(lines(image) ==
        "msdos1 2048 4000\nmsdos2 8192 40000\nmsdos3 60000 40000\nmsdos4 100000 9\n"
        "netbsd1 60000 1000\nnetbsd4 0 131072\nopenbsd1 8192 20000\nopenbsd16 60000 100\n");
  const auto table = read_table(image);
  CHECK(partition(*table, "msdos3").begins_as == "openbsd16");  // the smallest that begins there
  CHECK(partition(*table, "netbsd1").begins_as == "openbsd16");
  CHECK(partition(*table, "msdos2").begins_as == "openbsd1");
  CHECK(partition(*table, "msdos1").begins_as.empty());
}

TEST_CASE("a disk that is FreeBSD's alone has a record and a label", "[labels]") {
  Image image(64 * kMiB);
  write_boot_record(image, 0, {{}, {}, {}, {0xA5, 0, 50'000, 0x80}});
  image.write(512, bsd_label({{'a', {0, 20'000}}, {'c', {0, 131'072, 0}}}));
  CHECK(lines(image) == "msdos4 0 50000\nbsd1 0 20000\n");
  CHECK(partition(*read_table(image), "msdos4").begins_as == "bsd1");
}

TEST_CASE("a label lies in a GPT partition of its type, and in no other", "[labels]") {
  Image image(64 * kMiB);
  GptMaker maker;
  maker.entries = {GptEntry{2'048, 40'000, "one"}, GptEntry{50'000, 90'000, "two"}};
  maker.write(image);
  image.write(2'049 * 512, bsd_label({{'a', {10, 100}}}));
  CHECK(lines(image) == "gpt1 2048 37953\ngpt2 50000 40001\n");
}

TEST_CASE("what a label says wrong is told, and the rest counts", "[labels]") {
  Image image(64 * kMiB);
  SECTION("past the slice's end, in front of it, past the disk's end") {
    write_boot_record(image, 0, {{0xA5, 2'048, 1'000}, {0xA9, 8'192, 100}});
    image.write(2'049 * 512, bsd_label({{'a', {2'058, 991}},
                                        {'b', {2'047, 10}},
                                        {'c', {2'048, 1'000, 0}},
                                        {'d', {0, 131'072, 0}},
                                        {'e', {2'058, 990}},
                                        {'f', {0xFFFF'FFFF, 0xFFFF'FFFF}}}));
    image.write(8'193 * 512, bsd_label({{'a', {131'072, 1}}, {'b', {131'071, 2}}}));
    CHECK(lines(image) == "msdos1 2048 1000\nmsdos1,bsd5 2058 990\nmsdos2 8192 100\nnetbsd2 131071 2\n");
    const std::string told = notes(image);
    for (const char* const text :
         {"hd0,msdos1,bsd1 is left out: it reaches past the end of hd0,msdos1",
          "hd0,msdos1,bsd2 is left out: it begins in front", "hd0,msdos1,bsd6 is left out",
          "hd0,netbsd1 is left out: it begins at byte", "hd0,netbsd2 reaches to byte"})
      CHECK(told.find(text) != std::string::npos);
    CHECK(told.find("bsd4") == std::string::npos);  // unused: the whole disk
  }
  SECTION("a wrong checksum") {
    auto label = bsd_label({{'a', {16, 1'000}}});
    label[80] = std::byte{1};
    image.write(512, label);
    CHECK(lines(image) == "bsd1 16 1000\n");
    CHECK(notes(image).find("the BSD label of hd0 has a wrong checksum") != std::string::npos);
  }
  SECTION("more partitions than there is room for") {
    std::map<char, BsdEntry> entries;
    for (char letter = 'a'; letter <= 'v'; ++letter)
      entries[letter] = {100 * static_cast<std::uint32_t>(letter - 'a' + 1), 50};
    image.write(512, bsd_label(entries, 65'535));
    const auto table = read_table(image);
    REQUIRE(table);
    CHECK(table->partitions.size() == kBsdPartitions - 1);
    CHECK(table->partitions.back().name == "bsd22");
    CHECK(notes(image).find("65535 partitions: only the 22") != std::string::npos);
  }
  SECTION("none") {
    image.write(512, bsd_label({}, 0));
    CHECK(lines(image).empty());
    CHECK(notes(image).empty());
  }
}

TEST_CASE("a label that describes itself is no circle", "[labels]") {
  Image image(64 * kMiB);
  write_boot_record(image, 0, {{0xA5, 2'048, 40'000}});
  image.write(2'049 * 512, bsd_label({{'a', {0, 40'000}}, {'b', {0, 40'000}}, {'d', {0, 40'000}}}));
  CHECK(lines(image) ==
        "msdos1 2048 40000\nmsdos1,bsd1 2048 40000\nmsdos1,bsd2 2048 40000\nmsdos1,bsd4 2048 40000\n");
  const auto table = read_table(image);
  for (const Partition& each : table->partitions)
    CHECK(each.begins_as == (each.name == "msdos1,bsd1" ? "" : "msdos1,bsd1"));
}

TEST_CASE("Sun's label counts in cylinders", "[labels]") {
  Image image(64 * kMiB);
  image.write(0,
              sun_label({{0x83, 0, 10'000}, {0x82, 100, 1'280}, {5, 0, 131'072}, {0, 5, 5}, {0x83, 200, 0}}));
  CHECK(lines(image) == "sun1 0 10000\nsun2 12800 1280\n");
  const auto table = read_table(image);
  CHECK(table->kind_name() == "sun");
  CHECK(table->partitions[1].type == "sun:0x82");
  SECTION("its checksum must be right") {
    image.fill(100, 1, std::byte{1});
    CHECK(lines(image).empty());
    CHECK(read_table(image)->kind == PartitionTable::Kind::kNone);
  }
  SECTION("one that leaves the disk is left out") {
    image.write(0, sun_label({{0x83, 0xFFFF'FFFF, 0xFFFF'FFFF}, {0x83, 1, 1}}));
    CHECK(lines(image) == "sun2 128 1\n");
    CHECK(notes(image).find("hd0,sun1 is left out") != std::string::npos);
  }
}

TEST_CASE("partitions of labels are devices by all of GRUB's names", "[labels]") {
  Image image(64 * kMiB);
  write_boot_record(image, 0, {{0xA5, 2'048, 40'000}});
  image.write(2'049 * 512, bsd_label({{'a', {0, 20'000}}, {'b', {20'000, 100}}}));
  Budget budget = Budget::standard();
  const auto set = DiskSet::open({image.input()}, budget, nullptr);
  REQUIRE(set);
  for (const char* const name :
       {"hd0,msdos1,bsd2", "hd0,1,2", "hd0,msdos1,2", "hd0,1,bsd2", "hd00,msdos01,bsd0x2"}) {
    const Device* const device = (*set)->device(name);
    REQUIRE(device != nullptr);
    CHECK(device->name == "hd0,msdos1,bsd2");
    CHECK((*set)->source(name)->locate(0, 1)->offset == 22'048 * 512);
  }
  for (const char* const name : {"hd0,bsd2", "hd0,2", "hd0,1,3", "hd0,msdos1,msdos2", "hd0,1,2,1"})
    CHECK((*set)->device(name) == nullptr);
  CHECK((*set)->device("hd0,1")->name == "hd0,msdos1");
  CHECK((*set)->device("hd0,msdos1")->begins_as == "hd0,msdos1,bsd1");
}

TEST_CASE("no changed byte of a label does worse than an error", "[labels]") {
  std::mt19937 random(4'711);
  const auto pick = [&random](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  const auto check = [](const Image& image) {
    const auto table = read_table(image);
    if (!table) return false;
    CHECK(table->partitions.size() <= limits::kPartitions);
    for (const Partition& each : table->partitions) CHECK(each.offset < image.size());
    Budget budget = Budget::standard();
    const auto set = DiskSet::open({image.input()}, budget, nullptr);
    REQUIRE(set);
    for (const Device& device : (*set)->devices()) CHECK((*set)->device(device.name) != nullptr);
    return table->partitions.size() > 1;
  };
  unsigned useful = 0;
  for (int round = 0; round < 500; ++round) {
    Image image(64 * kMiB);
    auto sun = sun_label({{0x83, 0, 10'000}, {0x82, 100, 1'280}, {5, 0, 131'072}});
    auto label =
        bsd_label({{'a', {16, 1'000}}, {'b', {1'016, 10}}, {'c', {0, 40'000}}, {'e', {5'000, 900}}}, 16);
    const bool is_sun = round % 3 == 0;
    auto& changed = is_sun ? sun : label;
    for (std::size_t i = 0; i <= pick(4); ++i) {
      // Most often where something is read.
      const std::size_t place = pick(4) == 0 ? pick(512) : (is_sun ? pick(2) * 302 + 142 : 136) + pick(66);
      const std::byte values[] = {std::byte{0}, std::byte{0xFF}, static_cast<std::byte>(random()),
                                  changed[place] ^ std::byte{0x80}};
      changed[place] = values[pick(4)];
    }
    if (pick(8) != 0) seal(sun, 510, 512);
    if (pick(2) != 0) seal(label, 136, 500);
    if (is_sun) {
      image.write(0, sun);
      image.write(512, label);
    } else {
      if (round % 3 == 1)
        write_boot_record(image, 0,
                          {{static_cast<std::uint8_t>(round % 2 == 0 ? 0xA5 : 0xA9), 2'048, 40'000}});
      image.write(round % 3 == 1 ? 2'049 * 512 : 512, label);
    }
    INFO("round " << round);
    useful += check(image) ? 1U : 0U;
  }
  CHECK(useful > 250);
}
