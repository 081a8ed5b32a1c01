// SPDX-License-Identifier: LGPL-2.1-or-later
// Small images of mkfs.btrfs: what a listing's order is, what a damaged one gives. The kinds and profiles are
// compared with Linux and GRUB in btrfs_conformance_test.py.
#include "fsreaders/btrfs_file_system.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <random>

#include "base/crc32c.h"
#include "fsreaders/btrfs_superblock.h"
#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {
namespace {

namespace stdfs = std::filesystem;

constexpr std::size_t kNode = 4096;

// An image of one device whose nodes and sectors are 4 KiB; empty where mkfs.btrfs is missing.
std::vector<std::byte> small_image(const std::string& options = "") {
  const TemporaryDirectory directory;
  const stdfs::path tree = directory.path() / "tree";
  write_file(tree / "boot/vmlinuz", noise(300'000, 1));
  write_file(tree / "boot/grub/grub.cfg", noise(100, 2));
  for (int i = 0; i < 60; ++i) write_file(tree / "many" / (std::string(30, 'n') + std::to_string(i)), "x");
  stdfs::create_symlink("boot/vmlinuz", tree / "link");
  const stdfs::path image = directory.path() / "image";
  const std::string name = image.string();
  if (!run_quietly("truncate -s 20M " + name + " && mkfs.btrfs -q -f --mixed -n 4096 -m single " + options +
                   " --rootdir " + tree.string() + " " + name)) {
    WARN("mkfs.btrfs is missing (package btrfs-progs): nothing is tested");
    return {};
  }
  return MemorySource::bytes_of_file(name);
}

Result<std::unique_ptr<FileSystem>> open(BlockSource& source, Budget& budget) {
  return open_btrfs_file_system(source, [] { return std::vector<BlockSource*>(); }, budget);
}

// Of the nodes that hold something: where the file system's id stands behind a checksum.
std::vector<std::size_t> node_places(const std::vector<std::byte>& bytes) {
  const auto fsid = Bytes(bytes).subspan(65536 + 32, 16);
  std::vector<std::size_t> places;
  for (std::size_t place = 65536 + kNode; place + kNode <= bytes.size(); place += kNode)
    if (std::ranges::equal(Bytes(bytes).subspan(place + 32, 16), fsid)) places.push_back(place);
  return places;
}

void put_checksum(std::vector<std::byte>& bytes, std::size_t place) {
  const std::uint32_t sum = crc32c(Bytes(bytes).subspan(place + 32, kNode - 32));
  for (std::size_t i = 0; i < 4; ++i) bytes[place + i] = static_cast<std::byte>(sum >> (8 * i));
}

class BoundedSink final : public ContentSink {
 public:
  explicit BoundedSink(std::uint64_t disk_size) : disk_size_(disk_size) {}
  Result<void> hole(std::uint64_t length) override { return count(length); }
  Result<void> extent(const DiskExtent& extent) override {
    inside = inside && extent.length > 0 && range_inside(extent.offset, extent.length, disk_size_);
    return count(extent.length);
  }
  Result<void> bytes(std::span<const std::byte> bytes) override { return count(bytes.size()); }
  bool inside = true;
  std::uint64_t total = 0;

 private:
  Result<void> count(std::uint64_t length) {
    total += length;
    return {};
  }
  std::uint64_t disk_size_;
};

// Reads all that can be reached; true where each file gave what it promised, and errors were of a guest.
bool read_everything(FileSystem& file_system, std::uint64_t disk_size) {
  bool sound = true;
  unsigned visits = 0;
  const auto told_well = [&](const Error& error) {
    if (error.code == ErrorCode::kInternal || error.code == ErrorCode::kIo) sound = false;
  };
  const std::function<void(const std::string&)> walk = [&](const std::string& directory) {
    if (directory.size() > 300 || ++visits > 100) return;  // directories may lead in a circle
    const auto entries = file_system.list(directory.empty() ? "/" : directory);
    if (!entries) return told_well(entries.error());
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      if (entry.type == FileType::kDirectory) {
        walk(path);
        continue;
      }
      const auto file = file_system.open(path);
      if (!file) {
        told_well(file.error());
        continue;
      }
      BoundedSink sink(disk_size);
      const auto sent = (*file)->send(sink);
      if (!sent) told_well(sent.error());
      if (!sink.inside || (sent && sink.total != (*file)->size())) sound = false;
      std::vector<std::byte> head(5000);
      const auto count = (*file)->read(0, head);
      if (count && *count != std::min<std::uint64_t>(head.size(), (*file)->size())) sound = false;
    }
  };
  walk("");
  return sound;
}

}  // namespace

TEST_CASE("a directory of btrfs is listed as GRUB goes through it: by the hashes of the names", "[btrfs]") {
  std::vector<std::byte> bytes = small_image();
  if (bytes.empty()) return;
  MemorySource source(std::move(bytes));
  Budget budget = Budget::standard();
  const auto file_system = open(source, budget);
  REQUIRE(file_system);
  CHECK((*file_system)->type_name() == "btrfs");
  const auto entries = (*file_system)->list("/many");
  REQUIRE(entries);
  CHECK(entries->size() == 60);
  // btrfs: the CRC-32C from ~1 on, not inverted at its end.
  const auto hash = [](const DirectoryEntry& entry) {
    return crc32c_carry(~std::uint32_t{1}, as_bytes(entry.name));
  };
  CHECK(std::ranges::is_sorted(*entries, {}, hash));
  CHECK((*file_system)->stat("/link")->size == 300'000);
  CHECK((*file_system)->open("/nowhere").error().code == ErrorCode::kNotFound);
  CHECK((*file_system)->open("/boot").error().code == ErrorCode::kWrongType);
}

TEST_CASE("reading a small file of btrfs reads little", "[btrfs]") {
  std::vector<std::byte> bytes = small_image();
  if (bytes.empty()) return;
  MemorySource source(std::move(bytes));
  Budget budget = Budget::standard();
  const auto file_system = open(source, budget);
  REQUIRE(file_system);
  const auto file = (*file_system)->open("/boot/grub/grub.cfg");
  REQUIRE(file);
  CHECK(read_contents(**file).value() == noise(100, 2));
  CHECK(source.reads() < 30);
  const std::uint64_t reads = source.reads();
  CHECK((*file_system)->stat("/boot/grub/grub.cfg"));
  CHECK(source.reads() == reads);  // all of it is remembered
  CHECK((*file)->overwritable_extents().error().code == ErrorCode::kUnsupported);
}

TEST_CASE("features that are not known are refused by name", "[btrfs]") {
  const std::vector<std::byte> bytes = small_image();
  if (bytes.empty()) return;
  const auto refusal = [&](unsigned bit) {
    std::vector<std::byte> changed = bytes;
    changed[65536 + 188 + bit / 8] |= static_cast<std::byte>(1U << (bit % 8));
    put_checksum(changed, 65536);
    MemorySource source(std::move(changed));
    Budget budget = Budget::standard();
    const auto file_system = open(source, budget);
    return file_system ? std::string("read") : file_system.error().describe();
  };
  CHECK(refusal(12).find("(zoned)") != std::string::npos);
  CHECK(refusal(13).find("(extent-tree-v2)") != std::string::npos);
  CHECK(refusal(14).find("(raid-stripe-tree)") != std::string::npos);
  CHECK(refusal(40).find("of a newer Linux") != std::string::npos);
  CHECK(refusal(16) == "read");
}

TEST_CASE("btrfs images with changed bytes give values or errors, within the budget", "[btrfs]") {
  const std::vector<std::byte> bytes = small_image();
  if (bytes.empty()) return;
  std::vector<std::size_t> places = node_places(bytes);
  REQUIRE(places.size() > 10);
  places.push_back(65536);
  std::mt19937 random(12345);
  unsigned opened_count = 0;
  MemorySource source(bytes);
  std::vector<std::byte>& changed = source.bytes();
  for (unsigned round = 0; round < 600; ++round) {
    const std::size_t place = places[random() % places.size()];
    const bool superblock = place == 65536;
    // Mostly the header and what is near it, mostly with a right checksum: else no change gets far.
    const std::size_t reach = random() % 2 == 0 ? 400 : kNode;
    for (unsigned change = 0; change <= random() % 3; ++change) {
      const std::size_t offset = superblock ? 72 + random() % 1000 : 80 + random() % (reach - 80);
      changed[place + offset] = random() % 4 == 0   ? std::byte{0xff}
                                : random() % 3 == 0 ? std::byte{0}
                                                    : static_cast<std::byte>(random());
    }
    if (random() % 8 != 0) put_checksum(changed, place);
    Budget budget(200'000, 60 << 20);
    if (const auto file_system = open(source, budget)) {
      ++opened_count;
      CHECK(read_everything(**file_system, source.size()));
    } else {
      const ErrorCode code = file_system.error().code;
      INFO(file_system.error().describe());
      CHECK((code == ErrorCode::kDamaged || code == ErrorCode::kUnsupported || code == ErrorCode::kLimit));
    }
    std::ranges::copy(Bytes(bytes).subspan(place, kNode),
                      changed.begin() + static_cast<std::ptrdiff_t>(place));
  }
  CHECK(opened_count > 200);  // else the changes hit nothing but the superblock
}

}  // namespace pvhgrub::fs::test
