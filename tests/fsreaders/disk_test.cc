// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "fsreaders/partition_source.h"
#include "tests/fsreaders/disk_image.h"
#include "tests/fsreaders/memory_source.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

TEST_CASE("a disk reads the bytes that were asked for, also the last one") {
  Image image(10'000);
  image.write(0, "first");
  image.write(9'996, "last");
  const auto disk = Disk::open(image.input(), 0);
  REQUIRE(disk);
  std::array<std::byte, 4> bytes{};
  REQUIRE((*disk)->read_at(9'996, bytes));
  CHECK(as_text(bytes) == "last");
  REQUIRE((*disk)->read_at(0, bytes));
  CHECK(as_text(bytes) == "firs");
  CHECK((*disk)->read_at(10'000, {}));
}

TEST_CASE("a read past the disk's end is an error of the guest that tells where") {
  Image image(1'000);
  const auto disk = Disk::open(image.input(), 3);
  REQUIRE(disk);
  std::array<std::byte, 4> bytes{};
  for (const std::uint64_t offset : {std::uint64_t{997}, std::uint64_t{1'000}, UINT64_MAX, UINT64_MAX - 2}) {
    const auto read = (*disk)->read_at(offset, bytes);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kDamaged);
    CHECK(read.error().where == "hd3, byte " + std::to_string(offset));
  }
}

TEST_CASE("a disk that was made shorter after it was opened says so") {
  Image image(8'192);
  const auto disk = Disk::open(image.input(), 0);
  REQUIRE(disk);
  image.resize(6'000);
  std::vector<std::byte> bytes(4'096);
  const auto read = (*disk)->read_at(4'096, bytes);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kIo);
  CHECK(read.error().where == "hd0, byte 6000");
  CHECK(read.error().message.find("made shorter") != std::string::npos);
  CHECK((*disk)->read_at(0, bytes));
}

TEST_CASE("an error of the host's read tells errno and the disk offset") {
  Image image(8'192);
  const UniqueFd write_only(open(image.path().c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(write_only.valid());
  DiskInput input = image.input();
  input.fd = write_only.get();
  const auto disk = Disk::open(input, 0);
  REQUIRE(disk);
  std::array<std::byte, 16> bytes{};
  const auto read = (*disk)->read_at(512, bytes);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kIo);
  CHECK(read.error().system_errno == EBADF);
  CHECK(read.error().where == "hd0, byte 512");
}

TEST_CASE("with an offset the disk begins there, and extents count from the file's start") {
  Image image(10'000);
  image.write(4'096, "here");
  DiskInput input = image.input();
  input.offset = 4'096;
  input.has_offset = true;
  const auto disk = Disk::open(input, 1);
  REQUIRE(disk);
  CHECK((*disk)->size() == 5'904);
  std::array<std::byte, 4> bytes{};
  REQUIRE((*disk)->read_at(0, bytes));
  CHECK(as_text(bytes) == "here");
  CHECK(*(*disk)->locate(100, 50) == DiskExtent{1, 4'196, 50});
  CHECK(*(*disk)->locate(5'900, 50) == DiskExtent{1, 9'996, 4});
  const auto read = (*disk)->read_at(5'904, bytes);
  REQUIRE_FALSE(read);
  CHECK(read.error().where == "hd1, byte 10000");
}

TEST_CASE("an offset past the end is an error of usage") {
  Image image(10'000);
  DiskInput input = image.input();
  input.has_offset = true;
  for (const std::uint64_t offset : {std::uint64_t{10'000}, std::uint64_t{10'001}, UINT64_MAX}) {
    input.offset = offset;
    const auto disk = Disk::open(input, 0);
    REQUIRE_FALSE(disk);
    CHECK(disk.error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("an offset of zero counts only where it was given") {
  Image image(10'000);
  DiskInput input = image.input();
  input.offset = 5'000;
  const auto disk = Disk::open(input, 0);
  REQUIRE(disk);
  CHECK((*disk)->size() == 10'000);
}

TEST_CASE("sizes that cannot be are refused") {
  Image image(10'000);
  DiskInput input = image.input();
  input.size = 0;
  CHECK(Disk::open(input, 0).error().code == ErrorCode::kDamaged);
  input.size = UINT64_MAX;
  CHECK(Disk::open(input, 0).error().code == ErrorCode::kInternal);
  input = image.input();
  input.sector_size = 1'000;
  CHECK(Disk::open(input, 0).error().code == ErrorCode::kInternal);
}

TEST_CASE("nothing lies where there are no bytes") {
  Image image(1'000);
  const auto disk = Disk::open(image.input(), 0);
  REQUIRE(disk);
  CHECK_FALSE((*disk)->locate(1'000, 1));
  CHECK_FALSE((*disk)->locate(UINT64_MAX, 1));
  CHECK_FALSE((*disk)->locate(0, 0));
  CHECK(*(*disk)->locate(999, UINT64_MAX) == DiskExtent{0, 999, 1});
}

// blkback writes a guest's data past dom0's page cache; somebody in dom0 (a udev rule, an open fdisk) keeps
// the device open, so old pages stay. Two loop devices over one file are the same without Xen.
TEST_CASE("a block device is read as it is on the disk, not as the page cache remembers it") {
  std::string path = "/var/tmp/pvhgrub-cache-XXXXXX";
  const UniqueFd file(mkostemp(path.data(), O_CLOEXEC));
  REQUIRE(file.valid());
  REQUIRE(ftruncate(file.get(), 1 << 20) == 0);
  const auto reader = LoopDevice::attach(path);
  const auto writer = LoopDevice::attach(path);
  unlink(path.c_str());
  if (!reader || !writer) return;

  // The reader's own descriptor is the one held open; this read fills the cache.
  std::array<char, 4> bytes{};
  REQUIRE(pread(reader->fd(), bytes.data(), bytes.size(), 4'096) == 4);
  REQUIRE(pwrite(writer->fd(), "new!", 4, 4'096) == 4);
  REQUIRE(fsync(writer->fd()) == 0);
  REQUIRE(pread(reader->fd(), bytes.data(), bytes.size(), 4'096) == 4);
  if (std::string_view(bytes.data(), 4) == "new!") {
    WARN("skipped: the page cache of loop devices is never stale here");
    return;
  }

  const auto disk = Disk::open(reader->input(), 0);
  REQUIRE(disk);
  std::array<std::byte, 4> fresh{};
  REQUIRE((*disk)->read_at(4'096, fresh));
  CHECK(as_text(fresh) == "new!");
}

TEST_CASE("a partition's bytes are the disk's from its offset on") {
  MemorySource disk(std::vector<std::byte>(10'000), 2);
  disk.bytes()[5'003] = std::byte{7};
  PartitionSource partition(disk, 5'000, 1'000, "hd2,gpt1");
  CHECK(partition.size() == 1'000);
  std::array<std::byte, 1> byte{};
  REQUIRE(partition.read_at(3, byte));
  CHECK(byte[0] == std::byte{7});
  CHECK(*partition.locate(3, 100) == DiskExtent{2, 5'003, 100});
  CHECK(*partition.locate(990, 100) == DiskExtent{2, 5'990, 10});
  CHECK_FALSE(partition.locate(1'000, 1));
}

TEST_CASE("a partition is not read past its end, although the disk goes on") {
  MemorySource disk(std::vector<std::byte>(10'000));
  PartitionSource partition(disk, 5'000, 1'000, "hd0,gpt1");
  std::array<std::byte, 2> bytes{};
  for (const std::uint64_t offset :
       {std::uint64_t{999}, std::uint64_t{1'000}, UINT64_MAX, UINT64_MAX - 5'000}) {
    const auto read = partition.read_at(offset, bytes);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kDamaged);
    CHECK(read.error().where.starts_with("hd0,gpt1, byte "));
  }
  CHECK(disk.reads() == 0);
}

TEST_CASE("a partition that the disk cuts off is read as far as it goes") {
  MemorySource disk(std::vector<std::byte>(10'000));
  PartitionSource partition(disk, 9'000, 5'000, "hd0,msdos2");
  std::array<std::byte, 100> bytes{};
  CHECK(partition.read_at(900, bytes));
  const auto read = partition.read_at(901, bytes);
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find("the image was cut short") != std::string::npos);
  CHECK(*partition.locate(950, 500) == DiskExtent{0, 9'950, 50});
  CHECK_FALSE(partition.locate(1'000, 1));
}

TEST_CASE("the host's error of a partition's read names the partition and the disk offset") {
  MemorySource disk(std::vector<std::byte>(10'000));
  disk.make_bad(5'512, 6'024);
  PartitionSource partition(disk, 5'000, 4'000, "hd0,gpt1");
  std::array<std::byte, 100> bytes{};
  CHECK(partition.read_at(0, bytes));
  const auto read = partition.read_at(500, bytes);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kIo);
  CHECK(read.error().where == "hd0,gpt1: disk 0, offset 5500");
}
