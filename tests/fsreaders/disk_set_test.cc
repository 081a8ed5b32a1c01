// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk_set.h"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "tests/fsreaders/disk_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint64_t kMiB = limits::kMiB;

/// What a DiskSet told.
struct Notes {
  std::vector<std::pair<std::string, std::string>> all;
  NoteSink sink() {
    return [this](std::string where, std::string message) {
      all.emplace_back(std::move(where), std::move(message));
    };
  }
  [[nodiscard]] std::size_t count(std::string_view where, std::string_view text) const {
    std::size_t found = 0;
    for (const auto& [place, message] : all)
      if (place.starts_with(where) && message.find(text) != std::string::npos) ++found;
    return found;
  }
};

/// Makes an ext4 with one file, /name, whose contents are `name`, in [offset, offset + 8 MiB) of the image.
bool make_ext4(Image& image, std::uint64_t offset, const std::string& name) {
  return run("d=$(mktemp -d) && echo -n " + name + " >$d/" + name +
             " && PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -L " + name + " -d $d -E offset=" +
             std::to_string(offset) + " " + image.path() + " 8192k >/dev/null 2>&1; s=$?; rm -rf $d; exit $s")
      .has_value();
}

/// A GPT disk: 1 ext4 "one", 2 nothing, 3 XFS by its magic, 5 an ext4 whose superblock is rubbish, 7 ext4
/// "seven".
Image several_partitions() {
  Image image(64 * kMiB);
  GptMaker maker;
  const auto entry = [](std::uint64_t mib, const char* name) {
    return GptEntry{mib * 2048, (mib + 8) * 2048 - 1, name, 0};
  };
  const GptEntry unused{0, 0, {}, 0, 0};
  maker.entries = {entry(1, "one"), entry(9, "empty"), entry(17, "f2fs"), unused, entry(25, "bad"),
                   unused,          entry(33, "seven")};
  maker.write(image);
  REQUIRE(make_ext4(image, 1 * kMiB, "one"));
  image.write(17 * kMiB + 1024, "\x10\x20\xf5\xf2");
  image.fill(25 * kMiB + 1024, 1024, std::byte{0xEF});
  image.write(25 * kMiB + 1080, std::string_view("\x53\xef", 2));
  REQUIRE(make_ext4(image, 33 * kMiB, "seven"));
  return image;
}

std::string read_name(DiskSet& set, const std::string& device, const std::string& name) {
  const auto file_system = set.file_system(device);
  if (!file_system) return "error: " + file_system.error().describe();
  Budget budget = Budget::standard();
  const auto file = (*file_system)->open("/" + name);
  REQUIRE(file);
  const auto text = read_whole_file(**file, "/" + name, 1000, budget);
  return text ? *text : "error: " + text.error().describe();
}

std::string names(const DiskSet& set) {
  std::string text;
  for (const Device& device : set.devices()) text += device.name + " ";
  return text;
}

}  // namespace

