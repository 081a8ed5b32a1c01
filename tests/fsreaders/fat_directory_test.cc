// SPDX-License-Identifier: LGPL-2.1-or-later
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fsreaders/dos_time.h"
#include "fsreaders/utf16.h"
#include "tests/fsreaders/fat_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;
using namespace std::string_view_literals;

namespace {

constexpr std::uint8_t kFile = 0x20;
constexpr std::uint8_t kFolder = 0x10;
constexpr std::uint8_t kLabel = 0x08;

std::vector<std::string> names(const OpenedImage& image) {
  REQUIRE(image.file_system);
  const auto entries = (*image.file_system)->list("/");
  REQUIRE(entries);
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

void add_all(FatImage& image, const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) image.add(entry);
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("8.3 names are joined, with lower case where a flag says so") {
  FatImage image;
  image.add(short_entry("VMLINUZ    ", kFile, 0, 0));
  image.add(short_entry("GRUB    CFG", kFile, 0, 0, 0x18));
  image.add(short_entry("README  TXT", kFile, 0, 0, 0x08));
  image.add(short_entry("BOOTX64 EFI", kFile, 0, 0, 0x10));
  image.add(short_entry("A B     C D", kFile, 0, 0));
  CHECK(names(image.open()) == Names{"VMLINUZ", "grub.cfg", "readme.TXT", "BOOTX64.efi", "A B.C D"});
}

TEST_CASE("bytes of a code page are handed on as they are, 0x05 stands for 0xE5") {
  FatImage image;
  image.add(short_entry("\x05\x8E      TXT"sv, kFile, 0, 0));
  CHECK(names(image.open()) == Names{"\xE5\x8E.TXT"});
}

TEST_CASE("deleted entries, labels and what stands behind the end are no files") {
  FatImage image;
  image.add(short_entry("\xE5ONE       "sv, kFile, 0, 0));
  image.add(short_entry("EFI SYSTEM ", kLabel, 0, 0));
  image.add(short_entry("SECOND     ", kLabel, 0, 0));
  image.add(short_entry(".          ", kFolder, 0, 0));
  image.add(short_entry("..         ", kFolder, 0, 0));
  image.add(short_entry("KEPT       ", kFile, 0, 0));
  image.add(std::string(32, '\0'));
  image.add(short_entry("BEHIND     ", kFile, 0, 0));
  const OpenedImage opened = image.open();
  CHECK(names(opened) == Names{"KEPT"});
  CHECK((*opened.file_system)->label() == "EFI SYSTEM");
}

TEST_CASE("long names are put together, of any length and plane") {
  const std::u16string name = GENERATE(as<std::u16string>{}, u"a", u"thirteen.chrs", u"fourteen..chrs",
                                       u"Grüße, 世界 \xD83D\xDE00.conf", std::u16string(255, u'x'));
  FatImage image;
  add_all(image, long_entries(name, "SHORT~1 CFG"));
  image.add(short_entry("SHORT~1 CFG", kFile, 0, 0));
  const std::string bytes = [&] {
    std::string text;
    for (const char16_t unit : name) {
      text += static_cast<char>(static_cast<unsigned char>(unit & 0xFFU));
      text += static_cast<char>(static_cast<unsigned char>(unit >> 8U));
    }
    return text;
  }();
  CHECK(names(image.open()) == Names{utf8_of_utf16(as_bytes(bytes))});
}

TEST_CASE("UTF-16 beyond the first plane becomes UTF-8, halves of pairs a replacement character") {
  CHECK(utf8_of_utf16(as_bytes("\x3D\xD8\x00\xDE"sv)) == "\xF0\x9F\x98\x80");
  CHECK(utf8_of_utf16(as_bytes("\x3D\xD8"
                               "a\0"
                               "\x00\xDE"sv)) ==
        "\xEF\xBF\xBD"
        "a"
        "\xEF\xBF\xBD");
  CHECK(utf8_of_utf16(as_bytes("a\0\0\0b\0"sv)) == "a");
  CHECK(utf8_of_utf16(as_bytes("a\0b"sv)) == "a");
}

TEST_CASE("parts of a long name that do not belong together are ignored") {
  const std::string entry = short_entry("SHORT~1 CFG", kFile, 0, 0);
  std::vector<std::string> parts = long_entries(u"a name in three parts of thirteen", "SHORT~1 CFG");
  REQUIRE(parts.size() == 3);
  FatImage image;
  SECTION("another file's checksum") {
    parts = long_entries(u"a name in three parts of thirteen", "OTHER~1 CFG");
  }
  SECTION("a wrong order") {
    std::swap(parts[1], parts[2]);
  }
  SECTION("the last part is missing") {
    parts.erase(parts.begin());
  }
  SECTION("a part in the middle is missing") {
    parts.erase(parts.begin() + 1);
  }
  SECTION("the first part is missing") {
    parts.pop_back();
  }
  SECTION("a deleted entry stands between") {
    parts.push_back(short_entry("\xE5ONE       "sv, kFile, 0, 0));
  }
  SECTION("a label stands between") {
    parts.push_back(short_entry("LABEL      ", kLabel, 0, 0));
  }
  SECTION("part number 0, and more than 20") {
    parts = {parts[0], parts[0]};
    parts[0][0] = 0x40;
    parts[1][0] = 0x40 | 21;
  }
  add_all(image, parts);
  image.add(entry);
  CHECK(names(image.open()) == Names{"SHORT~1.CFG"});
}

TEST_CASE("an interrupted long name does not spoil the one behind it") {
  FatImage image;
  const std::vector<std::string> orphan = long_entries(u"an orphan of two parts", "ORPHAN~1CFG");
  image.add(orphan[0]);
  add_all(image, long_entries(u"Right.Name", "RIGHT~1 NAM"));
  image.add(short_entry("RIGHT~1 NAM", kFile, 0, 0));
  image.add(short_entry("NEXT       ", kFile, 0, 0));
  CHECK(names(image.open()) == Names{"Right.Name", "NEXT"});
}

TEST_CASE("A to Z are the same in either case, other letters are not") {
  FatImage image;
  add_all(image, long_entries(u"Été.Conf", "T~1     CON"));
  image.add(short_entry("T~1     CON", kFile, 0, 0));
  const OpenedImage opened = image.open();
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->stat("/Été.conf"));
  CHECK((*opened.file_system)->stat("/ÉTé.CONF"));
  CHECK_FALSE((*opened.file_system)->stat("/été.Conf"));
}

TEST_CASE("a path cannot name what holds a slash") {
  FatImage image;
  add_all(image, long_entries(u"a/b", "AB~1       "));
  image.add(short_entry("AB~1       ", kFile, 0, 0));
  image.add(short_entry("C/D        ", kFile, 0, 0));
  CHECK(names(image.open()).empty());
}

TEST_CASE("dates and times are taken for UTC, what is no date for none") {
  CHECK(dos_time((44 << 9) | (2 << 5) | 29, (13 << 11) | (37 << 5) | 11) == 1'709'213'842);
  CHECK(dos_time((0 << 9) | (1 << 5) | 1, 0) == 315'532'800);
  CHECK(dos_time(0, 0) == 0);
  CHECK(dos_time((43 << 9) | (2 << 5) | 29, 0) == 0);
  CHECK(dos_time((44 << 9) | (13 << 5) | 1, 0) == 0);
}
