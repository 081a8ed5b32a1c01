// SPDX-License-Identifier: LGPL-2.1-or-later
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "fsreaders/disk_signature.h"
#include "fsreaders/exfat_file_system.h"
#include "fsreaders/utf16.h"
#include "tests/fsreaders/exfat_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint32_t kClusterSize = ExfatImage::kClusterSize;

ExfatFile file_of(std::u16string name, std::uint32_t cluster, std::uint64_t size) {
  ExfatFile file;
  file.name = std::move(name);
  file.cluster = cluster;
  file.size = size;
  return file;
}

std::string contents(const OpenedImage& image, const std::string& path) {
  if (!image.file_system) return image.file_system.error().describe();
  const auto file = (*image.file_system)->open(path);
  if (!file) return file.error().describe();
  const auto read = read_contents(**file);
  const auto sent = sent_contents(**file, *image.source);
  if (!read) return read.error().describe();
  return sent && *sent == *read ? *read : "read and sent differ";
}

ErrorCode code_of(const OpenedImage& image, const std::string& path) {
  REQUIRE(image.file_system);
  const auto file = (*image.file_system)->open(path);
  REQUIRE_FALSE(file);
  return file.error().code;
}

}  // namespace

TEST_CASE("exFAT is known by its name and tells label and serial number", "[exfat]") {
  ExfatImage image;
  MemorySource source(image.bytes());
  const auto format = recognise_format(source);
  REQUIRE(format);
  REQUIRE(*format != nullptr);
  CHECK((*format)->name == "exFAT");
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->type_name() == "exfat");
  CHECK((*opened.file_system)->uuid() == "CAFE-0002");
  CHECK((*opened.file_system)->label() == "LABEL");
  CHECK((*opened.file_system)->notes().empty());
  CHECK((*opened.file_system)->list("/")->empty());
}

