// SPDX-License-Identifier: LGPL-2.1-or-later
// Images with a few bytes changed: whatever a guest writes, reading ends, within the budget, with a value or
// an error. Worth most in a build with sanitizers.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "fsreaders/ext_file_system.h"
#include "tests/fsreaders/ext_image.h"
#include "tests/fsreaders/read_everything.h"

namespace pvhgrub::fs::test {
namespace {

namespace stdfs = std::filesystem;

// Offsets of metadata: every byte of a block that is not all zeros, but for the noise of the file contents.
std::vector<std::size_t> metadata_offsets(const std::vector<std::byte>& bytes) {
  std::vector<std::size_t> offsets;
  for (std::size_t block = 0; block + 1024 <= bytes.size(); block += 1024) {
    const auto run = std::span(bytes).subspan(block, 1024);
    const auto zeros = std::ranges::count(run, std::byte{0});
    if (zeros == 1024 || zeros < 50) continue;
    for (std::size_t i = 0; i < 1024; ++i)
      if (run[i] != std::byte{0}) offsets.push_back(block + i);
  }
  return offsets;
}

}  // namespace

TEST_CASE("changed metadata never crashes, hangs, or leads outside of the disk") {
  if (!run_quietly("command -v mke2fs") || !run_quietly("command -v debugfs")) {
    WARN("skipped: mke2fs or debugfs is missing");
    return;
  }
  const TemporaryDirectory directory;
  const stdfs::path tree = directory.path() / "tree";
  write_file(tree / "boot/vmlinuz", noise(30'000, 1));
  write_file(tree / "boot/grub/grub.cfg", noise(100, 2));
  write_file(tree / "fragments", noise(60'000, 3));
  for (int i = 0; i < 60; ++i) write_file(tree / "many" / (std::string(30, 'n') + std::to_string(i)), "x");
  stdfs::create_symlink("boot/vmlinuz", tree / "link");
  stdfs::create_symlink(std::string(100, '/') + "boot/vmlinuz", tree / "slow");
  const std::string options =
      GENERATE(as<std::string>{}, "-t ext2 -b 1024", "-t ext4 -b 1024 -O ^metadata_csum",
               "-t ext4 -b 1024 -O ^metadata_csum,inline_data", "-t ext4 -b 1024",
               "-t ext4 -b 1024 -O ^metadata_csum -J size=1");
  const stdfs::path image = directory.path() / "image";
  REQUIRE(make_ext_image(image, 4 << 20, options + " -N 128", tree));
  // Punched holes make an extent tree of more than four extents, so of more than one node.
  std::string punches;
  for (int i = 1; i < 58; i += 2)
    punches += "punch /fragments " + std::to_string(i) + " " + std::to_string(i) + "\n";
  const bool journal = options.find("size=1") != options.npos;
  if (journal) {
    write_file(directory.path() / "block", std::string(1024, 'j'));
    for (int i = 0; i < 5; ++i)
      punches += "jo\njw -b 3000 " + (directory.path() / "block").string() + "\njw -r 3001\njc\n";
  }
  write_file(directory.path() / "commands", punches);
  REQUIRE(run_quietly("debugfs -w -f " + (directory.path() / "commands").string() + " " + image.string()));

  const std::vector<std::byte> bytes = MemorySource::bytes_of_file(image.string());
  const std::vector<std::size_t> offsets = metadata_offsets(bytes);
  std::mt19937 random(12345);
  unsigned opened_count = 0;
  for (int round = 0; round < 400; ++round) {
    MemorySource source(bytes);
    for (unsigned change = 0; change <= random() % 4; ++change)
      source.bytes()[offsets[random() % offsets.size()]] =
          random() % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
    Budget budget(200'000, 50 << 20);
    const auto file_system = open_ext_file_system(source, budget);
    if (!file_system) continue;
    ++opened_count;
    CHECK(read_everything(**file_system, source.size()));
  }
  INFO(options);
  CHECK(opened_count > 20);  // else the changes hit nothing but the superblock
}

}  // namespace pvhgrub::fs::test
