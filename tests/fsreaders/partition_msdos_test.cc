// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_msdos.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/limits.h"
#include "fsreaders/partition_table.h"
#include "tests/fsreaders/disk_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint64_t kSector = 512;
/// The extended partition of every image here that has one.
constexpr MsdosEntry kExtended{0x05, 10'000, 100'000, 0};

PartitionTable read_table(const Image& image, std::uint32_t sector_size = 0) {
  Budget budget = Budget::standard();
  DiskInput input = image.input();
  input.sector_size = sector_size;
  const auto disk = Disk::open(input, 0);
  REQUIRE(disk);
  auto table = read_partition_table(**disk, budget);
  REQUIRE(table);
  return *table;
}

Image disk_image() {
  return Image(100 * limits::kMiB);
}

void write_record(Image& image, std::uint64_t sector, const std::vector<MsdosEntry>& entries,
                  bool magic = true) {
  write_boot_record(image, sector * kSector, entries, sector == 0 ? 0x0BAD'F00D : 0, magic);
}

/// "5@10010+1000 6@30100+1000": number, start and length in sectors.
std::string summary(const PartitionTable& table) {
  std::string text;
  for (const Partition& partition : table.partitions) {
    if (!text.empty()) text += ' ';
    text += std::to_string(partition.number) + "@" + std::to_string(partition.offset / table.sector_size) +
            "+" + std::to_string(partition.size / table.sector_size);
  }
  return text;
}

bool has_note(const PartitionTable& table, std::string_view text) {
  for (const std::string& note : table.notes)
    if (note.find(text) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("an MBR is read with types, the active flag and Linux's PARTUUIDs") {
  Image image = disk_image();
  write_record(image, 0, {{0x83, 2'048, 4'096, 0x80}, {}, {0x82, 8'192, 1'000, 0}, {}});
  const PartitionTable table = read_table(image);
  CHECK(table.kind == PartitionTable::Kind::kMsdos);
  CHECK(table.kind_name() == "msdos");
  CHECK(summary(table) == "1@2048+4096 3@8192+1000");
  CHECK(table.partitions[0].type == "0x83");
  CHECK(table.partitions[0].uuid == "0badf00d-01");
  CHECK(table.partitions[0].bootable);
  CHECK(table.partitions[0].label.empty());
  CHECK(table.partitions[1].type == "0x82");
  CHECK(table.partitions[1].uuid == "0badf00d-03");
  CHECK_FALSE(table.partitions[1].bootable);
  CHECK(table.notes.empty());
}

TEST_CASE("a disk without signature has partitions without PARTUUID, as in Linux") {
  Image image = disk_image();
  write_boot_record(image, 0, {{0x83, 2'048, 4'096, 0}}, 0);
  CHECK(read_table(image).partitions.at(0).uuid.empty());
}

TEST_CASE("logical partitions are numbered from 5 and the extended one is not offered") {
  const std::uint8_t type = GENERATE(std::uint8_t{0x05}, std::uint8_t{0x0F}, std::uint8_t{0x85});
  Image image = disk_image();
  write_record(image, 0, {{0x83, 2'048, 4'096, 0}, {type, 10'000, 100'000, 0}});
  write_record(image, 10'000, {{0x83, 10, 1'000, 0}, {0x05, 20'000, 5'000, 0}});
  write_record(image, 30'000, {{0x8E, 100, 1'000, 0x80}});
  const PartitionTable table = read_table(image);
  CHECK(summary(table) == "1@2048+4096 5@10010+1000 6@30100+1000");
  CHECK(table.partitions[2].type == "0x8e");
  CHECK(table.partitions[2].uuid == "0badf00d-06");
  CHECK(table.partitions[2].bootable);
  CHECK(table.notes.empty());
}

