// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "base/crc32.h"
#include "base/limits.h"
#include "fsreaders/partition_gpt_header.h"
#include "tests/fsreaders/disk_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint64_t kMiB = limits::kMiB;

/// Reads three pages of the file in turn and tells whether the kernel then had the fourth already.
bool reads_ahead(int fd, std::uint64_t offset) {
  constexpr std::size_t kPage = 4'096;
  std::array<std::byte, kPage> page{};
  REQUIRE(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
  for (std::uint64_t i = 0; i < 3; ++i)
    REQUIRE(pread(fd, page.data(), kPage, static_cast<off_t>(offset + i * kPage)) ==
            static_cast<ssize_t>(kPage));
  void* const fourth =
      mmap(nullptr, kPage, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset + 3 * kPage));
  REQUIRE(fourth != MAP_FAILED);
  unsigned char resident = 0;
  const int result = mincore(fourth, kPage, &resident);
  munmap(fourth, kPage);
  REQUIRE(result == 0);
  return (resident & 1) != 0;
}

Result<PartitionTable> read_table(const DiskInput& input) {
  Budget budget = Budget::standard();
  const auto disk = Disk::open(input, 0);
  REQUIRE(disk);
  return read_partition_table(**disk, budget);
}

bool has_note(const PartitionTable& table, std::string_view text) {
  for (const std::string& note : table.notes)
    if (note.find(text) != std::string::npos) return true;
  return false;
}

/// A GPT of two partitions, numbers 1 and 3, on 64 MiB.
GptMaker two_partitions(std::uint32_t sector_size = 512) {
  GptMaker maker;
  maker.sector_size = sector_size;
  const std::uint64_t mib = kMiB / sector_size;
  maker.entries = {GptEntry{mib, 9 * mib - 1, "EFI system", 0}, GptEntry{0, 0, {}, 0, 0},
                   GptEntry{9 * mib, 33 * mib - 1, "root", 4}};
  return maker;
}

void check_two_partitions(const PartitionTable& table) {
  CHECK(table.kind == PartitionTable::Kind::kGpt);
  CHECK(table.kind_name() == "gpt");
  REQUIRE(table.partitions.size() == 2);
  const Partition& first = table.partitions[0];
  CHECK(first.number == 1);
  CHECK(first.offset == kMiB);
  CHECK(first.size == 8 * kMiB);
  CHECK(first.type == "afafafaf-afaf-afaf-afaf-afafafafafaf");
  CHECK(first.uuid == "30201000-5040-7060-8090-a0b0c0d0e0f0");
  CHECK(first.label == "EFI system");
  CHECK_FALSE(first.bootable);
  const Partition& second = table.partitions[1];
  CHECK(second.number == 3);
  CHECK(second.offset == 9 * kMiB);
  CHECK(second.size == 24 * kMiB);
  CHECK(second.label == "root");
  CHECK(second.bootable);
}

}  // namespace

TEST_CASE("CRC-32 is the one of zlib and GPT") {
  CHECK(crc32(as_bytes("123456789")) == 0xCBF4'3926);
  CHECK(crc32({}) == 0);
}

TEST_CASE("a GPT is read with numbers, GUIDs, names and the boot attribute") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(table->sector_size == 512);
  CHECK(table->notes.empty());
}

TEST_CASE("a GPT of 4096-byte sectors in an image file is recognised as such") {
  Image image(64 * kMiB);
  two_partitions(4096).write(image);
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(table->sector_size == 4096);
  CHECK(table->notes.empty());
}

TEST_CASE("a GPT of other sectors than the device's is read with a note") {
  Image image(64 * kMiB);
  two_partitions(4096).write(image);
  DiskInput input = image.input();
  input.sector_size = 512;
  const auto table = read_table(input);
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(has_note(*table, "sectors of 4096 bytes, but the device has sectors of 512"));
}

TEST_CASE("the backup GPT is used where the primary header is damaged") {
  const std::uint32_t sector_size = GENERATE(512U, 4096U);
  Image image(64 * kMiB);
  two_partitions(sector_size).write(image);
  SECTION("overwritten") {
    image.fill(sector_size, sector_size, std::byte{0});
  }
  SECTION("one wrong bit") {
    image.fill(sector_size + 57, 1, image.read(sector_size + 57) ^ std::byte{1});
  }
  SECTION("an absurd header size") {
    image.fill(sector_size + 12, 4, std::byte{0xFF});
  }
  SECTION("wrong entries") {
    image.fill(2 * std::uint64_t{sector_size} + 40, 1, std::byte{0x55});
  }
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(table->sector_size == sector_size);
  CHECK(has_note(*table, "the primary GPT header "));
  CHECK(has_note(*table, "the backup was used"));
}

TEST_CASE("bytes after the last whole sector do not hide the backup GPT") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  image.fill(512, 512, std::byte{0});
  image.resize(64 * kMiB + 100);
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
}

TEST_CASE("a damaged backup GPT is noted and the primary used") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  image.fill(64 * kMiB - 512, 512, std::byte{0});
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(has_note(*table, "the backup GPT header is missing"));
}

