// SPDX-License-Identifier: LGPL-2.1-or-later
// exFAT with a few bytes changed and its checksums made right again: whatever a guest writes, reading ends,
// within the budget, with a value or an error. Worth most in a build with sanitizers.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "fsreaders/exfat_file_system.h"
#include "tests/fsreaders/exfat_image.h"
#include "tests/fsreaders/read_everything.h"

namespace pvhgrub::fs::test {

TEST_CASE("changed exFAT metadata never crashes, hangs, or leads outside of the disk", "[exfat]") {
  std::mt19937 random(815);
  unsigned opened_count = 0;
  const auto damage = [&](std::string& entries) {
    if (random() % 2 == 0) entries[random() % entries.size()] = static_cast<char>(random() % 256);
    if (random() % 4 == 0) entries[32 + 8 + random() % 24] = '\xFF';
    seal_exfat_entries(entries);
  };
  for (int round = 0; round < 600; ++round) {
    ExfatImage image;
    ExfatFile file;
    for (unsigned i = 0; i < 8; ++i) {
      file.name = std::u16string(1 + random() % 60, static_cast<char16_t>(u'a' + i));
      file.cluster = 5 + static_cast<std::uint32_t>(random() % 290);
      file.size = random() % 100'000;
      file.contiguous = random() % 2 == 0;
      file.directory = random() % 3 == 0;
      std::string entries = exfat_entries(file);
      damage(entries);
      if (file.directory) image.put(ExfatImage::offset_of(file.cluster), entries);
      image.add(entries);
    }
    for (std::uint32_t cluster = 5; cluster < 302; ++cluster)
      image.chain(cluster, random() % 50 == 0 ? static_cast<std::uint32_t>(random()) : cluster + 1);
    for (unsigned change = 0; change < random() % 3; ++change)
      image.put_number(64 + random() % 50, random() % 2 == 0 ? 0xFF : random() % 256, 1);
    if (random() % 4 == 0) image.put_number(ExfatImage::offset_of(3) + random() % 300, random() % 256, 1);
    image.seal(random() % 2 == 0);
    MemorySource source(image.bytes());
    Budget budget(200'000, 50 << 20);
    const auto file_system = open_exfat_file_system(source, budget);
    if (!file_system) continue;
    ++opened_count;
    CHECK(read_everything(**file_system, source.size()));
  }
  CHECK(opened_count > 300);
}

}  // namespace pvhgrub::fs::test
