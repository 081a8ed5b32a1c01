// SPDX-License-Identifier: LGPL-2.1-or-later
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fsreaders/disk_signature.h"
#include "fsreaders/fat_boot_sector.h"
#include "fsreaders/fat_file_system.h"
#include "tests/fsreaders/fat_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

using Kind = ClusterLayout::Kind;

constexpr std::uint8_t kFile = 0x20;
constexpr std::uint8_t kFolder = 0x10;

FatImage::Shape shape_of(Kind kind, std::uint32_t clusters) {
  FatImage::Shape shape;
  shape.kind = kind;
  shape.clusters = clusters;
  return shape;
}

std::string contents(const OpenedImage& image, const std::string& path) {
  if (!image.file_system) return image.file_system.error().describe();
  const auto file = (*image.file_system)->open(path);
  if (!file) return file.error().describe();
  const auto read = read_contents(**file);
  const auto sent = sent_contents(**file, *image.source);
  if (!read) return read.error().describe();
  return sent && *sent == *read ? *read : "read and sent differ";
}

bool is_damaged(const OpenedImage& image, const std::string& path) {
  if (!image.file_system) return image.file_system.error().code == ErrorCode::kDamaged;
  const auto file = (*image.file_system)->open(path);
  return !file && file.error().code == ErrorCode::kDamaged;
}

}  // namespace

