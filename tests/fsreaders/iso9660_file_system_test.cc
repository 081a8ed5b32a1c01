// SPDX-License-Identifier: LGPL-2.1-or-later
// Volumes made by hand, for what the usual programs do not make or make only in gigabytes; and volumes with
// bytes changed. What genisoimage and xorriso write is read in iso9660_conformance_test.py.
#include "fsreaders/iso9660_file_system.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "base/limits.h"
#include "tests/fsreaders/ext_image.h"
#include "tests/fsreaders/read_everything.h"

using namespace std::string_literals;

namespace pvhgrub::fs::test {
namespace {

constexpr std::size_t kSector = 2048;
constexpr std::uint8_t kDirectoryFlag = 2;

std::string little(std::uint32_t value, int bytes = 4) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return text;
}

// Both byte orders, as most of ECMA-119's numbers are.
std::string both(std::uint32_t value, int bytes = 4) {
  const std::string text = little(value, bytes);
  return text + std::string(text.rbegin(), text.rend());
}

struct RecordFields {
  std::string name;
  std::uint32_t block = 0;
  std::uint32_t size = 0;
  std::uint8_t flags = 0;
  std::string system_use = {};
  std::uint8_t unit_size = 0;
};

std::string record(const RecordFields& fields) {
  std::string text = "\0"s + both(fields.block) + both(fields.size) + "\x7c\x02\x1d\x0c\x1e\x0f\x04"s +
                     static_cast<char>(fields.flags) + static_cast<char>(fields.unit_size) + "\0"s +
                     both(1, 2) + static_cast<char>(fields.name.size()) + fields.name;
  if (fields.name.size() % 2 == 0) text += '\0';
  text += fields.system_use;
  return static_cast<char>(text.size() + 1) + text;
}

std::string entry(const std::string& signature, const std::string& data) {
  return signature + static_cast<char>(4 + data.size()) + "\x01" + data;
}

const std::string kSuspStart = entry("SP", "\xBE\xEF\0"s) + entry("ER", "\x0a\0\0\x01RRIP_1991A"s);

std::string alternate_name(const std::string& name) {
  return entry("NM", "\0"s + name);
}
std::string mode(std::uint32_t st_mode) {
  return entry("PX", both(st_mode) + both(1) + both(0) + both(0));
}

/// Sectors 0 to 39; the root directory is sector 18, the rest the test fills.
class Volume {
 public:
  Volume() : bytes_(40 * kSector, '\0') {
    std::string primary(kSector, '\0');
    primary.replace(0, 7, "\x01"s + "CD001\x01");
    primary.replace(40, 32, "LABEL" + std::string(27, ' '));
    primary.replace(128, 4, both(kSector, 2));
    primary.replace(156, 34, record({"\0"s, 18, kSector, kDirectoryFlag}));
    primary.replace(830, 16, "2024022912301599");
    put(16, primary);
    put(17, "\xff"s + "CD001\x01");
  }
  void put(std::size_t sector, const std::string& text) {
    bytes_.replace(sector * kSector, text.size(), text);
  }
  void root(const std::string& records, const std::string& system_use = {}) {
    put(18, record({"\0"s, 18, kSector, kDirectoryFlag, system_use}) +
                record({"\x01"s, 18, kSector, kDirectoryFlag}) + records);
  }
  Result<FileSystem*> open() {
    const auto bytes = as_bytes(bytes_);
    source_ = std::make_unique<MemorySource>(std::vector<std::byte>(bytes.begin(), bytes.end()));
    budget_ = std::make_unique<Budget>(100'000, 10 << 20);
    PVHGRUB_TRY_ASSIGN(file_system_, open_iso9660_file_system(*source_, *budget_));
    return file_system_.get();
  }
  std::string names(const std::string& path = "/") {
    std::string text;
    const auto entries = file_system_->list(path);
    if (!entries) return entries.error().describe();
    for (const DirectoryEntry& each : *entries) text += (text.empty() ? "" : " ") + each.name;
    return text;
  }
  std::string contents(const std::string& path) {
    const auto file = file_system_->open(path);
    if (!file) return file.error().describe();
    Budget budget = Budget::standard();
    const auto text = read_whole_file(**file, path, 1 << 20, budget);
    return text ? *text : text.error().describe();
  }

 private:
  std::string bytes_;
  std::unique_ptr<MemorySource> source_;
  std::unique_ptr<Budget> budget_;
  std::unique_ptr<FileSystem> file_system_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("an ISO 9660 volume tells label, UUID, names and times") {
  Volume volume;
  volume.put(20, "hello");
  volume.root(record({"README.;1", 20, 5}) + record({"VMLINUZ.GZ;1", 20, 5}) + record({"HIDDEN", 20, 5, 4}));
  const auto file_system = volume.open();
  REQUIRE(file_system);
  CHECK((*file_system)->type_name() == "iso9660");
  CHECK((*file_system)->label() == "LABEL");
  CHECK((*file_system)->uuid() == "2024-02-29-12-30-15-99");
  CHECK(volume.names() == "readme vmlinuz.gz");
  CHECK(volume.contents("/ReadMe") == "hello");
  // 2024-02-29 12:30:15, one hour east of Greenwich.
  CHECK((*file_system)->stat("/readme")->modification_time == 1'709'206'215);
}

TEST_CASE("a file of several sections is the one behind the other") {
  Volume volume;
  const std::string first = noise(2 * kSector, 1);
  volume.put(20, first);
  volume.put(30, "and the end");
  volume.root(record({"LARGE;1", 20, 2 * kSector, 0x80}) + record({"LARGE;1", 30, 11}) +
              record({"NEXT;1", 30, 3}));
  REQUIRE(volume.open());
  CHECK(volume.names() == "large next");
  CHECK(volume.contents("/large") == first + "and the end");
  CHECK(volume.contents("/next") == "and");
}

TEST_CASE("what cannot be read of ISO 9660 is refused by its name") {
  Volume volume;
  volume.root(
      record({"MIXED;1", 20, 5, 0, {}, 2}) + record({"C;1", 20, 5, 0, entry("ZF", "pz\x04\x0f"s + both(9))}) +
          record({"ODD;1", 20, 100, 0x80}) + record({"ODD;1", 30, 11}) + record({"FAR;1", 1'000'000, 5}),
      kSuspStart);
  REQUIRE(volume.open());
  CHECK(contains(volume.contents("/mixed"), "interleaved"));
  CHECK(contains(volume.contents("/c"), "zisofs"));
  CHECK(contains(volume.contents("/odd"), "does not end with a block"));
  CHECK(contains(volume.contents("/far"), "past the device's end"));
}

TEST_CASE("Rock Ridge names, links and moved directories") {
  Volume volume;
  volume.put(20, "hello");
  const std::string moved = record({"\0"s, 25, kSector, kDirectoryFlag}) + record({"\x01"s, 18, kSector, 2}) +
                            record({"F;1", 20, 5, 0, alternate_name("inner")});
  volume.put(25, moved);
  volume.put(21, alternate_name(" of two areas"));
  volume.root(record({"A;1", 20, 5, 0,
                      entry("NM", "\x01in the middle"s) + entry("CE", both(21) + both(0) + both(18))}) +
                  record({"B;1", 0, 0, 0,
                          mode(0120777) + alternate_name("link") +
                              // "../sub/inner" from the root: parent, "su" that goes on as "b", "inner"
                              entry("SL",
                                    "\0\x04\0\x01\x02su\0\x01"
                                    "b\0\x05inner"s)}) +
                  record({"D;1", 0, 0, 0,
                          mode(0120777) + alternate_name("absolute") +
                              entry("SL", "\0\x08\0\0\x03sub\0\x05inner"s)}) +
                  record({"E", 0, 0, 0, alternate_name("sub") + entry("CL", both(25))}) +
                  record({"RR", 25, kSector, kDirectoryFlag, alternate_name("moved") + entry("RE", "")}),
              kSuspStart);
  REQUIRE(volume.open());
  CHECK(volume.names() == "in the middle of two areas link absolute sub");
  CHECK(volume.names("/sub") == "inner");
  CHECK(volume.contents("/in the middle of two areas") == "hello");
  CHECK(volume.contents("/link") == "hello");
  CHECK(volume.contents("/absolute") == "hello");
}

TEST_CASE("Rock Ridge areas that lead in a circle end as damage") {
  Volume volume;
  const std::string circle = entry("CE", both(21) + both(0) + both(28));
  volume.put(21, circle);
  volume.root(record({"A;1", 20, 5, 0, circle}), kSuspStart);
  REQUIRE(volume.open());
  CHECK(contains(volume.names(), "come to no end"));
}

TEST_CASE("a volume without a primary descriptor, or cut off, is no crash") {
  Volume volume;
  volume.root("");
  SECTION("no primary descriptor") {
    volume.put(16, "\x02");
    CHECK(volume.open().error().code == ErrorCode::kUnsupported);
  }
  SECTION("blocks of no size") {
    volume.put(16, "\x01"s + "CD001\x01"s + std::string(2000, '\0'));
    CHECK(volume.open().error().code == ErrorCode::kDamaged);
  }
  SECTION("a root past the end") {
    std::string root = record({"\0"s, 5000, kSector, kDirectoryFlag});
    volume.put(16, "\x01"s + "CD001\x01"s + std::string(121, '\0') + both(kSector, 2) +
                       std::string(24, '\0') + root);
    CHECK(volume.open().error().code == ErrorCode::kDamaged);
  }
}

TEST_CASE("changed ISO 9660 metadata never crashes, hangs, or leads outside of the disk") {
  if (!run_quietly("command -v xorriso")) {
    WARN("skipped: xorriso is missing");
    return;
  }
  const TemporaryDirectory directory;
  const std::filesystem::path tree = directory.path() / "tree";
  for (int i = 0; i < 60; ++i) write_file(tree / "many" / (std::string(200, 'n') + std::to_string(i)), "x");
  write_file(tree / "boot/grub/grub.cfg", noise(100, 2));
  write_file(tree / "a/b/c/d/e/f/g/h/i/j", "deep");
  std::filesystem::create_symlink(std::string(600, '/') + "boot/grub/grub.cfg", tree / "link");
  const std::string options =
      GENERATE(as<std::string>{}, "-R", "--norock -J -joliet-long", "--norock -iso-level 1");
  const std::string image = (directory.path() / "image").string();
  REQUIRE(run_quietly("xorriso -as mkisofs -quiet " + options + " -o " + image + " " + tree.string()));
  const std::vector<std::byte> bytes = MemorySource::bytes_of_file(image);
  std::vector<std::size_t> offsets;
  for (std::size_t i = 16 * kSector; i < bytes.size(); ++i)
    if (bytes[i] != std::byte{0}) offsets.push_back(i);
  std::mt19937 random(815);
  unsigned opened_count = 0;
  MemorySource source(bytes);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::pair<std::size_t, std::byte>> before;
    for (unsigned change = 0; change <= random() % 6; ++change) {
      const std::size_t offset = offsets[random() % offsets.size()];
      before.emplace_back(offset, source.bytes()[offset]);
      source.bytes()[offset] = random() % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
    }
    Budget budget(200'000, 50 << 20);
    if (const auto file_system = open_iso9660_file_system(source, budget)) {
      ++opened_count;
      CHECK(read_everything(**file_system, source.size()));
    }
    for (; !before.empty(); before.pop_back()) source.bytes()[before.back().first] = before.back().second;
  }
  CHECK(opened_count > 200);  // else the changes hit nothing but the descriptors
}

}  // namespace pvhgrub::fs::test