TEST_CASE("an MBR of a device with 4096-byte sectors counts in those") {
  Image image = disk_image();
  write_boot_record(image, 0, {{0x83, 256, 512, 0}, {0x05, 1'000, 8'000, 0}}, 1);
  write_boot_record(image, 1'000 * 4'096, {{0x83, 10, 100, 0}, {0x05, 2'000, 500, 0}});
  write_boot_record(image, 3'000 * 4'096, {{0x83, 20, 100, 0}});
  const PartitionTable table = read_table(image, 4'096);
  CHECK(table.sector_size == 4'096);
  CHECK(summary(table) == "1@256+512 5@1010+100 6@3020+100");
  CHECK(table.partitions[0].offset == limits::kMiB);
}

TEST_CASE("empty records in the chain take no number") {
  Image image = disk_image();
  write_record(image, 0, {{0x83, 2'048, 2'048, 0}, kExtended});
  write_record(image, 10'000, {{}, {0x05, 20'000, 5'000, 0}});
  write_record(image, 30'000, {{0x83, 10, 500, 0}, {0x05, 40'000, 5'000, 0}});
  write_record(image, 50'000, {{}, {0x05, 50'000, 5'000, 0}});
  write_record(image, 60'000, {{0x83, 7, 900, 0}});
  CHECK(summary(read_table(image)) == "1@2048+2048 5@30010+500 6@60007+900");
}

TEST_CASE("a chain that runs in a circle ends there, with a note") {
  Image image = disk_image();
  write_record(image, 0, {kExtended});
  write_record(image, 10'000, {{0x83, 10, 1'000, 0}, {0x05, 20'000, 5'000, 0}});
  SECTION("back to the first record") {
    write_record(image, 30'000, {{0x83, 100, 1'000, 0}, {0x05, 0, 5'000, 0}});
  }
  SECTION("to itself") {
    write_record(image, 30'000, {{0x83, 100, 1'000, 0}, {0x05, 20'000, 5'000, 0}});
  }
  const PartitionTable table = read_table(image);
  CHECK(summary(table) == "5@10010+1000 6@30100+1000");
  CHECK(has_note(table, "runs in a circle"));
}

TEST_CASE("a circle of empty records has no partitions and ends") {
  Image image = disk_image();
  write_record(image, 0, {{0x83, 2'048, 2'048, 0}, kExtended});
  write_record(image, 10'000, {{}, {0x05, 20'000, 5'000, 0}});
  write_record(image, 30'000, {{}, {0x05, 0, 5'000, 0}});
  CHECK(summary(read_table(image)) == "1@2048+2048");
}

TEST_CASE("a sector without 55 AA ends the chain, whatever it holds") {
  Image image = disk_image();
  write_record(image, 0, {kExtended});
  write_record(image, 10'000, {{0x83, 10, 1'000, 0}, {0x05, 20'000, 5'000, 0}});
  write_record(image, 30'000, {{0x83, 100, 1'000, 0}}, /*magic=*/false);
  CHECK(summary(read_table(image)) == "5@10010+1000");
}

TEST_CASE("an extended partition without any record holds nothing") {
  Image image = disk_image();
  write_record(image, 0, {{0x83, 2'048, 2'048, 0}, kExtended});
  const PartitionTable table = read_table(image);
  CHECK(summary(table) == "1@2048+2048");
}

TEST_CASE("every extended partition's chain is followed") {
  Image image = disk_image();
  write_record(image, 0, {{0x05, 10'000, 10'000, 0}, {0x83, 2'048, 10, 0}, {0x0F, 30'000, 10'000, 0}});
  write_record(image, 10'000, {{0x83, 10, 1'000, 0}});
  write_record(image, 30'000, {{0x83, 100, 1'000, 0}});
  CHECK(summary(read_table(image)) == "2@2048+10 5@10010+1000 6@30100+1000");
}