TEST_CASE("a chain is followed in tables of each width, also where an entry crosses sectors") {
  const auto shape = GENERATE(shape_of(Kind::kFat12, 4000), shape_of(Kind::kFat16, 5000),
                              shape_of(Kind::kFat32, 4000), shape_of(Kind::kFat32, 70'000));
  FatImage image(shape);
  // Entry 341 of 12 bits begins in the last byte of a sector.
  const std::vector<std::uint32_t> clusters = {340, 341, 342, 3000, 17, 3999};
  const std::uint32_t end = shape.kind == Kind::kFat12   ? 0xFFF
                            : shape.kind == Kind::kFat16 ? 0xFFF8
                                                         : 0xF000'0000U | 0x0FFF'FFF8;
  std::string expected;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    // The upper four bits of FAT32 mean nothing.
    const std::uint32_t marks = shape.kind == Kind::kFat32 ? 0xA000'0000U : 0;
    image.chain(clusters[i], i + 1 < clusters.size() ? marks | clusters[i + 1] : end);
    expected += noise(512, clusters[i]);
    image.put(image.offset_of(clusters[i]), noise(512, clusters[i]));
  }
  expected.resize(5 * 512 + 7);
  image.add(short_entry("FILE       ", kFile, 340, 5 * 512 + 7));
  CHECK(contents(image.open(), "/file") == expected);
  const auto info = (*image.open().file_system)->stat("/FILE");
  REQUIRE(info);
  CHECK(info->size == 5 * 512 + 7);
  CHECK(info->modification_time == 1'709'213'842);
}

TEST_CASE("uuid is the serial number as GRUB prints it, a FAT32 root directory is a chain") {
  FatImage image(shape_of(Kind::kFat32, 70'000));
  for (int i = 0; i < 16; ++i)
    image.add(short_entry("FILE" + std::string(1, static_cast<char>('A' + i)) + "      ", kFile, 0, 0));
  image.chain(2, 60'000);
  image.chain(60'000, 0x0FFF'FFFF);
  image.put(image.offset_of(60'000), short_entry("SECOND     ", kFile, 0, 0));
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->uuid() == "CAFE-0001");
  CHECK((*opened.file_system)->type_name() == "fat");
  CHECK((*opened.file_system)->list("/")->size() == 17);
  CHECK((*opened.file_system)->stat("/second"));
}

TEST_CASE("FAT32 says which table is the one in use") {
  FatImage image(shape_of(Kind::kFat32, 70'000));
  image.add(short_entry("FILE       ", kFile, 10, 1024));
  image.chain_in(0, 10, 11);
  image.chain_in(1, 10, 12);
  image.chain(11, 0x0FFF'FFFF);
  image.chain(12, 0x0FFF'FFFF);
  image.put(image.offset_of(11), "first");
  image.put(image.offset_of(12), "second");
  CHECK(contents(image.open(), "/file").substr(512, 5) == "first");
  image.put_number(40, 0x0001, 2);  // bit 7 is not set: all are kept up to date
  CHECK(contents(image.open(), "/file").substr(512, 5) == "first");
  image.put_number(40, 0x0081, 2);
  CHECK(contents(image.open(), "/file").substr(512, 6) == "second");
  image.put_number(40, 0x0082, 2);
  CHECK(image.open().file_system.error().code == ErrorCode::kDamaged);
}

TEST_CASE("FAT12 has up to 4084 clusters, FAT16 begins at 4085, a small FAT32 is one by its table") {
  const auto kind = [](const FatImage::Shape& shape) {
    FatImage image(shape);
    return parse_fat_boot_sector(Bytes(image.bytes()).first(512), image.bytes().size())->layout.kind;
  };
  CHECK(kind(shape_of(Kind::kFat16, 4084)) == Kind::kFat12);
  CHECK(kind(shape_of(Kind::kFat16, 4085)) == Kind::kFat16);
  CHECK(kind(shape_of(Kind::kFat32, 1000)) == Kind::kFat32);
}

TEST_CASE("chains that end too early, lead in a circle or out of the disk are damage") {
  FatImage image;
  image.add(short_entry("FILE       ", kFile, 10, 3 * 512));
  image.chain(10, 11);
  image.chain(11, 12);
  image.chain(12, 0xFFFF);
  REQUIRE_FALSE(is_damaged(image.open(), "/file"));
  const std::uint32_t wrong = GENERATE(0U, 1U, 10U, 11U, 5002U, 0xFFEFU, 0xFFF7U, 0xFFF8U, 0xFFFFU);
  INFO(wrong);
  image.chain(11, wrong);
  CHECK(is_damaged(image.open(), "/file"));
}

TEST_CASE("a file without a cluster, or larger than the file system, is damaged; an empty one is not") {
  FatImage image;
  image.add(short_entry("NONE       ", kFile, 0, 1));
  image.add(short_entry("LARGE      ", kFile, 10, 0xFFFF'FFFF));
  image.add(short_entry("EMPTY      ", kFile, 0, 0));
  image.add(short_entry("FOLDER     ", kFolder, 0, 0));
  const OpenedImage opened = image.open();
  CHECK(is_damaged(opened, "/none"));
  CHECK(is_damaged(opened, "/large"));
  CHECK(contents(opened, "/empty").empty());
  CHECK((*opened.file_system)->list("/folder").error().code == ErrorCode::kDamaged);
  CHECK((*opened.file_system)->open("/folder").error().code == ErrorCode::kWrongType);
  CHECK((*opened.file_system)->list("/empty").error().code == ErrorCode::kWrongType);
  CHECK((*opened.file_system)->open("/missing").error().code == ErrorCode::kNotFound);
}

TEST_CASE("a directory whose chain leads in a circle ends") {
  FatImage image;
  image.add(short_entry("FOLDER     ", kFolder, 10, 0));
  for (int i = 0; i < 16; ++i)
    image.put(image.offset_of(10) + static_cast<std::size_t>(i) * 32,
              short_entry("SAME       ", kFile, 0, 0));
  image.chain(10, 10);
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->list("/folder").error().code == ErrorCode::kDamaged);
}

TEST_CASE("of a device that was cut off, what is there is read") {
  FatImage image;
  image.add(short_entry("HERE       ", kFile, 10, 5));
  image.add(short_entry("GONE       ", kFile, 4000, 5));
  image.chain(10, 0xFFFF);
  image.chain(4000, 0xFFFF);
  image.put(image.offset_of(10), "here!");
  image.bytes().resize(image.offset_of(3000));
  const OpenedImage opened = image.open();
  CHECK(contents(opened, "/here") == "here!");
  CHECK(is_damaged(opened, "/gone"));
  REQUIRE((*opened.file_system)->notes().size() == 1);
  image.bytes().resize(700);
  CHECK(image.open().file_system.error().code == ErrorCode::kDamaged);
}

TEST_CASE("contents may be overwritten where they lie") {
  FatImage image;
  image.add(short_entry("GRUBENV    ", kFile, 10, 1024));
  image.chain(10, 20);
  image.chain(20, 0xFFFF);
  const OpenedImage opened = image.open();
  const auto file = (*opened.file_system)->open("/grubenv");
  REQUIRE(file);
  const auto extents = (*file)->overwritable_extents();
  REQUIRE(extents);
  CHECK(*extents == std::vector<DiskExtent>{{0, image.offset_of(10), 512}, {0, image.offset_of(20), 512}});
}

TEST_CASE("a boot sector in which all agrees is FAT without any text, one field wrong makes it none") {
  FatImage image;
  const auto is_fat = [](const FatImage& changed) {
    MemorySource source(FatImage(changed).bytes());
    const auto format = recognise_format(source);
    return format && *format != nullptr && (*format)->name == "FAT";
  };
  CHECK(is_fat(image));
  struct Change {
    std::size_t offset;
    std::uint32_t value;
    unsigned bytes;
  };
  // Sector size, cluster size, reserved sectors, tables, root entries, medium, table size, sectors.
  const Change change =
      GENERATE(Change{11, 0, 2}, Change{11, 256, 2}, Change{11, 8192, 2}, Change{11, 513, 2},
               Change{13, 0, 1}, Change{13, 3, 1}, Change{14, 0, 2}, Change{16, 0, 1}, Change{17, 0, 2},
               Change{21, 0x80, 1}, Change{22, 0, 2}, Change{32, 40, 4}, Change{32, 0, 4});
  INFO(change.offset << " = " << change.value);
  image.put_number(change.offset, change.value, change.bytes);
  CHECK_FALSE(is_fat(image));
  CHECK_FALSE(image.open().file_system);
}

TEST_CASE("a FAT32 of a later version is refused, a table that is too small makes the rest unusable") {
  FatImage image(shape_of(Kind::kFat32, 70'000));
  image.put_number(36, 10, 4);
  // Ten sectors of 128 entries, two of which stand for no cluster; the data begins earlier now.
  CHECK(parse_fat_boot_sector(Bytes(image.bytes()).first(512), image.bytes().size())->layout.cluster_count ==
        1278);
  image.put_number(42, 1, 2);
  CHECK(image.open().file_system.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a read error is told as one, wherever it happens") {
  FatImage image;
  image.add(short_entry("FOLDER     ", kFolder, 10, 0));
  image.chain(10, 0xFFFF);
  image.put(image.offset_of(10), short_entry("FILE       ", kFile, 11, 600));
  image.chain(11, 12);
  image.chain(12, 0xFFFF);
  for (std::uint64_t after = 0; after < 8; ++after) {
    MemorySource source(image.bytes());
    Budget budget = Budget::standard();
    source.fail_reads(after, 1);
    const auto file_system = open_fat_file_system(source, budget);
    const auto file = file_system ? (*file_system)->open("/folder/file") : fail(ErrorCode::kIo, "");
    std::vector<std::byte> out(600);
    const bool worked = file && (*file)->read(0, out);
    CHECK(worked == (source.reads() <= after));
  }
}
