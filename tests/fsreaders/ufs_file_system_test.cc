// SPDX-License-Identifier: LGPL-2.1-or-later
// UFS made by makefs(8) and then damaged.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "base/crc32c.h"
#include "fsreaders/disk_signature.h"
#include "fsreaders/ufs_file_system.h"
#include "tests/fsreaders/ext_image.h"
#include "tests/fsreaders/read_everything.h"

namespace pvhgrub::fs::test {

namespace {

constexpr std::size_t kPlace = 8192;  // of the superblock, where makefs puts it for both versions

// Nothing where makefs is missing.
std::vector<std::byte> make_image(const std::string& version) {
  if (!run_quietly("command -v makefs")) {
    WARN("skipped: makefs is missing");
    return {};
  }
  const TemporaryDirectory directory;
  const std::filesystem::path tree = directory.path() / "tree";
  write_file(tree / "boot/kernel/kernel", noise(200'000, 1));
  write_file(tree / "boot/loader.conf", "autoboot_delay=3\n");
  for (int i = 0; i < 40; ++i) write_file(tree / "many" / ("entry" + std::to_string(i)), noise(300, 2));
  std::filesystem::create_symlink("boot/loader.conf", tree / "short");
  std::filesystem::create_symlink(std::string(200, '/') + "boot/loader.conf", tree / "long");
  const std::string image = (directory.path() / "image").string();
  REQUIRE(run_quietly("makefs -t ffs -o bsize=4096,fsize=512,version=" + version + " -s 2m " + image + " " +
                      tree.string()));
  return MemorySource::bytes_of_file(image);
}

void put(std::vector<std::byte>& bytes, std::size_t offset, std::uint32_t value, unsigned count) {
  for (unsigned i = 0; i < count; ++i)
    bytes.at(offset + i) = static_cast<std::byte>((value >> (8 * i)) & 0xFFU);
}

struct Opened {
  explicit Opened(const std::vector<std::byte>& bytes)
      : source(bytes), budget(Budget::standard()), file_system(open_ufs_file_system(source, budget)) {}
  MemorySource source;
  Budget budget;
  Result<std::unique_ptr<FileSystem>> file_system;
};

}  // namespace

TEST_CASE("UFS is known by its superblock and follows links", "[ufs]") {
  const std::string version = GENERATE(as<std::string>{}, "1", "2");
  const std::vector<std::byte> bytes = make_image(version);
  if (bytes.empty()) return;
  Opened opened(bytes);
  const auto format = recognise_format(opened.source);
  REQUIRE(format);
  REQUIRE(*format != nullptr);
  CHECK((*format)->name == "UFS");
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->type_name() == "ufs" + version);
  CHECK((*opened.file_system)->notes().empty());
  for (const std::string path : {"/boot/loader.conf", "/short", "/long"}) {
    const auto file = (*opened.file_system)->open(path);
    REQUIRE(file);
    CHECK(*read_contents(**file) == "autoboot_delay=3\n");
  }
  CHECK((*opened.file_system)->open("/boot").error().code == ErrorCode::kWrongType);
  CHECK((*opened.file_system)->open("/none").error().code == ErrorCode::kNotFound);
}

TEST_CASE("a label is told, an unclean shutdown and a wrong check hash are noted", "[ufs]") {
  std::vector<std::byte> bytes = make_image("2");
  if (bytes.empty()) return;
  std::ranges::copy(as_bytes("ROOTFS"), bytes.begin() + kPlace + 680);
  CHECK((*Opened(bytes).file_system)->label() == "ROOTFS");
  // Check hashes (FreeBSD 12): a flag, what has them, and the hash of the superblock, which itself counts as
  // 0.
  const std::size_t size = 1376;
  put(bytes, kPlace + 104, size, 4);
  put(bytes, kPlace + 1312, 0x200, 4);
  put(bytes, kPlace + 1308, 1, 4);
  put(bytes, kPlace + 1304, 0, 4);
  put(bytes, kPlace + 1304, crc32c_carry(~std::uint32_t{0}, Bytes(bytes).subspan(kPlace, size)), 4);
  CHECK((*Opened(bytes).file_system)->notes().empty());
  put(bytes, kPlace + 1304, 1, 4);
  CHECK((*Opened(bytes).file_system)->notes().size() == 1);
  put(bytes, kPlace + 209, 0, 1);
  CHECK((*Opened(bytes).file_system)->notes().size() == 2);
}

TEST_CASE("a superblock that contradicts itself is damage, one of the other byte order is refused", "[ufs]") {
  const std::vector<std::byte> good = make_image("1");
  if (good.empty()) return;
  struct Change {
    std::size_t offset;
    std::uint32_t value;
    ErrorCode code;
  };
  const Change change =
      GENERATE(Change{48, 0, ErrorCode::kDamaged}, Change{48, 4097, ErrorCode::kDamaged},
               Change{48, 131'072, ErrorCode::kDamaged}, Change{52, 0, ErrorCode::kDamaged},
               Change{52, 256, ErrorCode::kDamaged}, Change{56, 3, ErrorCode::kDamaged},
               Change{44, 0, ErrorCode::kDamaged}, Change{184, 0, ErrorCode::kDamaged},
               Change{184, 0xFFFF'FFFF, ErrorCode::kDamaged}, Change{188, 0, ErrorCode::kDamaged},
               Change{36, 0, ErrorCode::kDamaged}, Change{1324, 0, ErrorCode::kUnsupported},
               Change{1372, 0x54190100, ErrorCode::kUnsupported}, Change{1372, 0, ErrorCode::kUnsupported});
  INFO(change.offset << " = " << change.value);
  std::vector<std::byte> bytes = good;
  put(bytes, kPlace + change.offset, change.value, 4);
  const Opened opened(bytes);
  REQUIRE_FALSE(opened.file_system);
  CHECK(opened.file_system.error().code == change.code);
}

TEST_CASE("changed UFS metadata never crashes, hangs, or leads outside of the disk", "[ufs]") {
  const std::string version = GENERATE(as<std::string>{}, "1", "2");
  const std::vector<std::byte> bytes = make_image(version);
  if (bytes.empty()) return;
  std::vector<std::size_t> offsets;  // superblock, inodes, directories, pointers; not the files' noise
  for (std::size_t block = kPlace; block + 512 <= bytes.size(); block += 512) {
    const auto run = std::span(bytes).subspan(block, 512);
    const auto zeros = std::ranges::count(run, std::byte{0});
    if (zeros == 512 || zeros < 20) continue;
    for (std::size_t i = 0; i < 512; ++i)
      if (run[i] != std::byte{0}) offsets.push_back(block + i);
  }
  std::mt19937 random(99);
  unsigned opened_count = 0;
  for (int round = 0; round < 300; ++round) {
    MemorySource source(bytes);
    for (unsigned change = 0; change <= random() % 8; ++change)
      source.bytes()[offsets[random() % offsets.size()]] =
          random() % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
    Budget budget(200'000, 50 << 20);
    const auto file_system = open_ufs_file_system(source, budget);
    if (!file_system) continue;
    ++opened_count;
    CHECK(read_everything(**file_system, source.size()));
  }
  CHECK(opened_count > 100);
}

}  // namespace pvhgrub::fs::test
