// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/xen_note_scanner.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/bootimage/elf_writer.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using namespace pvhgrub::test;

namespace {

struct Scanned {
  Result<XenElf> answer;
  unsigned passes = 0;
};

Scanned scan(std::string_view image, std::size_t piece) {
  Budget budget = Budget::standard();
  XenNoteScanner scanner(budget);
  for (unsigned pass = 1; pass <= 5; ++pass) {
    for (std::size_t offset = 0; offset < image.size(); offset += piece) {
      const auto fed = scanner.feed(as_bytes(image.substr(offset, piece)));
      if (!fed) return {std::unexpected(fed.error()), pass};
    }
    auto answer = scanner.finish();
    if (!answer) return {std::unexpected(answer.error()), pass};
    if (*answer) return {std::move(**answer), pass};
  }
  return {fail(ErrorCode::kInternal, "no answer in five passes"), 6};
}

Result<XenElf> read(const std::string& image) {
  MemorySource source(as_bytes(image));
  Budget budget = Budget::standard();
  return read_xen_elf(source, budget);
}

/// Images in which what is read lies in various orders.
std::map<std::string, std::string> images() {
  std::map<std::string, std::string> result;
  result["as Linux has it"] = elf_with_notes(linux_notes()).section(".text", 1, "code").build();
  ElfWriter sections;
  sections.load(std::string(200'000, 'c'), 0x1000000, 0x100000);
  sections.section(".note.Xen", ElfWriter::kSectionNote, linux_notes())
      .section(".more", 1, std::string(100'000, 'm'));
  result["notes in sections, far before the table"] = sections.build();
  ElfWriter guest;
  guest.load("code", 0x1000000, 0x10000)
      .section("__xen_guest", 1, "GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0x0");
  guest.section(".more", 1, std::string(100'000, 'm'));
  result["the section __xen_guest, far before its name"] = guest.build();
  ElfWriter late;
  late.load(std::string(100'000, 'c'), 0x1000000, 0x100000).notes(linux_notes());
  late.load("mimg" + std::string(100'000, 'm'), 0x2000000, 0x100000);
  result["notes behind the code"] = late.build();
  result["no notes"] = ElfWriter().load("code", 0, 4).build();
  result["no segments"] = ElfWriter().build();
  std::string cut = late.build();
  result["cut off in the code"] = cut.substr(0, 50'000);
  result["cut off at its end"] = cut.substr(0, cut.size() - 1);
  result["cut off in the header"] = cut.substr(0, 30);
  std::string program_headers_last = elf_with_notes(linux_notes()).build();
  program_headers_last += std::string(100'000, '\0');
  program_headers_last.replace(32, 8, word(program_headers_last.size(), 8));
  program_headers_last += program_headers_last.substr(64, 112);
  result["program headers at the end"] = program_headers_last;
  std::string huge = elf_with_notes(linux_notes()).build();
  huge.replace(64 + 56 + 32, 8, word(0xF0000000, 8));
  result["notes beyond the limit, and beyond the image"] = huge;
  result["notes beyond the limit"] = elf_with_notes(std::string(300'000, '\0')).build();
  result["no ELF image"] = "no ELF image";
  result["empty"] = "";
  return result;
}

}  // namespace

TEST_CASE("a scan gives the same answer as reading anywhere, however the image is cut into pieces") {
  for (const auto& [name, image] : images()) {
    const auto expected = read(image);
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{61}, std::size_t{4096}, std::size_t{65'537}, std::size_t{10'000'000}}) {
      INFO(name << ", in pieces of " << piece);
      const Scanned scanned = scan(image, piece);
      REQUIRE(scanned.answer.has_value() == expected.has_value());
      if (expected)
        CHECK(*scanned.answer == *expected);
      else
        CHECK(scanned.answer.error().code == expected.error().code);
    }
  }
}

TEST_CASE("one pass is enough where what is read lies in the order of the reading, else some more") {
  const auto all = images();
  CHECK(scan(all.at("as Linux has it"), 4096).passes == 1);
  CHECK(scan(all.at("notes behind the code"), 4096).passes == 1);
  CHECK(scan(all.at("no notes"), 4096).passes == 1);
  CHECK(scan(all.at("notes in sections, far before the table"), 4096).passes == 2);
  CHECK(scan(all.at("program headers at the end"), 4096).passes == 2);
}

TEST_CASE("an error comes as soon as it is certain") {
  Budget budget = Budget::standard();
  XenNoteScanner scanner(budget);
  const auto fed = scanner.feed(as_bytes(std::string(64, 'x')));
  REQUIRE_FALSE(fed);
  CHECK(fed.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("an image of another size in a later pass is an error") {
  const std::string image = images().at("notes in sections, far before the table");
  Budget budget = Budget::standard();
  XenNoteScanner scanner(budget);
  REQUIRE(scanner.feed(as_bytes(image)));
  const auto first = scanner.finish();
  REQUIRE(first);
  REQUIRE_FALSE(*first);
  REQUIRE(scanner.feed(as_bytes(image).first(image.size() - 1)));
  const auto second = scanner.finish();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kIo);
}

TEST_CASE("what passes by keeps its last bytes and what was asked for") {
  PassingBytes bytes;
  std::vector<std::byte> out(3);
  CHECK_FALSE(bytes.read_at(5, out));
  CHECK(bytes.take_misses() == 1);
  CHECK(bytes.take_misses() == 0);
  CHECK(bytes.is_waiting());
  const std::string image = "0123456789" + std::string(2 * PassingBytes::kKept, 'x');
  // No further than the run that was asked for.
  CHECK(bytes.take(as_bytes(image)) == 8);
  CHECK_FALSE(bytes.is_waiting());
  REQUIRE(bytes.read_at(5, out));
  CHECK(as_text(out) == "567");
  REQUIRE(bytes.read_at(0, out));
  CHECK(as_text(out) == "012");
  std::size_t taken = 8;
  while (taken < image.size()) taken += bytes.take(as_bytes(image).subspan(taken));
  CHECK(bytes.position() == image.size());
  REQUIRE(bytes.read_at(5, out));
  REQUIRE(bytes.read_at(0, out));  // it was read when it was there
  CHECK_FALSE(bytes.read_at(1, out));
  bytes.set_size();
  CHECK(bytes.read_at(image.size(), out).error().code == ErrorCode::kDamaged);
}
