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
namespace {

constexpr std::size_t kSuperblock = 1024;

// Changes would end at the superblock's checksum.
void forget_checksum(std::vector<std::byte>& image) {
  image[kSuperblock + 8] &= ~std::byte{1};
}

// Changes bytes here and there but in contents, and reads all that is left.
void change_and_read(const std::vector<std::byte>& bytes, unsigned rounds) {
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
  for (unsigned round = 0; round < rounds; ++round) {
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
  CHECK(opened_count > rounds / 8);  // else the changes hit nothing but the superblock
}

}  // namespace

TEST_CASE("changed EROFS metadata never crashes, hangs, or leads outside of the disk", "[erofs]") {
  if (!run_quietly("command -v mkfs.erofs")) {
    WARN("skipped: mkfs.erofs is missing");
    return;
  }
  const TemporaryDirectory directory;
  const std::filesystem::path tree = directory.path() / "tree";
  for (int i = 0; i < 60; ++i) write_file(tree / "many" / (std::string(30, 'n') + std::to_string(i)), "x");
  std::string contents = noise(20'000, 1);
  for (unsigned i = 0; i < 8; ++i) contents += std::string(3000, 'a') + noise(2000, i) + noise(2000, i);
  write_file(tree / "boot/vmlinuz", contents);
  write_file(tree / "boot/grub/grub.cfg", "a line\n");
  std::filesystem::create_symlink("boot/vmlinuz", tree / "link");
  const std::string options =
      GENERATE(as<std::string>{}, "-T0", "--chunksize=4096", "-Enoinline_data", "-zlz4",
               "-zlz4 -Elegacy-compress", "-zlz4hc -C65536", "-zlz4hc -Eztailpacking");
  const std::string image = (directory.path() / "image").string();
  REQUIRE(run_quietly("mkfs.erofs --quiet " + options + " " + image + " " + tree.string()));
  std::vector<std::byte> bytes = MemorySource::bytes_of_file(image);
  forget_checksum(bytes);
  change_and_read(bytes, 300);
}

TEST_CASE("changed EROFS with fragments, shared clusters and other algorithms never crashes or hangs",
          "[erofs]") {
  const std::string name = GENERATE(as<std::string>{}, "deflate", "lz4_blocks_of_512", "lz4hc_all_fragments",
                                    "lz4hc_dedupe", "lz4hc_fragments", "lzma", "zstd");
  std::vector<std::byte> bytes =
      MemorySource::bytes_of_file(std::string(PVHGRUB_TEST_DATA) + "/erofs/" + name + ".erofs");
  forget_checksum(bytes);
  change_and_read(bytes, 150);
}

TEST_CASE("a compressed file of EROFS that is read in order is decompressed once", "[erofs]") {
  if (!run_quietly("command -v mkfs.erofs")) {
    WARN("skipped: mkfs.erofs is missing");
    return;
  }
  const TemporaryDirectory directory;
  const std::filesystem::path tree = directory.path() / "tree";
  std::string contents;
  for (unsigned i = 0; i < 200; ++i) contents += noise(7000, i) + noise(7000, i) + std::string(9000, 'z');
  write_file(tree / "file", contents);
  const std::string options =
      GENERATE(as<std::string>{}, "-zlz4", "-zlz4 -C65536", "-zlz4 -Elegacy-compress");
  const std::string image = (directory.path() / "image").string();
  REQUIRE(run_quietly("mkfs.erofs --quiet " + options + " " + image + " " + tree.string()));
  MemorySource source(MemorySource::bytes_of_file(image));
  REQUIRE(source.size() < contents.size() * 2 / 3);
  constexpr std::uint64_t kBudget = 1U << 30U;
  Budget budget(10'000'000, kBudget);
  const auto file_system = open_erofs_file_system(source, budget);
  REQUIRE(file_system);
  const auto file = (*file_system)->open("/file");
  REQUIRE(file);
  const std::size_t step = GENERATE(1000UL, 10'007UL, 1'000'003UL);
  std::string got;
  std::string piece(step, '\0');
  for (;;) {
    const auto count = (*file)->read(got.size(), std::as_writable_bytes(std::span(piece)));
    REQUIRE(count);
    if (*count == 0) break;
    got.append(piece, 0, *count);
  }
  CHECK(got == contents);
  // What was read of the image, a little of it twice where the buffer ended, and what came out.
  CHECK(kBudget - budget.bytes_left() < source.size() * 9 / 8 + contents.size() + 65'536);
}

}  // namespace pvhgrub::fs::test