TEST_CASE("the devices of a set are its disks, each with its partitions after it") {
  if (!have_programs({"mke2fs"})) return;
  const Image first = several_partitions();
  Image second(16 * kMiB);
  write_boot_record(second, 0,
                    {MsdosEntry{0x83, 2'048, 2'048, 0}, MsdosEntry{0x05, 8'192, 8'192, 0}, MsdosEntry{}},
                    0x1234'5678);
  write_boot_record(second, 8'192 * 512, {MsdosEntry{0x82, 100, 200, 0}});
  Image third(kMiB);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = DiskSet::open({first.input(), second.input(), third.input()}, budget, notes.sink());
  REQUIRE(set);
  CHECK(names(**set) == "hd0 hd0,gpt1 hd0,gpt2 hd0,gpt3 hd0,gpt5 hd0,gpt7 hd1 hd1,msdos1 hd1,msdos5 hd2 ");
  const Device& gpt1 = (*set)->devices().at(1);
  CHECK(gpt1.partition_label == "one");
  CHECK(gpt1.partition_uuid == "30201000-5040-7060-8090-a0b0c0d0e0f0");
  CHECK(gpt1.partition_type == "afafafaf-afaf-afaf-afaf-afafafafafaf");
  CHECK(gpt1.size == 8 * kMiB);
  const Device& msdos5 = (*set)->devices().at(8);
  CHECK(msdos5.partition_uuid == "12345678-05");
  CHECK(msdos5.partition_type == "0x82");
  CHECK(msdos5.size == 200 * 512);
  const Device& whole = (*set)->devices().at(0);
  CHECK(whole.partition_uuid.empty());
  CHECK(whole.partition_type.empty());
  CHECK(whole.size == 64 * kMiB);
  CHECK((*set)->disk_count() == 3);
  CHECK((*set)->partition_table(2).kind == PartitionTable::Kind::kNone);
  CHECK(notes.all.empty());
}

TEST_CASE("disks and partitions may be overwritten, halves of a mirror and what is neither may not") {
  if (!have_programs({"mke2fs"})) return;
  Image image = several_partitions();
  // MD superblocks 0.90 and 1.0 behind a whole file system.
  image.write(9 * kMiB - 64 * limits::kKiB, std::string_view("\xfc\x4e\x2b\xa9", 4));
  image.write(41 * kMiB - 8 * limits::kKiB, std::string_view("\xfc\x4e\x2b\xa9", 4));
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = DiskSet::open({image.input()}, budget, notes.sink());
  REQUIRE(set);
  CHECK((*set)->check_overwritable("hd0"));
  CHECK((*set)->check_overwritable("hd0,gpt2"));
  CHECK((*set)->check_overwritable("hd0,3"));
  for (const char* name : {"hd0,gpt1", "hd0,7", "hd1", "lvm/a-b", "loop0", ""}) {
    INFO(name);
    const auto checked = (*set)->check_overwritable(name);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::kUnsupported);
  }
  CHECK(read_name(**set, "hd0,gpt1", "one") == "one");
}

TEST_CASE("one unreadable partition does not hinder the others") {
  if (!have_programs({"mke2fs"})) return;
  const Image image = several_partitions();
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = DiskSet::open({image.input()}, budget, notes.sink());
  REQUIRE(set);
  CHECK(read_name(**set, "hd0,gpt1", "one") == "one");
  CHECK(read_name(**set, "hd0,gpt7", "seven") == "seven");

  const auto empty = (*set)->file_system("hd0,gpt2");
  REQUIRE_FALSE(empty);
  CHECK(empty.error().code == ErrorCode::kUnsupported);
  CHECK(empty.error().describe() ==
        "hd0,gpt2: no known file system (partition type afafafaf-afaf-afaf-afaf-afafafafafaf)");
  CHECK(notes.count("hd0,gpt2", "") == 0);

  const auto f2fs = (*set)->file_system("hd0,gpt3");
  REQUIRE_FALSE(f2fs);
  CHECK(f2fs.error().code == ErrorCode::kUnsupported);
  CHECK(f2fs.error().describe().starts_with(
      "hd0,gpt3: it holds F2FS, which this version cannot read; put /boot"));
  CHECK(notes.count("hd0,gpt3", "F2FS") == 1);

  const auto bad = (*set)->file_system("hd0,gpt5");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().where.starts_with("hd0,gpt5"));
  CHECK(notes.count("hd0,gpt5", "") == 1);
}

TEST_CASE("a device is mounted once, and its failure told once") {
  if (!have_programs({"mke2fs"})) return;
  const Image image = several_partitions();
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = DiskSet::open({image.input()}, budget, notes.sink());
  REQUIRE(set);
  const auto first = (*set)->file_system("hd0,gpt1");
  REQUIRE(first);
  CHECK(*(*set)->file_system("hd0,1") == *first);
  for (int i = 0; i < 3; ++i) CHECK_FALSE((*set)->file_system("hd0,3"));
  CHECK(notes.count("hd0,gpt3", "F2FS") == 1);
}

TEST_CASE("devices are found by GRUB's names with and without the table's kind") {
  if (!have_programs({"mke2fs"})) return;
  const Image image = several_partitions();
  Budget budget = Budget::standard();
  const auto set = DiskSet::open({image.input()}, budget, {});
  REQUIRE(set);
  CHECK(read_name(**set, "hd0,7", "seven") == "seven");
  for (const char* name :
       {"hd0,msdos7", "hd0,4", "hd0,", "hd1", "", "hd", "hd0,gpt", "hd0,gpt77", "(hd0,gpt7)"}) {
    const auto file_system = (*set)->file_system(name);
    REQUIRE_FALSE(file_system);
    CHECK(file_system.error().code == ErrorCode::kNotFound);
  }
  CHECK((*set)->source("hd0,7") == (*set)->source("hd0,gpt7"));
  CHECK((*set)->source("hd0")->size() == 64 * kMiB);
  CHECK((*set)->source("hd9") == nullptr);
}

