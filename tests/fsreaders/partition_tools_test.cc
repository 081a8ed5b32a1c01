// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables that other programs write, and bytes turned at random: what sfdisk and sgdisk wrote is found, and no
// change of a byte makes the reader do worse than fail.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "fsreaders/partition_table.h"
#include "tests/fsreaders/disk_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint64_t kMiB = limits::kMiB;

/// All that is read of a table, in text. Without entries of type 0, which Linux counts and libfdisk does not.
std::string description(const Result<PartitionTable>& table) {
  if (!table) return "error";
  std::ostringstream stream;
  stream << table->kind_name() << " " << table->sector_size << " " << table->disk_uuid << "\n";
  for (const Partition& partition : table->partitions)
    if (partition.type != "0x00")
      stream << partition.number << " " << partition.offset << " " << partition.size << " " << partition.type
             << " " << partition.uuid << " " << partition.label << " " << partition.attributes << " "
             << partition.bootable << "\n";
  return stream.str();
}

/// Without libfdisk the same must be read of `sane` tables, where nothing but the bytes says how large a
/// sector is. (Of entries that point past the disk's end libfdisk makes less.)
Result<PartitionTable> read_table(const DiskInput& input, bool sane = true) {
  Budget budget = Budget::standard();
  const auto disk = Disk::open(input, 0);
  REQUIRE(disk);
  auto table = read_partition_table(**disk, budget);
  if (input.sector_size == 0 && sane)
    CHECK(description(read_image_partition_table(**disk, "hd0", budget)) == description(table));
  return table;
}

/// "number offset size" in bytes, a line each.
std::string lines(const PartitionTable& table) {
  std::string text;
  for (const Partition& partition : table.partitions)
    text += std::to_string(partition.number) + " " + std::to_string(partition.offset) + " " +
            std::to_string(partition.size) + "\n";
  return text;
}

/// The same from libblkid, by partx(8), whose sectors have always 512 bytes; without extended partitions.
std::string lines_of_partx(const Image& image) {
  const auto output = run("PATH=$PATH:/usr/sbin:/sbin LC_ALL=C partx -g -r -o NR,START,SECTORS,TYPE " +
                          image.path() + " 2>/dev/null");
  REQUIRE(output);
  std::istringstream stream(*output);
  std::string text;
  std::uint64_t number = 0;
  std::uint64_t start = 0;
  std::uint64_t sectors = 0;
  for (std::string type; stream >> number >> start >> sectors >> type;)
    if (type != "0x5" && type != "0xf" && type != "0x85")
      text += std::to_string(number) + " " + std::to_string(start * 512) + " " +
              std::to_string(sectors * 512) + "\n";
  return text;
}

/// The image of a .table file: "size BYTES sector BYTES", then "OFFSET HEXADECIMAL" for each row that is not
/// zero.
std::pair<Image, std::uint32_t> load_table(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::string word;
  std::uint64_t size = 0;
  std::uint32_t sector_size = 0;
  REQUIRE(stream >> word >> size >> word >> sector_size);
  Image image(size);
  std::uint64_t offset = 0;
  for (std::string hexadecimal; stream >> offset >> hexadecimal;) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2)
      bytes.push_back(static_cast<std::byte>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16)));
    image.write(offset, bytes);
  }
  return {std::move(image), sector_size};
}

/// `text` as partx --raw prints it: bytes that are not ASCII as \xHH.
std::string raw(const std::string& text) {
  std::ostringstream stream;
  for (const char c : text) {
    const unsigned value = static_cast<unsigned char>(c);
    if (value < 0x80)
      stream << c;
    else
      stream << "\\x" << std::hex << value;
  }
  return stream.str();
}

/// A table in partx's columns NR,START,SECTORS,FLAGS,TYPE,UUID,NAME, without extended partitions.
std::string columns(const PartitionTable& table) {
  const std::string active = table.kind == PartitionTable::Kind::kGpt ? "0x4" : "0x80";
  std::string text;
  for (const Partition& partition : table.partitions)
    text += std::to_string(partition.number) + " " + std::to_string(partition.offset / 512) + " " +
            std::to_string(partition.size / 512) + " " + (partition.bootable ? active : "0x0") + " " +
            partition.type + " " + partition.uuid + " " + raw(partition.label) + "\n";
  return text;
}

std::string without_extended(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::string text;
  for (std::string line; std::getline(stream, line);)
    if (line.find(" 0x5 ") == std::string::npos) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("tables that sfdisk and sgdisk wrote are read as libblkid reads them") {
  std::size_t count = 0;
  const std::filesystem::path folder = std::filesystem::path(PVHGRUB_TEST_DATA) / "partition_tables";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".table") continue;
    ++count;
    INFO(file.path().stem().string());
    const auto [image, sector_size] = load_table(file.path());
    // As a block device says it; and for GPT also as a file, which does not.
    DiskInput input = image.input();
    input.sector_size = sector_size;
    const std::string expected =
        without_extended(std::filesystem::path(file.path()).replace_extension(".partx"));
    REQUIRE_FALSE(expected.empty());
    const auto table = read_table(input);
    REQUIRE(table);
    CHECK(columns(*table) == expected);
    CHECK(table->sector_size == sector_size);
    if (table->kind != PartitionTable::Kind::kGpt) continue;
    const auto guessed = read_table(image.input());
    REQUIRE(guessed);
    CHECK(columns(*guessed) == expected);
  }
  CHECK(count >= 14);
}

