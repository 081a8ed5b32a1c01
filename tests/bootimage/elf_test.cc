// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/elf.h"

#include <catch2/catch.hpp>
#include <limits>

#include "base/limits.h"
#include "tests/bootimage/elf_writer.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using namespace pvhgrub::test;

namespace {

constexpr std::uint64_t kMaximum = std::numeric_limits<std::uint64_t>::max();

Result<ElfImage> read(std::string_view bytes) {
  MemorySource source(as_bytes(bytes));
  Budget budget = Budget::standard();
  return read_elf_image(source, budget);
}

ElfWriter two_segments(bool is_64) {
  ElfWriter writer;
  writer.is_64 = is_64;
  writer.machine = is_64 ? 62 : 3;
  writer.load("code", 0x100000, 0x2000).load("data", 0x40000, 4).notes(linux_notes());
  writer.section(".note.Xen", ElfWriter::kSectionNote, "note").section(".text", 1, "code");
  return writer;
}

/// The code of what is wrong with two_segments(true) after a change.
ErrorCode code_after(std::size_t offset, std::uint64_t value, unsigned size) {
  std::string bytes = two_segments(true).build();
  bytes.replace(offset, size, word(value, size));
  const auto image = read(bytes);
  return image ? ErrorCode::kInternal : image.error().code;
}

std::vector<ElfNote> notes_of(const std::string& region, bool& damaged) {
  std::vector<ElfNote> notes;
  ElfNoteReader reader(as_bytes(region));
  while (true) {
    const auto next = reader.next();
    damaged = !next;
    if (!next || !*next) return notes;
    notes.push_back(**next);
  }
}

}  // namespace

TEST_CASE("both classes of ELF tell their header, their segments, and what is loaded") {
  for (const bool is_64 : {true, false}) {
    CAPTURE(is_64);
    const auto image = read(two_segments(is_64).build());
    REQUIRE(image);
    CHECK(image->header.is_64 == is_64);
    CHECK(image->header.type == kElfTypeExecutable);
    CHECK(elf_machine_name(image->header.machine) == (is_64 ? "x86-64" : "32-bit x86"));
    CHECK(image->header.entry == 0x1000000);
    REQUIRE(image->segments.size() == 3);
    CHECK(image->segments[0].type == ElfSegment::Type::kLoad);
    CHECK(image->segments[0].file_size == 4);
    CHECK(image->segments[0].memory_size == 0x2000);
    CHECK(image->segments[0].flags == 5);
    CHECK(image->segments[1].physical_address == 0x40000);
    CHECK(image->segments[2].type == ElfSegment::Type::kNote);
    CHECK(image->segments[2].file_size == linux_notes().size());
    CHECK(image->memory == ElfMemory{0x40000, 0x102000});
  }
}

TEST_CASE("sections are read in both classes, the empty first one and the names included") {
  for (const bool is_64 : {true, false}) {
    CAPTURE(is_64);
    const std::string bytes = two_segments(is_64).build();
    MemorySource source(as_bytes(bytes));
    Budget budget = Budget::standard();
    const auto image = read_elf_image(source, budget);
    REQUIRE(image);
    const auto sections = read_elf_sections(source, image->header, budget);
    REQUIRE(sections);
    REQUIRE(sections->size() == 4);
    CHECK(image->header.section_names == 3);
    CHECK((*sections)[1].type == ElfSection::Type::kNote);
    CHECK(bytes.substr((*sections)[1].offset, (*sections)[1].size) == "note");
    CHECK(bytes.substr((*sections)[3].offset + (*sections)[2].name, 5) == ".text");
  }
}

TEST_CASE("an ELF image that is cut off anywhere is an error and never more") {
  for (const bool is_64 : {true, false}) {
    const std::string whole = two_segments(is_64).build();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto image = read(std::string_view(whole).substr(0, length));
      INFO(length);
      REQUIRE_FALSE(image);
      CHECK(image.error().code == (length < 4 ? ErrorCode::kUnsupported : ErrorCode::kDamaged));
    }
  }
}

TEST_CASE("what no guest of Xen is, is told apart from damage") {
  CHECK(read("\x7f"
             "ELG")
            .error()
            .code == ErrorCode::kUnsupported);
  CHECK(code_after(4, 3, 1) == ErrorCode::kUnsupported);  // the class
  CHECK(code_after(5, 2, 1) == ErrorCode::kUnsupported);  // big-endian
  CHECK(code_after(54, 57, 2) == ErrorCode::kDamaged);    // bytes of a program header
  CHECK(code_after(58, 40, 2) == ErrorCode::kDamaged);    // bytes of a section header
  CHECK(code_after(32, kMaximum, 8) == ErrorCode::kDamaged);
  CHECK(code_after(40, kMaximum, 8) == ErrorCode::kDamaged);
}

