// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/image_facts.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/bootimage/bzimage_writer.h"
#include "tests/bootimage/compressed_samples.h"
#include "tests/bootimage/elf_writer.h"
#include "tests/bootimage/image_samples.h"
#include "tests/bootimage/pe_writer.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using namespace pvhgrub::test;

namespace {

KernelImage look(const std::string& bytes) {
  MemorySource source(as_bytes(bytes));
  Budget budget = Budget::standard();
  auto image = inspect(source, budget);
  REQUIRE(image);
  return std::move(*image);
}

/// The fact's value; nothing where it is not told. Also checks what holds of all lists.
std::optional<std::string> fact(const KernelImage& image, std::string_view name) {
  std::optional<std::string> value;
  std::set<std::string_view> names;
  for (const ImageFact& candidate : facts_of(image)) {
    CHECK(names.insert(candidate.name).second);
    CHECK(candidate.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
          std::string_view::npos);
    CHECK_FALSE(candidate.value.empty());
    if (candidate.name == name) value = candidate.value;
  }
  return value;
}

KernelImage whole_bzimage() {
  BzImageWriter writer;
  writer.payload = kCompressedSamples[2].bytes() + word(sample_text().size());
  std::string bytes = writer.build();
  put_efi_stub(bytes, 0x8664);
  return look(bytes);
}

}  // namespace

TEST_CASE("a bzImage's facts are those of its header, of its payload, and of the kernel in it") {
  KernelImage image = whole_bzimage();
  CHECK(fact(image, "format") == "bzimage");
  CHECK(fact(image, "contents") == "compressed");
  CHECK(fact(image, "layers") == "bzImage (boot protocol 2.15), xz");
  CHECK(fact(image, "machine") == "x86-64");
  CHECK(fact(image, "version") == "6.1.0-50-amd64 (builder@host) #1 SMP Debian 6.1.176-1");
  CHECK(fact(image, "boot-protocol") == "2.15");
  CHECK(fact(image, "setup-size") == "2560");
  CHECK(fact(image, "init-size") == "33554432");
  CHECK(fact(image, "64-bit") == "yes");
  CHECK(fact(image, "relocatable") == "yes");
  CHECK(fact(image, "command-line-size") == "2047");
  CHECK(fact(image, "efi-stub") == "yes");
  CHECK(fact(image, "compression") == "xz");
  CHECK(fact(image, "compressed-size") == std::to_string(kCompressedSamples[2].bytes().size()));
  CHECK(fact(image, "decompressed-size") == std::to_string(sample_text().size()));
  CHECK_FALSE(fact(image, "pvh"));
  const std::string elf = elf_with_notes(linux_notes()).build();
  image.add_contents(look(elf));
  CHECK(fact(image, "contents") == "elf");
  CHECK(fact(image, "compression") == "xz");
  CHECK(fact(image, "decompressed-size") == std::to_string(elf.size()));
  CHECK(fact(image, "pvh-entry") == "0x1000040");
  CHECK(fact(image, "version") == "6.1.0-50-amd64 (builder@host) #1 SMP Debian 6.1.176-1");
}

TEST_CASE("an ELF image's facts are Xen's notes and what follows from them") {
  const KernelImage image =
      look(elf_with_notes(linux_notes() + note("Xen", 19, word(1) + word(2) + word(3))).build());
  CHECK(fact(image, "format") == "elf");
  CHECK_FALSE(fact(image, "contents"));
  CHECK(fact(image, "machine") == "x86-64");
  CHECK(fact(image, "elf-class") == "64");
  CHECK(fact(image, "entry") == "0x1000000");
  CHECK(fact(image, "loaded-from") == "0x1000000");
  CHECK(fact(image, "loaded-to") == "0x1010000");
  CHECK(fact(image, "version") == "6.1.0-50-amd64");
  CHECK(fact(image, "xen-notes") == "segments");
  CHECK(fact(image, "pvh") == "yes");
  CHECK(fact(image, "pvh-entry") == "0x1000040");
  CHECK_FALSE(fact(image, "no-pvh"));
  CHECK(fact(image, "pv") == "yes");
  CHECK(fact(image, "guest-os") == "linux");
  CHECK(fact(image, "guest-version") == "2.6");
  CHECK(fact(image, "xen-version") == "xen-3.0");
  CHECK(fact(image, "loader") == "generic");
  CHECK(fact(image, "features") == "!writable_page_tables|pae_pgdir_above_4gb");
  CHECK(fact(image, "supported-features") == "0x8801");
  CHECK(fact(image, "phys32-entry") == "0x1000040");
  CHECK(fact(image, "phys32-relocation") == "0x1 0x2 0x3");
  CHECK(fact(image, "pv-entry") == "0xffffffff81000010");
  CHECK(fact(image, "virtual-base") == "0xffffffff80000000");
  CHECK(fact(image, "physical-offset") == "0x0");
  CHECK(fact(image, "initial-p2m") == "0x8000000000");
  CHECK(fact(image, "pae-mode") == "yes");
  CHECK(fact(image, "hypervisor-start") == "0xffff800000000000");
  CHECK(fact(image, "suspend-cancel") == "0x1");
  CHECK_FALSE(fact(image, "multiboot"));
  CHECK_FALSE(fact(image, "problem"));
}