TEST_CASE("random MBRs are read as libblkid reads them") {
  if (!have_programs({"partx"})) return;
  std::mt19937 random(20'240'601);
  const auto below = [&random](std::uint32_t limit) {
    return std::uint32_t{static_cast<std::uint32_t>(random())} % limit;
  };
  for (int round = 0; round < 100; ++round) {
    Image image(100 * kMiB);
    // Primaries in the first 10,000 sectors; one extended partition from 10,000 with records every 1,000.
    std::vector<MsdosEntry> primaries;
    for (std::uint32_t i = 0; i < 3; ++i)
      primaries.push_back(below(3) == 0 ? MsdosEntry{}
                                        : MsdosEntry{0x83, 2'000 * (i + 1), 1 + below(1'999), 0});
    primaries.insert(primaries.begin() + below(4), MsdosEntry{0x0F, 10'000, 150'000, 0});
    write_boot_record(image, 0, primaries, 1);
    const std::uint32_t records = 1 + below(12);
    for (std::uint32_t i = 0; i < records; ++i) {
      std::vector<MsdosEntry> entries(2);
      const std::uint32_t swapped = below(4) == 0 ? 1 : 0;
      if (below(4) != 0) entries[swapped] = MsdosEntry{0x83, 1 + below(100), 1 + below(800), 0};
      if (i + 1 < records) entries[1 - swapped] = MsdosEntry{0x05, 1'000 * (i + 1), 1'000, 0};
      if (below(8) == 0) entries.push_back(MsdosEntry{0x83, 950, 1 + below(40), 0});
      // A record without magic ends the chain; the first one must be good, or there is none at all.
      write_boot_record(image, (10'000 + 1'000 * i) * 512, entries, 0, i == 0 || below(10) != 0);
    }
    const auto table = read_table(image.input());
    REQUIRE(table);
    INFO("round " << round);
    CHECK(lines(*table) == lines_of_partx(image));
  }
}

TEST_CASE("no changed byte of a GPT does worse than an error") {
  Image image(64 * kMiB);
  GptMaker maker;
  maker.entries = {GptEntry{2'048, 18'431, "one", 0}, GptEntry{18'432, 65'535, "two", 0x8101'0000'0000'0007}};
  maker.write(image);
  const auto whole = read_table(image.input());
  REQUIRE(whole);
  // The boot record's table, the header, the first entries; then the same of the backup.
  std::vector<std::uint64_t> places;
  for (std::uint64_t i = 440; i < 512 + 92; ++i) places.push_back(i);
  for (std::uint64_t i = 1'024; i < 1'024 + 3 * 128; i += 3) places.push_back(i);
  for (std::uint64_t i = 0; i < 92; ++i) places.push_back(64 * kMiB - 512 + i);
  for (const std::uint64_t place : places) {
    const std::byte old = image.read(place);
    for (const std::byte value : {std::byte{0}, std::byte{0xFF}, old ^ std::byte{0x80},
                                  std::byte(std::to_integer<unsigned>(old) + 1)}) {
      image.fill(place, 1, value);
      const auto table = read_table(image.input());
      INFO("byte " << place);
      // Damage to one copy is repaired from the other; only the boot record has no copy.
      if (place >= 512) {
        REQUIRE(table);
        CHECK(lines(*table) == lines(*whole));
      } else if (!table) {
        CHECK_FALSE(table.error().message.empty());
      }
    }
    image.fill(place, 1, old);
  }
}

TEST_CASE("no changed byte of an MBR and its chain does worse than an error") {
  Image image(100 * kMiB);
  write_boot_record(image, 0, {{0x83, 2'048, 2'048, 0x80}, {0x05, 10'000, 100'000, 0}}, 1);
  write_boot_record(image, 10'000 * 512, {{0x83, 10, 1'000, 0}, {0x05, 20'000, 5'000, 0}});
  write_boot_record(image, 30'000 * 512, {{0x83, 100, 1'000, 0}});
  const auto whole = read_table(image.input());
  REQUIRE(whole);
  REQUIRE(whole->partitions.size() == 3);
  for (const std::uint64_t record : {0U, 10'000U, 30'000U})
    for (std::uint64_t place = record * 512 + 440; place < (record + 1) * 512; ++place) {
      const std::byte old = image.read(place);
      for (const std::byte value :
           {std::byte{0}, std::byte{0xFF}, old ^ std::byte{0x80},
            std::byte(std::to_integer<unsigned>(old) + 1), std::byte{0x05}, std::byte{0xEE}}) {
        image.fill(place, 1, value);
        const auto table = read_table(image.input(), false);
        INFO("byte " << place);
        if (!table) {
          CHECK_FALSE(table.error().message.empty());
          continue;
        }
        CHECK(table->partitions.size() <= limits::kPartitions);
        for (const Partition& partition : table->partitions) CHECK(partition.offset < 100 * kMiB);
      }
      image.fill(place, 1, old);
    }
}