TEST_CASE("segments whose numbers contradict themselves, or wrap around, are damaged") {
  const std::size_t header = two_segments(true).program_header(0);
  CHECK(code_after(header + 8, kMaximum, 8) == ErrorCode::kDamaged);       // offset
  CHECK(code_after(header + 32, kMaximum, 8) == ErrorCode::kDamaged);      // bytes in the image
  CHECK(code_after(header + 40, 3, 8) == ErrorCode::kDamaged);             // fewer bytes in memory than there
  CHECK(code_after(header + 40, kMaximum, 8) == ErrorCode::kDamaged);      // beyond the end of memory
  CHECK(code_after(header + 24, kMaximum - 1, 8) == ErrorCode::kDamaged);  // loaded there
  // Nothing of it matters for a segment of another type (PT_GNU_STACK).
  std::string other = two_segments(true).build();
  other.replace(header, 4, word(0x6474E551));
  other.replace(header + 8, 8, word(kMaximum, 8));
  const auto image = read(other);
  REQUIRE(image);
  CHECK(image->memory == ElfMemory{0x40000, 0x40004});
}

TEST_CASE("a segment without any access is not loaded") {
  ElfWriter writer = two_segments(true);
  writer.segments[0].flags = 0;
  CHECK(read(writer.build())->memory == ElfMemory{0x40000, 0x40004});
  writer.segments.clear();
  CHECK_FALSE(read(writer.build())->memory);
}

TEST_CASE("more segments or sections than kernels have are a limit") {
  ElfWriter writer;
  for (std::size_t i = 0; i <= limits::kElfSegments; ++i) writer.load("", 0, 0);
  CHECK(read(writer.build()).error().code == ErrorCode::kLimit);
  writer.segments.pop_back();
  CHECK(read(writer.build())->segments.size() == limits::kElfSegments);
  writer.segments.clear();
  for (std::size_t i = 0; i + 1 < limits::kElfSections; ++i) writer.section("a", 1, "");
  const std::string bytes = writer.build();
  MemorySource source(as_bytes(bytes));
  Budget budget = Budget::standard();
  const auto image = read_elf_image(source, budget);
  REQUIRE(image);
  CHECK(read_elf_sections(source, image->header, budget).error().code == ErrorCode::kLimit);
}

TEST_CASE("notes are read with their padding, and with any name") {
  bool damaged = false;
  const std::string region = note("Xen", 6, "linux") + note("", 1, "") + note("GNU", 3, "12345678") +
                             word(3) + word(1) + word(7) + "GNU" + '\0' + "x";
  const auto notes = notes_of(region, damaged);
  CHECK_FALSE(damaged);
  REQUIRE(notes.size() == 4);
  CHECK(notes[0].name == "Xen");
  CHECK(notes[0].type == 6);
  CHECK(as_text(notes[0].description) == "linux");
  CHECK(notes[1].name.empty());
  CHECK(notes[1].description.empty());
  CHECK(as_text(notes[2].description) == "12345678");
  CHECK(notes[3].name == "GNU");  // without a NUL, and without padding behind the last
  CHECK(as_text(notes[3].description) == "x");
}

TEST_CASE("a description that is cut off is given as far as it goes, a header or name is damage") {
  const std::string whole = note("Xen", 6, "linux is here");
  for (std::size_t length = 1; length < whole.size(); ++length) {
    INFO(length);
    bool damaged = false;
    const auto notes = notes_of(whole.substr(0, length), damaged);
    CHECK(damaged == (length < 16));
    CHECK(notes.size() == (length < 16 ? 0U : 1U));
    if (!notes.empty()) {
      CHECK(notes[0].is_cut == (length < 16 + 13));
      CHECK(as_text(notes[0].description) == std::string("linux is here").substr(0, length - 16));
    }
  }
  bool damaged = false;
  CHECK(notes_of(word(0xFFFFFFFF) + word(0) + word(1) + "Xen", damaged).empty());
  CHECK(damaged);
  const auto cut = notes_of(word(4) + word(0xFFFFFFFF) + word(1) + "Xen" + '\0', damaged);
  CHECK_FALSE(damaged);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].is_cut);
}
