// SPDX-License-Identifier: LGPL-2.1-or-later
// EROFS with a few bytes changed: whatever a guest writes, reading ends, within the budget, with a value or
// an error. What mkfs.erofs writes is read in erofs_conformance_test.py.
#include "fsreaders/erofs_file_system.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "tests/fsreaders/ext_image.h"
#include "tests/fsreaders/read_everything.h"

namespace pvhgrub::fs::test {

TEST_CASE("changed EROFS metadata never crashes, hangs, or leads outside of the disk") {
  if (!run_quietly("command -v mkfs.erofs")) {
    WARN("skipped: mkfs.erofs is missing");
    return;
  }
  const TemporaryDirectory directory;
  const std::filesystem::path tree = directory.path() / "tree";
  for (int i = 0; i < 60; ++i) write_file(tree / "many" / (std::string(30, 'n') + std::to_string(i)), "x");
  write_file(tree / "boot/vmlinuz", noise(20'000, 1));
  write_file(tree / "boot/grub/grub.cfg", "a line\n");
  std::filesystem::create_symlink("boot/vmlinuz", tree / "link");
  const std::string options = GENERATE(as<std::string>{}, "-T0", "--chunksize=4096", "-Enoinline_data");
  const std::string image = (directory.path() / "image").string();
  REQUIRE(run_quietly("mkfs.erofs --quiet " + options + " " + image + " " + tree.string()));
  const std::vector<std::byte> bytes = MemorySource::bytes_of_file(image);
  std::vector<std::size_t> offsets;
  for (std::size_t block = 0; block + 512 <= bytes.size(); block += 512) {
    const auto run = std::span(bytes).subspan(block, 512);
    if (std::ranges::count(run, std::byte{0}) < 20) continue;  // noise
    for (std::size_t i = 0; i < 512; ++i)
      if (run[i] != std::byte{0}) offsets.push_back(block + i);
  }
  MemorySource source(bytes);
  std::mt19937 random(7);
  unsigned opened_count = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::pair<std::size_t, std::byte>> before;
    for (unsigned change = 0; change <= random() % 6; ++change) {
      const std::size_t offset = offsets[random() % offsets.size()];
      before.emplace_back(offset, source.bytes()[offset]);
      source.bytes()[offset] = random() % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
    }
    Budget budget(200'000, 50 << 20);
    if (const auto file_system = open_erofs_file_system(source, budget)) {
      ++opened_count;
      CHECK(read_everything(**file_system, source.size()));
    }
    for (; !before.empty(); before.pop_back()) source.bytes()[before.back().first] = before.back().second;
  }
  CHECK(opened_count > 50);  // else the changes hit nothing but the superblock
}

}  // namespace pvhgrub::fs::test
