// SPDX-License-Identifier: LGPL-2.1-or-later
// FAT with a few bytes changed: whatever a guest writes, reading ends, within the budget, with a value or an
// error. Worth most in a build with sanitizers.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "fsreaders/fat_file_system.h"
#include "tests/fsreaders/ext_image.h"
#include "tests/fsreaders/read_everything.h"

namespace pvhgrub::fs::test {

namespace {

// Offsets of all that is metadata: boot sector, tables and directories come before the files' noise, which is
// written last.
std::vector<std::size_t> metadata_offsets(const std::vector<std::byte>& bytes) {
  std::vector<std::size_t> offsets;
  for (std::size_t block = 0; block + 512 <= bytes.size(); block += 512) {
    const auto run = std::span(bytes).subspan(block, 512);
    const auto zeros = std::ranges::count(run, std::byte{0});
    if (zeros == 512 || (block > 0 && zeros < 20)) continue;
    for (std::size_t i = 0; i < 512; ++i)
      if (run[i] != std::byte{0}) offsets.push_back(block + i);
  }
  return offsets;
}

}  // namespace

TEST_CASE("changed FAT metadata never crashes, hangs, or leads outside of the disk") {
  if (!run_quietly("command -v mkfs.fat") || !run_quietly("command -v mcopy")) {
    WARN("skipped: mkfs.fat or mcopy is missing");
    return;
  }
  const TemporaryDirectory directory;
  const std::string base = directory.path().string();
  for (int i = 0; i < 40; ++i)
    write_file(directory.path() / "many" / (std::string(30, 'n') + std::to_string(i)), noise(700, 5));
  write_file(directory.path() / "EFI/debian/grub.cfg", noise(100, 2));
  write_file(directory.path() / "vmlinuz", noise(60'000, 3));
  const std::string options = GENERATE(as<std::string>{}, "-F 12 -s 1", "-F 16 -s 1", "-F 32 -s 1");
  const std::string image = base + "/image";
  const std::string size = options.find("12") != options.npos   ? "1440"
                           : options.find("16") != options.npos ? "4096"
                                                                : "34000";
  REQUIRE(run_quietly("mkfs.fat -C " + options + " " + image + " " + size));
  REQUIRE(run_quietly("mcopy -s -Q -i " + image + " " + base + "/many " + base + "/EFI " + base +
                      "/vmlinuz ::/"));
  std::vector<std::byte> bytes = MemorySource::bytes_of_file(image);
  bytes.resize(std::min<std::size_t>(bytes.size(), 2 << 20));  // the rest is empty
  const std::vector<std::size_t> offsets = metadata_offsets(bytes);
  std::mt19937 random(4711);
  unsigned opened_count = 0;
  MemorySource source(bytes);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::pair<std::size_t, std::byte>> before;
    for (unsigned change = 0; change <= random() % 4; ++change) {
      const std::size_t offset = offsets[random() % offsets.size()];
      before.emplace_back(offset, source.bytes()[offset]);
      source.bytes()[offset] = random() % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
    }
    Budget budget(200'000, 50 << 20);
    if (const auto file_system = open_fat_file_system(source, budget)) {
      ++opened_count;
      CHECK(read_everything(**file_system, source.size()));
    }
    for (; !before.empty(); before.pop_back()) source.bytes()[before.back().first] = before.back().second;
  }
  INFO(options);
  CHECK(opened_count > 200);  // else the changes hit nothing but the boot sector
}

}  // namespace pvhgrub::fs::test