TEST_CASE("a file lies in a run or in a chain, its end may never have been written", "[exfat]") {
  ExfatImage image;
  const std::string text = noise(2 * kClusterSize + 100, 3);
  ExfatFile run = file_of(u"run", 10, text.size());
  image.chain(10, 0);  // the table says nothing of a run
  image.put(ExfatImage::offset_of(10), text);
  image.add(exfat_entries(run));
  ExfatFile chain = file_of(u"chain", 20, text.size());
  chain.contiguous = false;
  image.chain(20, 30);
  image.chain(30, 25);
  image.chain(25, 0xFFFF'FFFF);
  image.put(ExfatImage::offset_of(20), text.substr(0, kClusterSize));
  image.put(ExfatImage::offset_of(30), text.substr(kClusterSize, kClusterSize));
  image.put(ExfatImage::offset_of(25), text.substr(2UL * kClusterSize));
  image.add(exfat_entries(chain));
  run.name = u"partly";
  run.stored = 5000;
  image.add(exfat_entries(run));
  const OpenedImage opened = image.open();
  CHECK(contents(opened, "/run") == text);
  CHECK(contents(opened, "/chain") == text);
  std::string partly = text.substr(0, 5000);
  partly.resize(text.size());
  CHECK(contents(opened, "/partly") == partly);
  CHECK((*(*opened.file_system)->open("/run"))->overwritable_extents());
  CHECK_FALSE((*(*opened.file_system)->open("/partly"))->overwritable_extents());
  CHECK((*opened.file_system)->stat("/run")->modification_time == 1'709'213'842 + 1 + 3600);
}

TEST_CASE("names are found as the up-case table of the disk folds them", "[exfat]") {
  ExfatImage image;
  image.add(exfat_entries(file_of(u"Été Ωмега \xD83D\xDE00.Conf of more than fifteen characters", 0, 0)));
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  FileSystem& file_system = **opened.file_system;
  CHECK(file_system.list("/")->front().name == "Été Ωмега 😀.Conf of more than fifteen characters");
  CHECK(file_system.stat("/éTÉ ωМЕГА 😀.CONF OF more than FIFTEEN characters"));
  CHECK_FALSE(file_system.stat("/Ete Ωмега 😀.Conf of more than fifteen characters"));
  CHECK_FALSE(file_system.stat("/\xFF\xFE"));
}

TEST_CASE("with a damaged up-case table A to Z are folded, and a note tells", "[exfat]") {
  ExfatImage image;
  image.put(ExfatImage::offset_of(3) + 6, "x");
  image.add(exfat_entries(file_of(u"Été", 0, 0)));
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  REQUIRE((*opened.file_system)->notes().size() == 1);
  CHECK((*opened.file_system)->stat("/ÉTé"));
  CHECK_FALSE((*opened.file_system)->stat("/été"));
}

TEST_CASE("where the main boot region is damaged the backup is used", "[exfat]") {
  ExfatImage image;
  image.add(exfat_entries(file_of(u"file", 10, 5)));
  image.put(ExfatImage::offset_of(10), "hello");
  const std::size_t place = GENERATE(80U, 92U, 108U, 109U, 600U, 5632U);
  image.put_number(place, 200, 1);
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  CHECK(contents(opened, "/FILE") == "hello");
  CHECK((*opened.file_system)->notes().size() == 1);
  image.put_number(12 * 512 + place, 200, 1);
  const OpenedImage both = image.open();
  REQUIRE_FALSE(both.file_system);
  CHECK(both.file_system.error().code == ErrorCode::kDamaged);
}

TEST_CASE("fields that change in use do not count for the boot checksum", "[exfat]") {
  ExfatImage image;
  image.put_number(106, 2, 2);
  image.put_number(112, 77, 1);
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->notes().empty());
}

TEST_CASE("a boot sector that contradicts itself is refused although its checksum is right", "[exfat]") {
  struct Change {
    std::size_t offset;
    std::uint64_t value;
    unsigned bytes;
    ErrorCode code;
  };
  const Change change =
      GENERATE(Change{80, 23, 4, ErrorCode::kDamaged}, Change{84, 1, 4, ErrorCode::kDamaged},
               Change{84, 0xFFFF'FFFF, 4, ErrorCode::kDamaged}, Change{88, 27, 4, ErrorCode::kDamaged},
               Change{92, 0, 4, ErrorCode::kDamaged}, Change{92, 0xFFFF'FFF6, 4, ErrorCode::kDamaged},
               Change{96, 1, 4, ErrorCode::kDamaged}, Change{96, 302, 4, ErrorCode::kDamaged},
               Change{104, 0x0200, 2, ErrorCode::kUnsupported}, Change{108, 8, 1, ErrorCode::kDamaged},
               Change{108, 13, 1, ErrorCode::kDamaged}, Change{109, 17, 1, ErrorCode::kDamaged},
               Change{110, 0, 1, ErrorCode::kDamaged}, Change{110, 3, 1, ErrorCode::kDamaged});
  INFO(change.offset << " = " << change.value);
  ExfatImage image;
  image.put_number(change.offset, change.value, change.bytes);
  image.seal();
  const OpenedImage opened = image.open();
  REQUIRE_FALSE(opened.file_system);
  CHECK(opened.file_system.error().code == change.code);
}

TEST_CASE("a set of entries whose checksum is wrong is damage, and only its own file's", "[exfat]") {
  ExfatImage image;
  std::string entries = exfat_entries(file_of(u"bad", 10, 5));
  entries[32 + 20] = 11;
  image.add(entries);
  image.add(exfat_entries(file_of(u"good", 10, 5)));
  const OpenedImage opened = image.open();
  CHECK((*opened.file_system)->list("/")->size() == 2);
  CHECK(code_of(opened, "/bad") == ErrorCode::kDamaged);
  CHECK(contents(opened, "/good").size() == 5);
}

TEST_CASE("entries that are not in use, cut off or of no file are passed over", "[exfat]") {
  ExfatImage image;
  std::string deleted = exfat_entries(file_of(u"deleted", 0, 0));
  for (std::size_t i = 0; i < deleted.size(); i += 32) deleted[i] = static_cast<char>(deleted[i] & 0x7F);
  image.add(deleted);
  image.add(exfat_entries(file_of(u"cut off", 0, 0)).substr(0, 64));
  std::string no_stream = exfat_entries(file_of(u"without", 0, 0));
  no_stream[32] = '\xC1';
  image.add(no_stream);
  std::string no_name = exfat_entries(file_of(u"", 0, 0));
  image.add(no_name);
  // What a later version adds behind the name (section 8.2, benign secondary entries) does no harm.
  std::string more = exfat_entries(file_of(u"more", 0, 0));
  more[1] = static_cast<char>(more[1] + 1);
  more += '\xE0' + std::string(31, 'v');
  seal_exfat_entries(more);
  image.add(more);
  const OpenedImage opened = image.open();
  const auto entries = (*opened.file_system)->list("/");
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().name == "more");
  CHECK((*opened.file_system)->open("/more"));
}

TEST_CASE("directories lie in a run or a chain; one in a circle, or out of the disk, is damage", "[exfat]") {
  ExfatImage image;
  ExfatFile folder = file_of(u"run", 40, 2UL * kClusterSize);
  folder.directory = true;
  std::string many;
  for (int i = 0; many.size() + 96 <= 2UL * kClusterSize; ++i) {
    std::u16string name = u"file";
    name += static_cast<char16_t>(u'A' + i / 26);
    name += static_cast<char16_t>(u'A' + i % 26);
    many += exfat_entries(file_of(name, 0, 0));
  }
  image.put(ExfatImage::offset_of(40), many + "\x05");  // no end: an entry that is not in use
  image.add(exfat_entries(folder));
  folder.name = u"circle";
  folder.contiguous = false;
  image.chain(40, 41);
  image.chain(41, 40);
  image.add(exfat_entries(folder));
  folder.name = u"outside";
  folder.contiguous = true;
  folder.cluster = 301;
  image.add(exfat_entries(folder));
  folder.name = u"empty";
  folder.size = 0;
  folder.cluster = 0;
  image.add(exfat_entries(folder));
  const OpenedImage opened = image.open();
  FileSystem& file_system = **opened.file_system;
  for (const char* path : {"/outside", "/circle"}) {
    INFO(path);
    const auto entries = file_system.list(path);
    REQUIRE_FALSE(entries);
    CHECK(entries.error().code == ErrorCode::kDamaged);
  }
  // Sets may lie across the pieces in which a directory is read.
  CHECK(file_system.list("/run")->size() == many.size() / 96);
  CHECK(file_system.list("/empty")->empty());
}

TEST_CASE("chains and runs that contradict the file's size are damage", "[exfat]") {
  ExfatImage image;
  ExfatFile file = file_of(u"short", 20, 3UL * kClusterSize);
  file.contiguous = false;
  image.chain(20, 21);
  image.chain(21, 0xFFFF'FFFF);
  image.chain(22, 23);
  image.chain(23, 22);
  image.chain(24, 0xFFFF'FFF7);
  image.add(exfat_entries(file));
  file.name = u"circle";
  file.cluster = 22;
  image.add(exfat_entries(file));
  file.name = u"bad";
  file.cluster = 24;
  image.add(exfat_entries(file));
  file.name = u"none";
  file.cluster = 0;
  image.add(exfat_entries(file));
  file.name = u"huge";
  file.cluster = 20;
  file.size = ~std::uint64_t{0};
  image.add(exfat_entries(file));
  file.name = u"huge run";
  file.contiguous = true;
  image.add(exfat_entries(file));
  file.name = u"run";
  file.cluster = 301;
  file.size = kClusterSize + 1;
  image.add(exfat_entries(file));
  const OpenedImage opened = image.open();
  for (const std::string name : {"short", "circle", "bad", "none", "huge", "huge run", "run"}) {
    INFO(name);
    CHECK(code_of(opened, "/" + name) == ErrorCode::kDamaged);
  }
}

TEST_CASE("UTF-8 becomes UTF-16, what is none nothing", "[exfat]") {
  CHECK(utf16_of_utf8("aé世😀") == std::u16string(u"aé世😀"));
  CHECK(utf16_of_utf8("")->empty());
  CHECK_FALSE(utf16_of_utf8("\xC0\x80"));
  CHECK_FALSE(utf16_of_utf8("a\xE4"));
}
