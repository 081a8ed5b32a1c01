// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk_signature.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "tests/fsreaders/disk_image.h"
#include "tests/fsreaders/memory_source.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t kSize = 1'000'000;

void put(MemorySource& source, std::size_t offset, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    source.bytes().at(offset + i) = static_cast<std::byte>(static_cast<unsigned char>(text[i]));
}

/// "XFS"; "nothing" where no format is known; "error" where reading failed.
std::string name_of(BlockSource& source) {
  const auto format = recognise_format(source);
  if (!format) return "error";
  return *format == nullptr ? "nothing" : std::string((*format)->name);
}

std::string name_with(std::size_t offset, std::string_view magic) {
  MemorySource source((std::vector<std::byte>(kSize)));
  put(source, offset, magic);
  return name_of(source);
}

}  // namespace

TEST_CASE("formats are known by their magic") {
  CHECK(name_with(1'080, "\x53\xef"sv) == "ext2, ext3 or ext4");
  CHECK(name_with(0, "XFSB") == "XFS");
  CHECK(name_with(65'600, "_BHRfS_M") == "btrfs");
  CHECK(name_with(0, "LUKS\xba\xbe"sv) == "a LUKS volume, whose key is not known here");
  CHECK(name_with(512, "LABELONE") == "an LVM2 physical volume");
  CHECK(name_with(1'536, "LABELONE") == "an LVM2 physical volume");
  CHECK(name_with(82, "FAT32   ") == "FAT");
  CHECK(name_with(54, "FAT16   ") == "FAT");
  CHECK(name_with(3, "NTFS    ") == "NTFS");
  CHECK(name_with(4'086, "SWAPSPACE2") == "swap space");
  CHECK(name_with(32'769, "CD001") == "ISO 9660");
  CHECK(name_with(131'072, "\x0c\xb1\xba\0\0\0\0\0"sv) == "a ZFS pool's device");
  CHECK(name_with(4'096, "\xfc\x4e\x2b\xa9\x01\0\0\0"sv) == "a member of a Linux MD RAID");
}

TEST_CASE("what other programs make is known") {
  if (!have_programs({"mke2fs", "mkswap", "mkfs.vfat"})) return;
  Image image(64 << 20);
  const std::string quiet = image.path() + " >/dev/null 2>&1";
  const auto check = [&](const std::string& command, const std::string& expected) {
    image.resize(0);
    image.resize(64 << 20);
    REQUIRE(run("PATH=$PATH:/usr/sbin:/sbin " + command + " " + quiet));
    const auto disk = Disk::open(image.input(), 0);
    REQUIRE(disk);
    CHECK(name_of(**disk) == expected);
  };
  check("mke2fs -q -F -t ext4", "ext2, ext3 or ext4");
  check("mke2fs -q -F -t ext2 -b 1024", "ext2, ext3 or ext4");
  check("mkswap", "swap space");
  check("mkfs.vfat -F 32", "FAT");
  check("mkfs.vfat -F 16", "FAT");
  check("mkfs.vfat -F 12", "FAT");
}

TEST_CASE("ext4 and XFS can be read, JFS is known by sight and says what to do") {
  MemorySource source((std::vector<std::byte>(kSize)));
  put(source, 1'080, "\x53\xef"sv);
  CHECK((*recognise_format(source))->open != nullptr);
  put(source, 0, "XFSB");
  CHECK((*recognise_format(source))->open != nullptr);
  source.bytes().assign(kSize, std::byte{0});
  put(source, 32'768, "JFS1");
  const Format* format = *recognise_format(source);
  CHECK(format->open == nullptr);
  CHECK_FALSE(format->remedy.empty());
}

TEST_CASE("zeros, noise and sources of any small size hold nothing known") {
  for (const std::size_t size :
       {0U, 1U, 511U, 512U, 1'080U, 1'081U, 4'096U, 8'191U, 65'536U, 131'073U, 200'000U}) {
    MemorySource zeros((std::vector<std::byte>(size)));
    CHECK(name_of(zeros) == "nothing");
    MemorySource noise(std::vector<std::byte>(size, std::byte{0x5A}));
    CHECK(name_of(noise) == "nothing");
  }
}

TEST_CASE("an MD member with its superblock at the end is known where nothing else is found") {
  MemorySource source((std::vector<std::byte>(kSize)));
  const std::size_t sectors = kSize / 512;
  SECTION("version 1.0") {
    put(source, (sectors - 16) / 8 * 8 * 512, "\xfc\x4e\x2b\xa9\x01"sv);
  }
  SECTION("version 0.90") {
    put(source, kSize / 65'536 * 65'536 - 65'536, "\xfc\x4e\x2b\xa9\0"sv);
  }
  CHECK(name_of(source) == "a member of a Linux MD RAID");
  put(source, 1'080, "\x53\xef"sv);
  CHECK(name_of(source) == "ext2, ext3 or ext4");
}

TEST_CASE("encryption and volumes win over an old file system below them, ext4 over an old btrfs") {
  MemorySource source((std::vector<std::byte>(kSize)));
  put(source, 65'600, "_BHRfS_M");
  put(source, 1'080, "\x53\xef"sv);
  CHECK(name_of(source) == "ext2, ext3 or ext4");
  put(source, 512, "LABELONE");
  CHECK(name_of(source) == "an LVM2 physical volume");
  put(source, 0, "LUKS\xba\xbe"sv);
  CHECK(name_of(source) == "a LUKS volume, whose key is not known here");
}

TEST_CASE("ext4 is known after one read") {
  MemorySource source((std::vector<std::byte>(kSize)));
  put(source, 1'080, "\x53\xef"sv);
  CHECK(name_of(source) == "ext2, ext3 or ext4");
  CHECK(source.reads() == 1);
}

TEST_CASE("a read error while looking for magics is an error, wherever it happens") {
  for (std::uint64_t after = 0; after < 40; ++after) {
    MemorySource source((std::vector<std::byte>(kSize)));
    source.fail_reads(after, 1);
    const std::string name = name_of(source);
    CHECK(name == (source.reads() > after ? "error" : "nothing"));
  }
}
