// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/xen_elf.h"

#include <algorithm>

#include "base/limits.h"
#include "bootimage/other_image.h"

namespace pvhgrub::bootimage {
namespace {

using namespace std::string_view_literals;

// GRUB, include/grub/kernel.h: "GRUB module info".
constexpr std::string_view kGrubModulesMagic = "mimg";
// With the NUL that ends a name among the names of sections.
constexpr std::string_view kGuestSectionName = "__xen_guest\0"sv;
// As much as libxenguest reads of any text in an ELF image.
constexpr std::uint64_t kGuestSectionBytes = 4096;

struct Region {
  std::string name;  // for messages
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::vector<std::byte> contents;
};

class XenElfReader {
 public:
  XenElfReader(ByteSource& source, Budget& budget) : source_(source), budget_(budget) {}

  Result<XenElf> read() {
    PVHGRUB_TRY_ASSIGN(elf_.image, read_elf_image(source_, budget_));
    PVHGRUB_TRY(read_segments());
    if (elf_.notes.source == XenNotes::Source::kNone) PVHGRUB_TRY(read_sections());
    elf_.support = xen_support(elf_.image, elf_.notes);
    return std::move(elf_);
  }

 private:
  // All regions are asked for, whatever becomes of the others: a source of bytes that still come
  // (XenNoteScanner) learns that way what to keep.
  Result<void> read_regions(std::vector<Region>& regions) {
    Result<void> result;
    for (Region& region : regions) {
      auto contents = read_bytes(source_, region.offset, region.size, budget_, region.name);
      if (contents) {
        region.contents = std::move(*contents);
      } else if (result) {
        result = std::unexpected(std::move(contents).error());
      }
    }
    return result;
  }

  Result<void> check_notes(const std::vector<Region>& regions) const {
    std::uint64_t size = 0;
    for (const Region& region : regions) size += std::min(region.size, limits::kElfNoteBytes + 1);
    if (regions.size() > limits::kElfNoteRegions || size > limits::kElfNoteBytes)
      return fail(ErrorCode::kLimit, "an ELF image of more notes than " +
                                         std::to_string(limits::kElfNoteBytes) + " bytes or " +
                                         std::to_string(limits::kElfNoteRegions) + " segments or sections");
    return {};
  }

  Result<void> add_notes(const std::vector<Region>& regions, XenNotes::Source source) {
    for (const Region& region : regions) {
      PVHGRUB_TRY_ASSIGN(const std::size_t found,
                         elf_.notes.add_region(region.contents, region.name, budget_));
      if (found != 0) elf_.notes.source = source;
    }
    return {};
  }

  Result<void> read_segments() {
    std::vector<Region> notes;
    std::vector<Region> starts;
    for (std::size_t i = 0; i < elf_.image.segments.size(); ++i) {
      const ElfSegment& segment = elf_.image.segments[i];
      const std::string name = "segment " + std::to_string(i);
      // Old linkers left the offset of notes at 0; libxenguest passes over such a segment.
      if (segment.type == ElfSegment::Type::kNote && segment.offset != 0)
        notes.push_back({name, segment.offset, segment.file_size, {}});
      if (segment.type == ElfSegment::Type::kLoad && segment.file_size >= kGrubModulesMagic.size())
        starts.push_back({name, segment.offset, kGrubModulesMagic.size(), {}});
    }
    PVHGRUB_TRY(check_notes(notes));
    std::vector<Region> whole_start = {
        {"the start", 0, std::min<std::uint64_t>(source_.size(), kMultibootBytes), {}}};
    const Result<void> start_read = read_regions(whole_start);
    const Result<void> notes_read = read_regions(notes);
    PVHGRUB_TRY(read_regions(starts));
    PVHGRUB_TRY(start_read);
    PVHGRUB_TRY(notes_read);
    elf_.multiboot = multiboot_version(whole_start.front().contents);
    elf_.has_grub_modules = std::ranges::any_of(
        starts, [](const Region& start) { return as_text(start.contents) == kGrubModulesMagic; });
    return add_notes(notes, XenNotes::Source::kSegments);
  }

  Result<void> read_sections() {
    PVHGRUB_TRY_ASSIGN(const std::vector<ElfSection> sections,
                       read_elf_sections(source_, elf_.image.header, budget_));
    std::vector<Region> notes;
    for (std::size_t i = 1; i < sections.size(); ++i)
      if (sections[i].type == ElfSection::Type::kNote)
        notes.push_back({"section " + std::to_string(i), sections[i].offset, sections[i].size, {}});
    PVHGRUB_TRY(check_notes(notes));
    std::vector<Region> names = names_of_sections(sections);
    const Result<void> names_read = read_regions(names);
    PVHGRUB_TRY(read_regions(notes));
    PVHGRUB_TRY(names_read);
    PVHGRUB_TRY(add_notes(notes, XenNotes::Source::kSections));
    if (elf_.notes.source != XenNotes::Source::kNone || names.empty()) return {};
    return read_guest_section(sections, as_text(names.front().contents));
  }

  // The section that holds the names; none where it is not as it should be: it serves nothing but the search
  // for __xen_guest. A large one holds the names of symbols too, which no kernel with __xen_guest had.
  std::vector<Region> names_of_sections(const std::vector<ElfSection>& sections) const {
    const std::size_t number = elf_.image.header.section_names;
    if (number >= sections.size()) return {};
    const ElfSection& names = sections[number];
    if (names.size > limits::kElfSectionNameBytes || !range_inside(names.offset, names.size, source_.size()))
      return {};
    return {{"the names of sections", names.offset, names.size, {}}};
  }

  Result<void> read_guest_section(const std::vector<ElfSection>& sections, std::string_view names) {
    const auto section = std::ranges::find_if(sections, [&](const ElfSection& candidate) {
      return candidate.name < names.size() && names.substr(candidate.name).starts_with(kGuestSectionName);
    });
    if (section == sections.end()) return {};
    PVHGRUB_TRY_ASSIGN(const auto contents,
                       read_bytes(source_, section->offset, std::min(section->size, kGuestSectionBytes),
                                  budget_, "the section __xen_guest"));
    elf_.notes.source = XenNotes::Source::kGuestSection;
    return elf_.notes.add_guest_section(contents, budget_);
  }

  ByteSource& source_;
  Budget& budget_;
  XenElf elf_;
};

}  // namespace

Result<XenElf> read_xen_elf(ByteSource& source, Budget& budget) {
  return XenElfReader(source, budget).read();
}

}  // namespace pvhgrub::bootimage
