// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/xen_elf.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/bootimage/elf_writer.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using namespace pvhgrub::test;

namespace {

Result<XenElf> read(const ElfWriter& writer) {
  const std::string bytes = writer.build();
  MemorySource source(as_bytes(bytes));
  Budget budget = Budget::standard();
  return read_xen_elf(source, budget);
}

XenNotes notes_in(const std::string& notes) {
  const auto elf = read(elf_with_notes(notes));
  REQUIRE(elf);
  return elf->notes;
}

/// Why an image with these notes does not start as a PVH guest; empty where it does.
std::string no_pvh(const std::string& notes) {
  const auto elf = read(elf_with_notes(notes));
  REQUIRE(elf);
  CHECK(elf->support.pvh_entry.has_value() == elf->support.no_pvh.empty());
  return elf->support.no_pvh;
}

/// The same as a PV guest.
std::string no_pv(const std::string& notes) {
  const auto elf = read(elf_with_notes(notes));
  REQUIRE(elf);
  CHECK(elf->support.pv == elf->support.no_pv.empty());
  return elf->support.no_pv;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const std::string kPvh = xen_number(18, 0x1000040);
const std::string kPv = xen_text(6, "linux") + xen_text(5, "xen-3.0") + xen_number(3, 0xFFFFFFFF80000000) +
                        xen_number(1, 0xFFFFFFFF81000010);

}  // namespace

TEST_CASE("all that Linux says to Xen is read, and starts it as a PVH and as a PV guest") {
  const auto elf = read(elf_with_notes(linux_notes()));
  REQUIRE(elf);
  CHECK(elf->notes.source == XenNotes::Source::kSegments);
  CHECK(elf->notes.notes.size() == 14);
  CHECK(elf->notes.problems.empty());
  CHECK(elf->notes.linux_build == "6.1.0-50-amd64");
  CHECK(elf->notes.text(XenNoteType::kGuestOs) == "linux");
  CHECK(elf->notes.text(XenNoteType::kFeatures) == "!writable_page_tables|pae_pgdir_above_4gb");
  CHECK(elf->notes.number(XenNoteType::kSupportedFeatures) == 0x8801U);
  CHECK(elf->notes.number(XenNoteType::kVirtualBase) == 0xFFFFFFFF80000000U);
  CHECK(elf->notes.notes[0].describe() == "GUEST_OS linux");
  CHECK(elf->notes.notes[13].describe() == "PHYS32_ENTRY 0x1000040");
  CHECK(elf->support.pvh_entry == 0x1000040U);
  CHECK(elf->support.pv);
  CHECK(elf->multiboot == 0);
}

TEST_CASE("notes count in segments first, then in sections, then as the text __xen_guest") {
  ElfWriter writer;
  writer.load("code", 0x1000000, 0x10000).notes(note("GNU", 3, "build"));
  writer.section("__xen_guest", 1,
                 "GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0x0,VIRT_ENTRY=0x1000000,PAE=yes");
  auto elf = read(writer);
  REQUIRE(elf);
  CHECK(elf->notes.source == XenNotes::Source::kGuestSection);
  CHECK(elf->notes.text(XenNoteType::kGuestOs) == "linux");
  CHECK(elf->support.pv);
  CHECK_FALSE(elf->support.pvh_entry);
  writer.section(".note.Xen", ElfWriter::kSectionNote, linux_notes());
  elf = read(writer);
  CHECK(elf->notes.source == XenNotes::Source::kSections);
  CHECK(elf->support.pvh_entry == 0x1000040U);
  writer.notes(xen_number(18, 0x1000050));
  elf = read(writer);
  CHECK(elf->notes.source == XenNotes::Source::kSegments);
  CHECK(elf->support.pvh_entry == 0x1000050U);
  CHECK_FALSE(elf->support.pv);
}

TEST_CASE("a 32-bit image has the same notes") {
  for (const bool in_segment : {true, false}) {
    ElfWriter writer;
    writer.is_64 = false;
    writer.machine = 3;
    writer.load("code", 0x1000000, 0x10000);
    const std::string notes = xen_number(18, 0x1000000, 4);
    if (in_segment)
      writer.notes(notes);
    else
      writer.section(".note.Xen", ElfWriter::kSectionNote, notes);
    const auto elf = read(writer);
    REQUIRE(elf);
    CHECK(elf->support.pvh_entry == 0x1000000U);
  }
}

TEST_CASE("the last note of a type counts, others by name or unknown types do not") {
  const XenNotes notes =
      notes_in(xen_number(18, 0x1000000) + note("xen", 18, word(7, 8)) + note("XenX", 18, word(8, 8)) +
               xen_number(18, 0x1000040) + xen_number(20, 9) + xen_number(0xFFFFFFFF, 9));
  CHECK(notes.notes.size() == 2);
  CHECK(notes.number(XenNoteType::kPhysical32Entry) == 0x1000040U);
}

TEST_CASE("numbers have 1, 2, 4 or 8 bytes, and another size is told") {
  for (const unsigned size : {1U, 2U, 4U, 8U})
    CHECK(notes_in(xen_number(18, 0x11, size)).number(XenNoteType::kPhysical32Entry) == 0x11U);
  for (const unsigned size : {0U, 3U, 5U, 9U}) {
    const XenNotes notes = notes_in(note("Xen", 18, std::string(size, '\1')));
    CHECK_FALSE(notes.number(XenNoteType::kPhysical32Entry));
    REQUIRE(notes.problems.size() == 1);
    CHECK(has(notes.problems[0], "the Xen note PHYS32_ENTRY has " + std::to_string(size) + " bytes"));
  }
  CHECK(notes_in(note("Xen", 19, word(1) + word(2) + word(3))).notes[0].numbers ==
        std::vector<std::uint64_t>{1, 2, 3});
  CHECK(notes_in(note("Xen", 17, "abc")).problems.size() == 1);
}

TEST_CASE("damage ends a segment of notes, what came before it stays") {
  const XenNotes notes = notes_in(linux_notes() + "xx");
  CHECK(notes.number(XenNoteType::kPhysical32Entry) == 0x1000040U);
  REQUIRE(notes.problems.size() == 1);
  CHECK(has(notes.problems[0], "segment 1 is damaged"));
}

TEST_CASE("a text that the segment's end cuts off counts as far as it goes, as GRUB's image needs it") {
  const std::string whole = kPvh + xen_text(6, "linux");
  const XenNotes notes = notes_in(whole.substr(0, whole.size() - 5));
  CHECK(notes.text(XenNoteType::kGuestOs) == "lin");
  CHECK(notes.problems.size() == 1);
  const std::string number = xen_text(6, "linux") + kPvh;
  CHECK_FALSE(notes_in(number.substr(0, number.size() - 1)).number(XenNoteType::kPhysical32Entry));
}

TEST_CASE("a PVH guest needs an entry that lies in what is loaded") {
  CHECK(no_pvh(kPvh).empty());
  CHECK(no_pvh(xen_number(18, 0x1000000)).empty());
  CHECK(no_pvh(xen_number(18, 0x1010000)).empty());  // libxenguest counts the end in
  CHECK(has(no_pvh(xen_number(18, 0x1010001)), "its entry 0x1010001 (Xen note PHYS32_ENTRY) does not lie"));
  CHECK(has(no_pvh(xen_number(18, 0xFFFFFF)), "does not lie"));
  CHECK(has(no_pvh(xen_number(18, 0x101000040)), "does not lie"));
  CHECK(has(no_pvh(kPv), "CONFIG_PVH"));
  CHECK(has(no_pvh(""), "CONFIG_PVH"));
  CHECK(has(no_pvh(kPvh + xen_number(4, 0)), "PADDR_OFFSET without VIRT_BASE"));
  CHECK(has(no_pvh(kPvh + xen_number(15, 0x1000100)), "INIT_P2M"));
}

TEST_CASE("a PV guest needs Xen's version, Linux or the generic loader, and an entry in what is loaded") {
  CHECK(no_pv(kPv).empty());
  CHECK(no_pv(kPv + xen_text(6, "NetBSD") + xen_text(8, "generic")).empty());
  CHECK(has(no_pv(kPv + xen_text(6, "NetBSD")), "neither LOADER generic nor GUEST_OS linux"));
  CHECK(has(no_pv(kPv + xen_text(5, "xen-4.0")), "XEN_VERSION xen-3.0"));
  CHECK(has(no_pv(kPv + xen_number(1, 0xFFFFFFFF82000000)), "its entry 0xffffffff82000000 does not lie"));
  CHECK(has(no_pv(kPv + xen_number(4, 0x1000001) + xen_number(1, 0xFFFFFFFF80000010)), "its base"));
  CHECK(has(no_pv(""), "it has no Xen notes"));
}

TEST_CASE("a 32-bit PV guest needs PAE") {
  ElfWriter writer = elf_with_notes(xen_text(6, "linux") + xen_text(5, "xen-3.0") +
                                    xen_number(1, 0x1000000, 4) + xen_number(3, 0, 4));
  writer.is_64 = false;
  writer.machine = 3;
  CHECK(has(read(writer)->support.no_pv, "without PAE"));
  writer.segments[1].contents += xen_text(9, "yes");
  CHECK(read(writer)->support.no_pv.empty());
}

TEST_CASE("a feature that the kernel requires and Xen has not keeps it from starting") {
  for (const std::string& entry : {kPvh, kPv}) {
    const auto why = [&](std::string_view features) {
      const std::string notes = entry + xen_text(10, features);
      return entry == kPvh ? no_pvh(notes) : no_pv(notes);
    };
    CHECK(why("!writable_page_tables|!hvm_callback_vector|unknown|dom0").empty());
    CHECK(why("").empty());
    CHECK(has(why("!dom0"), "dom0 only"));
    CHECK(has(why("pae_pgdir_above_4gb|!teleportation"), "requires the feature teleportation"));
  }
}

TEST_CASE("only x86 has ELF images that Xen starts") {
  ElfWriter writer = elf_with_notes(linux_notes());
  writer.machine = 183;
  const auto elf = read(writer);
  CHECK(has(elf->support.no_pvh, "it is for arm64"));
  CHECK(has(elf->support.no_pv, "it is for arm64"));
}

TEST_CASE("a multiboot header is found in either form, and the newer one is told") {
  const std::string first = word(0x1BADB002) + word(3) + word(0U - 0x1BADB002U - 3U);
  const std::string second = word(0xE85250D6) + word(0) + word(24) + word(0U - 0xE85250D6U - 24U);
  ElfWriter writer = elf_with_notes(kPvh);
  writer.segments[0].contents = first;
  CHECK(read(writer)->multiboot == 1);
  writer.segments[0].contents = padded(first, 8) + second;
  CHECK(read(writer)->multiboot == 2);
  writer.segments[0].contents = word(0x1BADB002) + word(3) + word(0U - 0x1BADB002U - 4U);
  CHECK(read(writer)->multiboot == 0);
  // In the first 8192 bytes, or 32768.
  writer.segments[0].contents = std::string(8192, '\0') + first;
  CHECK(read(writer)->multiboot == 0);
}

TEST_CASE("a GRUB that grub-mkimage made is known by its modules") {
  ElfWriter writer = elf_with_notes(kPvh);
  writer.load("mimg" + std::string(60, '\0'), 0x1100000, 64);
  CHECK(read(writer)->has_grub_modules);
  writer.segments.back().contents = "mim";
  CHECK_FALSE(read(writer)->has_grub_modules);
}

TEST_CASE("the text __xen_guest tells its numbers as C writes them, and what is none") {
  XenNotes notes;
  Budget budget = Budget::standard();
  const std::string text =
      "LOADER=generic,VIRT_BASE=0xC0000000,ELF_PADDR_OFFSET=16,VIRT_ENTRY=zero,,WHAT=1,PAE";
  REQUIRE(notes.add_guest_section(as_bytes(text + std::string("\0,GUEST_OS=linux", 16)), budget));
  CHECK(notes.text(XenNoteType::kLoader) == "generic");
  CHECK(notes.number(XenNoteType::kVirtualBase) == 0xC0000000U);
  CHECK(notes.number(XenNoteType::kPhysicalOffset) == 16U);
  CHECK_FALSE(notes.number(XenNoteType::kEntry));
  CHECK(notes.text(XenNoteType::kGuestOs).empty());  // behind the NUL
  REQUIRE(notes.problems.size() == 1);
  CHECK(has(notes.problems[0], "VIRT_ENTRY=zero"));
}

TEST_CASE("notes are bounded in number and size, and what reads them in steps") {
  ElfWriter writer = elf_with_notes(std::string(limits::kElfNoteBytes + 1, '\0'));
  CHECK(read(writer).error().code == ErrorCode::kLimit);
  // Notes of 12 bytes each, with neither name nor contents.
  writer.segments[1].contents.resize(limits::kElfNoteBytes / 12 * 12);
  CHECK(read(writer));
  const std::string bytes = writer.build();
  MemorySource source(as_bytes(bytes));
  Budget small(20'000, limits::kBudgetBytes);
  CHECK(read_xen_elf(source, small).error().code == ErrorCode::kLimit);
}