TEST_CASE("a disk that has grown since keeps its GPT") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  image.resize(96 * kMiB);
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(table->notes.empty());
}

TEST_CASE("two damaged GPT headers are an error that tells what is wrong with each") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  image.fill(512, 512, std::byte{0});
  image.fill(64 * kMiB - 512 + 57, 1, std::byte{0x77});
  const auto table = read_table(image.input());
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kDamaged);
  CHECK(table.error().where == "hd0");
  CHECK(table.error().message.find("primary header is missing") != std::string::npos);
  CHECK(table.error().message.find("backup header in sector 131071 has a wrong checksum") !=
        std::string::npos);
}

TEST_CASE("a damaged primary GPT on a disk that has grown is an error, as for Linux") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  image.resize(96 * kMiB);
  image.fill(512, 512, std::byte{0});
  const auto table = read_table(image.input());
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kDamaged);
}

TEST_CASE("an image that was cut short says so") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  image.resize(40 * kMiB);
  const auto table = read_table(image.input());
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kDamaged);
  CHECK(table.error().message.find("was the image cut short?") != std::string::npos);
}

TEST_CASE("a GPT without protective MBR is not used, with a note") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  SECTION("no 55 AA") {
    image.fill(510, 2, std::byte{0});
  }
  SECTION("no entry") {
    image.fill(446, 64, std::byte{0});
  }
  const auto table = read_table(image.input());
  REQUIRE(table);
  CHECK(table->kind == PartitionTable::Kind::kNone);
  CHECK(table->partitions.empty());
  CHECK(has_note(*table, "no protective MBR"));
}

TEST_CASE("an old GPT behind a new MBR is not used") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  write_boot_record(image, 0, {MsdosEntry{0x83, 2048, 4096, 0}});
  const auto table = read_table(image.input());
  REQUIRE(table);
  CHECK(table->kind == PartitionTable::Kind::kMsdos);
  CHECK(table->partitions.size() == 1);
}

TEST_CASE("a hybrid MBR is a GPT disk") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  write_boot_record(image, 0, {MsdosEntry{0x83, 2048, 16384, 0x80}, MsdosEntry{0xEE, 1, 2047, 0}});
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
}

TEST_CASE("a protective entry in the wrong place is a GPT for GRUB, with a note that it is none for Linux") {
  Image image(64 * kMiB);
  GptMaker maker = two_partitions();
  maker.protective_start = 2;
  maker.write(image);
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(has_note(*table, "begins at sector 2 instead of 1"));
}

TEST_CASE("a GPT that claims four thousand million entries is refused without reading them") {
  Image image(64 * kMiB);
  GptMaker maker = two_partitions();
  maker.write(image);
  const auto entries = maker.entry_array();
  const std::uint32_t count = GENERATE(4097U, 0x0200'0000U, 0x01FF'FFFFU, 0xFFFF'FFFFU);
  // Only the header claims it, with a right checksum of its own.
  maker.entries = {};
  maker.entry_count = 0;
  maker.write_header(image, 1, 131'071, 2);
  std::vector<std::byte> header(512);
  REQUIRE(pread(image.fd(), header.data(), header.size(), 512) == 512);
  for (std::size_t i = 0; i < 4; ++i) header[80 + i] = static_cast<std::byte>((count >> (8 * i)) & 0xFF);
  for (std::size_t i = 0; i < 4; ++i) header[16 + i] = std::byte{0};
  const std::uint32_t checksum = crc32(std::span(header).first(92));
  for (std::size_t i = 0; i < 4; ++i) header[16 + i] = static_cast<std::byte>((checksum >> (8 * i)) & 0xFF);
  const std::uint64_t at = GENERATE(std::uint64_t{512}, std::uint64_t{64 * kMiB - 512});
  if (at != 512) {
    two_partitions().write(image);  // the primary is good, the backup it points to claims too much
  }
  image.write(at, header);
  const auto table = read_table(image.input());
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kLimit);
  CHECK(table.error().message.find(std::to_string(count)) != std::string::npos);
}

TEST_CASE("a GPT with entries of another size than 128 bytes is refused, as by Linux") {
  Image image(64 * kMiB);
  GptMaker maker = two_partitions();
  maker.entry_size = 256;
  maker.write(image);
  const auto table = read_table(image.input());
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a GPT of no entries is damaged") {
  Image image(64 * kMiB);
  GptMaker maker;
  maker.entry_count = 0;
  maker.write(image);
  const auto table = read_table(image.input());
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kDamaged);
  CHECK(table.error().message.find("primary header has no entries") != std::string::npos);
}

TEST_CASE("a GPT header in a sector that it does not name is not used") {
  Image image(64 * kMiB);
  const GptMaker maker = two_partitions();
  maker.write(image);
  std::vector<std::byte> backup(512);
  REQUIRE(pread(image.fd(), backup.data(), backup.size(), 64 * kMiB - 512) == 512);
  image.write(512, backup);
  const auto table = read_table(image.input());
  REQUIRE(table);
  check_two_partitions(*table);
  CHECK(has_note(*table, "the primary GPT header says that it belongs into sector 131071"));
}