TEST_CASE("a disk with a partition table is no file system itself") {
  if (!have_programs({"mke2fs"})) return;
  const Image image = several_partitions();
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = DiskSet::open({image.input()}, budget, notes.sink());
  REQUIRE(set);
  const auto whole = (*set)->file_system("hd0");
  REQUIRE_FALSE(whole);
  CHECK(whole.error().code == ErrorCode::kUnsupported);
  CHECK(whole.error().message.find("partition table") != std::string::npos);
  CHECK(notes.all.empty());
}

TEST_CASE("a file system on the whole disk is device hd0") {
  if (!have_programs({"mke2fs"})) return;
  Image image(8 * kMiB);
  REQUIRE(make_ext4(image, 0, "whole"));
  SECTION("plain") {}
  SECTION("with boot code and 55 AA in the first sector") {
    image.fill(0, 440, std::byte{0xEB});
    image.write(510, std::string_view("\x55\xAA", 2));
  }
  Budget budget = Budget::standard();
  const auto set = DiskSet::open({image.input()}, budget, {});
  REQUIRE(set);
  CHECK(names(**set) == "hd0 ");
  CHECK(read_name(**set, "hd0", "whole") == "whole");
}

TEST_CASE("with an offset the file system there is device hd0, and its extents are the file's") {
  if (!have_programs({"mke2fs"})) return;
  const Image image = several_partitions();
  DiskInput input = image.input();
  input.offset = 33 * kMiB;
  input.has_offset = true;
  Budget budget = Budget::standard();
  const auto set = DiskSet::open({input}, budget, {});
  REQUIRE(set);
  CHECK(names(**set) == "hd0 ");
  CHECK(read_name(**set, "hd0", "seven") == "seven");
  CHECK((*set)->source("hd0")->locate(0, 1)->offset == 33 * kMiB);
}

TEST_CASE("a damaged partition table of the only disk is an error, of one among several a note") {
  Image damaged(16 * kMiB);
  write_boot_record(damaged, 0, {MsdosEntry{0xEE, 1, 0xFFFF'FFFF, 0}});
  Image good(16 * kMiB);
  write_boot_record(good, 0, {MsdosEntry{0x83, 2'048, 2'048, 0}});
  Budget budget = Budget::standard();
  Notes notes;
  const auto alone = DiskSet::open({damaged.input()}, budget, notes.sink());
  REQUIRE_FALSE(alone);
  CHECK(alone.error().code == ErrorCode::kDamaged);
  CHECK(alone.error().where == "hd0");

  const auto both = DiskSet::open({good.input(), damaged.input()}, budget, notes.sink());
  REQUIRE(both);
  CHECK(names(**both) == "hd0 hd0,msdos1 hd1 ");
  CHECK(notes.count("hd1", "partition table is damaged") == 1);
  const auto file_system = (*both)->file_system("hd1");
  REQUIRE_FALSE(file_system);
  CHECK(file_system.error().code == ErrorCode::kDamaged);
}

TEST_CASE("a disk that the host cannot read is an error, also of one among several") {
  Image good(kMiB);
  const Image bad(kMiB);
  const UniqueFd write_only(open(bad.path().c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(write_only.valid());
  DiskInput input = bad.input();
  input.fd = write_only.get();
  Budget budget = Budget::standard();
  const auto set = DiskSet::open({good.input(), input}, budget, {});
  REQUIRE_FALSE(set);
  CHECK(set.error().code == ErrorCode::kIo);
  CHECK(set.error().where == "hd1, byte 0");
}

TEST_CASE("a set of no disks is a bug, not a crash") {
  Budget budget = Budget::standard();
  CHECK(DiskSet::open({}, budget, {}).error().code == ErrorCode::kInternal);
}

TEST_CASE("a disk that was cut behind its partition's superblock gives errors, not a crash") {
  if (!have_programs({"mke2fs"})) return;
  Image image(16 * kMiB);
  REQUIRE(make_ext4(image, kMiB, "cut"));
  write_boot_record(image, 0, {MsdosEntry{0x83, 2'048, 16'384, 0}});
  for (const std::uint64_t kept : {kMiB + 512, kMiB + 2'048, kMiB + 8'192, kMiB + 100'000}) {
    image.resize(kept);
    Budget budget = Budget::standard();
    Notes notes;
    const auto set = DiskSet::open({image.input()}, budget, notes.sink());
    REQUIRE(set);
    CHECK(notes.count("hd0", "was the image cut short?") == 1);
    const std::string text = read_name(**set, "hd0,1", "cut");
    CHECK(text.starts_with("error: "));
  }
}