TEST_CASE("what keeps an ELF image from starting is a fact, and the last note of a type is") {
  ElfWriter writer = elf_with_notes(xen_number(18, 0x1000000) + xen_number(18, 0x5) + "xx");
  writer.segments[0].contents = multiboot1_header();
  const KernelImage image = look(writer.build());
  CHECK(fact(image, "pvh") == "no");
  CHECK(fact(image, "no-pvh")->starts_with("its entry 0x5 (Xen note PHYS32_ENTRY)"));
  CHECK(fact(image, "phys32-entry") == "0x5");
  CHECK_FALSE(fact(image, "pvh-entry"));
  CHECK(fact(image, "pv") == "no");
  CHECK(fact(image, "no-pv"));
  CHECK(fact(image, "multiboot") == "1");
  CHECK(fact(image, "notices")->starts_with("segment 1 is damaged"));
  CHECK(fact(look(elf_with_notes("").build()), "xen-notes") == "none");
  ElfWriter sections;
  sections.section(".note.Xen", ElfWriter::kSectionNote, linux_notes());
  CHECK(fact(look(sections.build()), "xen-notes") == "sections");
  ElfWriter guest;
  guest.section("__xen_guest", 1, "GUEST_OS=linux");
  CHECK(fact(look(guest.build()), "xen-notes") == "__xen_guest");
}

TEST_CASE("a machine is told of what says it") {
  BzImageWriter writer;
  writer.extended_load_flags = 0;
  CHECK(fact(look(writer.build()), "machine") == "32-bit x86");
  CHECK(fact(look(writer.build()), "64-bit") == "no");
  CHECK(fact(look(writer.build()), "efi-stub") == "no");
  writer.protocol = 0x0208;
  CHECK(fact(look(writer.build()), "machine") == "x86");
  CHECK_FALSE(fact(look(writer.build()), "64-bit"));
  CHECK_FALSE(fact(look(writer.build()), "init-size"));
  CHECK(fact(look(arm32_image(128, false)), "machine") == "32-bit ARM");
  CHECK_FALSE(fact(look("text\n"), "machine"));
}

TEST_CASE("an Image for arm64 tells how it is loaded") {
  const KernelImage image = look(arm64_image(0x80000, 0x2000000, 2));
  CHECK(fact(image, "format") == "arm64-image");
  CHECK(fact(image, "machine") == "arm64");
  CHECK(fact(image, "text-offset") == "524288");
  CHECK(fact(image, "memory-size") == "33554432");
  CHECK(fact(image, "page-size") == "4096");
  CHECK(fact(image, "byte-order") == "little-endian");
  CHECK(fact(image, "efi-stub") == "no");
}

TEST_CASE("every kind of image has a name of its own") {
  PeWriter unified;
  unified.add(".linux", BzImageWriter().build());
  PeWriter program;
  program.add(".text", "code");
  BzImageWriter low;
  low.load_flags = 0;
  const std::uint32_t magic = 0x336EC578;
  const std::pair<std::string, std::string_view> images[] = {
      {ElfWriter().build(), "elf"},
      {BzImageWriter().build(), "bzimage"},
      {low.build(), "zimage"},
      {arm64_image(0, 0, 0), "arm64-image"},
      {arm32_image(128, false), "arm-zimage"},
      {zboot_image(kCompressedSamples[0].bytes(), "gzip"), "efi-zboot"},
      {unified.build(), "unified-image"},
      {program.build(), "efi-program"},
      {gzip_stored("x"), "compressed"},
      {word(magic) + word(0) + word(0U - magic) + std::string(40, 'c'), "xen-binary"},
      {multiboot1_header(), "multiboot"},
      {uimage("Linux"), "uimage"},
      {"text\n", "other"},
  };
  std::set<std::string_view> names;
  for (const auto& [bytes, name] : images) {
    CHECK(fact(look(bytes), "format") == name);
    CHECK(names.insert(name).second);
  }
  CHECK(fact(look(unified.build()), "contents") == "bzimage");
  CHECK(fact(look(unified.build()), "boot-protocol") == "2.15");
  CHECK(fact(look(uimage("Linux")), "problem") == "it is an image for U-Boot, which Xen does not start");
}
