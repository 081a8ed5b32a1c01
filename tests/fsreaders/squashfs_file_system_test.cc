// SPDX-License-Identifier: LGPL-2.1-or-later
// SquashFS with a few bytes changed: whatever a guest writes, reading ends, within the budget, with a value
// or an error. What mksquashfs writes is read in squashfs_conformance_test.py.
#include "fsreaders/squashfs_file_system.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "tests/fsreaders/ext_image.h"
#include "tests/fsreaders/read_everything.h"

namespace pvhgrub::fs::test {
namespace {

// An image of a small tree; empty where mksquashfs is missing.
std::vector<std::byte> make_squashfs(const std::string& options) {
  if (!run_quietly("command -v mksquashfs")) {
    WARN("skipped: mksquashfs is missing");
    return {};
  }
  const TemporaryDirectory directory;
  const std::filesystem::path tree = directory.path() / "tree";
  for (int i = 0; i < 60; ++i) write_file(tree / "many" / (std::string(30, 'n') + std::to_string(i)), "x");
  write_file(tree / "boot/vmlinuz", noise(20'000, 1) + std::string(20'000, 'a') + std::string(20'000, '\0'));
  write_file(tree / "boot/grub/grub.cfg", "a line\n");
  std::filesystem::create_symlink("boot/vmlinuz", tree / "link");
  const std::string image = (directory.path() / "image").string();
  REQUIRE(run_quietly("mksquashfs " + tree.string() + " " + image +
                      " -quiet -no-progress -processors 1 -b 4K " + options));
  return MemorySource::bytes_of_file(image);
}

}  // namespace

TEST_CASE("changed SquashFS metadata never crashes, hangs, or leads outside of the disk") {
  const std::string options = GENERATE(as<std::string>{}, "-noI -noF", "-comp gzip", "-comp xz", "-comp lzo",
                                       "-comp lz4", "-comp zstd");
  const std::vector<std::byte> bytes = make_squashfs(options);
  if (bytes.empty()) return;
  MemorySource source(bytes);
  std::mt19937 random(99);
  unsigned opened_count = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::size_t, std::byte>> before;
    for (unsigned change = 0; change <= random() % 4; ++change) {
      const std::size_t offset = random() % bytes.size();
      before.emplace_back(offset, source.bytes()[offset]);
      source.bytes()[offset] = random() % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
    }
    Budget budget(200'000, 50 << 20);
    if (const auto file_system = open_squashfs_file_system(source, budget)) {
      ++opened_count;
      CHECK(read_everything(**file_system, source.size()));
    }
    for (; !before.empty(); before.pop_back()) source.bytes()[before.back().first] = before.back().second;
  }
  CHECK(opened_count > 100);  // else the changes hit nothing but the superblock
}

TEST_CASE("SquashFS that is cut off or of another version is told apart") {
  std::vector<std::byte> bytes = make_squashfs("-comp gzip");
  if (bytes.empty()) return;
  Budget budget = Budget::standard();
  SECTION("cut off") {
    bytes.resize(bytes.size() / 2);
    MemorySource source(bytes);
    CHECK(open_squashfs_file_system(source, budget).error().code == ErrorCode::kDamaged);
  }
  SECTION("version 3") {
    bytes[28] = std::byte{3};
    MemorySource source(bytes);
    CHECK(open_squashfs_file_system(source, budget).error().code == ErrorCode::kUnsupported);
  }
  SECTION("an unknown compression") {
    bytes[20] = std::byte{7};
    MemorySource source(bytes);
    CHECK(open_squashfs_file_system(source, budget).error().message.find("number 7") != std::string::npos);
  }
  SECTION("blocks of a size that is no power of two") {
    bytes[13] = std::byte{0x11};
    MemorySource source(bytes);
    CHECK(open_squashfs_file_system(source, budget).error().code == ErrorCode::kDamaged);
  }
}

}  // namespace pvhgrub::fs::test