TEST_CASE("a record may hold more than one partition") {
  Image image = disk_image();
  write_record(image, 0, {kExtended});
  write_record(image, 10'000,
               {{0x83, 10, 1'000, 0},
                {0x05, 20'000, 5'000, 0},
                {0x83, 3'000, 500, 0},
                {0x83, 3'500, 4'000'000, 0}});  // rubbish: reaches out of the extended one
  write_record(image, 30'000, {{0x83, 100, 1'000, 0}});
  CHECK(summary(read_table(image)) == "5@10010+1000 6@13000+500 7@30100+1000");
}

TEST_CASE("more logical partitions than libfdisk takes are read") {
  Image image = disk_image();
  write_record(image, 0, {{0x05, 10'000, 150'000, 0}});
  for (std::uint32_t i = 0; i < 80; ++i) {
    const MsdosEntry link = i < 79 ? MsdosEntry{0x05, 1'000 * (i + 1), 1'000, 0} : MsdosEntry{};
    write_record(image, 10'000 + 1'000 * i, {{0x83, 10, 500, 0}, link});
  }
  const PartitionTable table = read_table(image);
  REQUIRE(table.partitions.size() == 80);
  CHECK(table.partitions.back().number == 84);
  CHECK(table.partitions.back().offset == 89'010 * kSector);
}

TEST_CASE("an endless chain of empty records ends, with a note") {
  Image image(1'000 * limits::kMiB);
  write_record(image, 0, {{0x83, 2'048, 2'048, 0}, {0x05, 10'000, 1'900'000, 0}});
  for (std::uint32_t i = 0; i < 1'500; ++i)
    write_record(image, 10'000 + 1'000 * i, {{}, {0x05, 1'000 * (i + 1), 1'000, 0}});
  const PartitionTable table = read_table(image);
  CHECK(summary(table) == "1@2048+2048");
  CHECK(has_note(table, "longer than any real one"));
}

TEST_CASE("a chain that leads past the disk's end stops there with a note") {
  Image image = disk_image();
  write_record(image, 0, {kExtended});
  write_record(image, 10'000, {{0x83, 10, 1'000, 0}, {0x05, 0xFFFF'0000, 5'000, 0}});
  const PartitionTable table = read_table(image);
  CHECK(summary(table) == "5@10010+1000");
  CHECK(has_note(table, "past the disk's end"));
}

TEST_CASE("an extended partition at sector 0 or past the end does no harm") {
  for (const std::uint32_t start : {0U, 300'000U, 0xFFFF'FFFFU}) {
    Image image = disk_image();
    write_record(image, 0, {{0x83, 2'048, 2'048, 0}, {0x05, start, 100'000, 0}});
    const PartitionTable table = read_table(image);
    REQUIRE_FALSE(table.partitions.empty());
    CHECK(table.partitions[0].number == 1);
  }
}

TEST_CASE("entries of no sectors are no partitions, entries of type 0 with sectors are, as in Linux") {
  Image image = disk_image();
  write_record(image, 0, {{0x83, 2'048, 0, 0}, {0x83, 4'096, 100, 0}, {0x00, 8'192, 100, 0}});
  const PartitionTable table = read_table(image);
  CHECK(summary(table) == "2@4096+100 3@8192+100");
  CHECK(table.notes.empty());
}

TEST_CASE("MBR partitions past the disk's end are left out or cut, each with a note") {
  Image image = disk_image();
  write_record(image, 0, {{0x83, 2'048, 2'048, 0}, {0x83, 10'000, 0xFFFF'FFFF, 0}, {0x83, 204'800, 100, 0}});
  const PartitionTable table = read_table(image);
  CHECK(summary(table) == "1@2048+2048 2@10000+4294967295");
  CHECK(has_note(table, "hd0,msdos2 reaches to byte "));
  CHECK(has_note(table, "hd0,msdos3 is left out"));
}

TEST_CASE("a file system's boot sector is no partition table") {
  Image image = disk_image();
  SECTION("boot code in the entries' place, as in FAT and NTFS") {
    write_record(image, 0, {{0x61, 0x20726568, 0x6B736964, 0x74}, {}, {}, {}});
  }
  SECTION("55 AA and nothing else, as FAT without boot code and GRUB in an ext4 boot sector") {
    write_record(image, 0, {});
  }
  const PartitionTable table = read_table(image);
  CHECK(table.kind == PartitionTable::Kind::kNone);
  CHECK(table.kind_name().empty());
}

TEST_CASE("a hybrid ISO image's partition of the whole disk is one") {
  Image image = disk_image();
  write_record(image, 0, {{0x17, 0, 204'800, 0x80}, {0xEF, 100, 1'000, 0}});
  CHECK(summary(read_table(image)) == "1@0+204800 2@100+1000");
}