TEST_CASE("an empty GPT is a partition table without partitions") {
  Image image(64 * kMiB);
  GptMaker{}.write(image);
  const auto table = read_table(image.input());
  REQUIRE(table);
  CHECK(table->kind == PartitionTable::Kind::kGpt);
  CHECK(table->partitions.empty());
}

TEST_CASE("GPT partitions past the disk's end are left out or cut, each with a note") {
  Image image(64 * kMiB);
  GptMaker maker;
  maker.entries = {GptEntry{2048, 4095, "good", 0},
                   GptEntry{100'000, 200'000, "cut", 0},
                   GptEntry{131'072, 140'000, "past", 0},
                   GptEntry{5'000, 4'000, "backwards", 0},
                   GptEntry{std::uint64_t{1} << 62, (std::uint64_t{1} << 62) + 10, "absurd", 0},
                   GptEntry{10'000, UINT64_MAX - 1, "endless", 0},
                   GptEntry{0, UINT64_MAX, "all", 0}};
  maker.write(image);
  const auto table = read_table(image.input());
  REQUIRE(table);
  REQUIRE(table->partitions.size() == 2);
  CHECK(table->partitions[0].label == "good");
  CHECK(table->partitions[1].label == "cut");
  CHECK(table->partitions[1].size == std::uint64_t{100'001} * 512);
  CHECK(has_note(*table, "hd0,gpt2 reaches to byte 102400512, past the disk's end at byte 67108864"));
  CHECK(has_note(*table, "hd0,gpt3 is left out: it begins at byte 67108864, past the disk's end"));
  for (const char* name : {"hd0,gpt4", "hd0,gpt5", "hd0,gpt6", "hd0,gpt7"})
    CHECK(has_note(*table, std::string(name) + " is left out"));
}

TEST_CASE("of a GPT with very many partitions the first are used, with a note") {
  Image image(64 * kMiB);
  GptMaker maker;
  maker.entry_count = limits::kGptEntries;
  for (std::uint64_t i = 0; i < 300; ++i) maker.entries.push_back(GptEntry{4096 + i, 4096 + i, {}, 0});
  maker.write(image);
  const auto table = read_table(image.input());
  REQUIRE(table);
  CHECK(table->partitions.size() == limits::kPartitions);
  CHECK(table->partitions.back().number == limits::kPartitions);
  CHECK(has_note(*table, "only the first 256 partitions"));
}

TEST_CASE("reading a GPT is charged to the budget") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  const auto disk = Disk::open(image.input(), 0);
  REQUIRE(disk);
  Budget small(1'000, 1'000);
  const auto table = read_partition_table(**disk, small);
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kLimit);
}

TEST_CASE("disks too small for a table have none") {
  for (const std::uint64_t size : {1U, 511U, 512U, 513U, 1023U, 1024U, 4096U}) {
    Image image(size);
    const auto table = read_table(image.input());
    REQUIRE(table);
    CHECK(table->kind == PartitionTable::Kind::kNone);
  }
}

TEST_CASE("a protective MBR on a disk too small for a GPT is damage, not a crash") {
  for (const std::uint64_t size : {512U, 1023U, 1024U, 1536U}) {
    Image image(size);
    write_boot_record(image, 0, {MsdosEntry{0xEE, 1, 0xFFFF'FFFF, 0}});
    const auto table = read_table(image.input());
    REQUIRE_FALSE(table);
    CHECK(table.error().code == ErrorCode::kDamaged);
  }
}

TEST_CASE("with an offset no partition table is looked for") {
  Image image(64 * kMiB);
  two_partitions().write(image);
  DiskInput input = image.input();
  input.has_offset = true;
  const auto table = read_table(input);
  REQUIRE(table);
  CHECK(table->kind == PartitionTable::Kind::kNone);
}

// libblkid, which libfdisk asks, turns read-ahead off for the whole open file, which the broker copies the
// kernel from.
TEST_CASE("reading a table leaves the kernel's read-ahead on") {
  std::string path = "/var/tmp/pvhgrub-readahead-XXXXXX";
  const UniqueFd file(mkostemp(path.data(), O_CLOEXEC));
  REQUIRE(file.valid());
  unlink(path.c_str());
  REQUIRE(ftruncate(file.get(), 64 * kMiB) == 0);
  Image made(64 * kMiB);
  write_boot_record(made, 0, {MsdosEntry{0x83, 2'048, 4'096, 0}});
  std::array<std::byte, 512> sector{};
  REQUIRE(pread(made.fd(), sector.data(), sector.size(), 0) == 512);
  REQUIRE(pwrite(file.get(), sector.data(), sector.size(), 0) == 512);
  if (!reads_ahead(file.get(), 8 * kMiB)) {
    WARN("skipped: the file system of /var/tmp does not read ahead");
    return;
  }
  DiskInput input = made.input();
  input.fd = file.get();
  const auto table = read_table(input);
  REQUIRE(table);
  CHECK(table->partitions.size() == 1);
  CHECK(reads_ahead(file.get(), 24 * kMiB));
}
