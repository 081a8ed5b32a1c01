// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/elf.h"

#include <algorithm>

#include "base/limits.h"

namespace pvhgrub::bootimage {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic =
    "\x7F"
    "ELF"sv;
constexpr std::size_t kIdentificationBytes = 16;
constexpr std::size_t kHeaderBytes32 = 52;
constexpr std::size_t kHeaderBytes64 = 64;
constexpr std::uint8_t kClass32 = 1;
constexpr std::uint8_t kClass64 = 2;
constexpr std::uint8_t kLittleEndian = 1;
constexpr std::uint16_t kSegmentBytes32 = 32;
constexpr std::uint16_t kSegmentBytes64 = 56;
constexpr std::uint16_t kSectionBytes32 = 40;
constexpr std::uint16_t kSectionBytes64 = 64;
// PF_X, PF_W, PF_R. libxenguest does not load a segment that has none of them.
constexpr std::uint32_t kAnyAccess = 7;
constexpr std::uint32_t kNoteAlignment = 4;

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorCode::kDamaged, "a damaged ELF image: " + std::move(what));
}

// An address, offset or size: as wide as the class.
Result<std::uint64_t> read_word(ByteReader& reader, bool is_64) {
  if (is_64) return reader.little_endian<std::uint64_t>();
  PVHGRUB_TRY_ASSIGN(const auto word, reader.little_endian<std::uint32_t>());
  return std::uint64_t{word};
}

// Which class it is, after the magic.
Result<bool> read_class(ByteReader& reader) {
  PVHGRUB_TRY_ASSIGN(const auto elf_class, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY_ASSIGN(const auto order, reader.little_endian<std::uint8_t>());
  if (elf_class != kClass32 && elf_class != kClass64)
    return fail(ErrorCode::kUnsupported,
                "an ELF image of class " + std::to_string(elf_class) + ", neither of 32 nor of 64 bits");
  if (order != kLittleEndian)
    return fail(ErrorCode::kUnsupported, "an ELF image that is not little-endian, which no guest of Xen is");
  return elf_class == kClass64;
}

Result<ElfTable> read_table(ByteReader& reader, std::uint64_t offset) {
  ElfTable table;
  table.offset = offset;
  PVHGRUB_TRY_ASSIGN(table.entry_size, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(table.count, reader.little_endian<std::uint16_t>());
  return table;
}

Result<void> check_entry_size(const ElfTable& table, std::uint16_t expected, std::string_view what) {
  if (table.count == 0 || table.entry_size == expected) return {};
  return damaged("its " + std::string(what) + " have " + std::to_string(table.entry_size) +
                 " bytes each instead of " + std::to_string(expected));
}

Result<ElfSegment> read_segment(ByteReader& reader, bool is_64) {
  ElfSegment segment;
  PVHGRUB_TRY_ASSIGN(const auto type, reader.little_endian<std::uint32_t>());
  segment.type = static_cast<ElfSegment::Type>(type);
  // p_flags moved to the front in ELF64, where it fills up the alignment.
  if (is_64) {
    PVHGRUB_TRY_ASSIGN(segment.flags, reader.little_endian<std::uint32_t>());
  }
  PVHGRUB_TRY_ASSIGN(segment.offset, read_word(reader, is_64));
  PVHGRUB_TRY(reader.skip(is_64 ? 8 : 4));  // p_vaddr
  PVHGRUB_TRY_ASSIGN(segment.physical_address, read_word(reader, is_64));
  PVHGRUB_TRY_ASSIGN(segment.file_size, read_word(reader, is_64));
  PVHGRUB_TRY_ASSIGN(segment.memory_size, read_word(reader, is_64));
  if (!is_64) {
    PVHGRUB_TRY_ASSIGN(segment.flags, reader.little_endian<std::uint32_t>());
  }
  PVHGRUB_TRY(reader.skip(is_64 ? 8 : 4));  // p_align
  return segment;
}

Result<void> check_segment(const ElfSegment& segment, std::size_t number, std::uint64_t image_size) {
  const bool loaded = segment.type == ElfSegment::Type::kLoad;
  if (!loaded && segment.type != ElfSegment::Type::kNote) return {};
  const std::string name = "segment " + std::to_string(number);
  if (!range_inside(segment.offset, segment.file_size, image_size))
    return damaged(name + " (" + std::to_string(segment.file_size) + " bytes at " +
                   std::to_string(segment.offset) + ") ends behind the image's end at " +
                   std::to_string(image_size));
  // A segment of notes is not loaded, and GRUB's images give its memory as 0 bytes.
  if (!loaded) return {};
  if (segment.file_size > segment.memory_size)
    return damaged(name + " has more bytes in the image than in memory");
  if (!checked_add(segment.physical_address, segment.memory_size))
    return damaged(name + " is loaded beyond the end of memory");
  return {};
}

Result<ElfSection> read_section(ByteReader& reader, bool is_64) {
  ElfSection section;
  PVHGRUB_TRY_ASSIGN(section.name, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(const auto type, reader.little_endian<std::uint32_t>());
  section.type = static_cast<ElfSection::Type>(type);
  PVHGRUB_TRY(reader.skip(is_64 ? 16 : 8));  // sh_flags, sh_addr
  PVHGRUB_TRY_ASSIGN(section.offset, read_word(reader, is_64));
  PVHGRUB_TRY_ASSIGN(section.size, read_word(reader, is_64));
  PVHGRUB_TRY(reader.skip(is_64 ? 24 : 16));  // sh_link, sh_info, sh_addralign, sh_entsize
  return section;
}

Result<ElfHeader> read_header(Bytes start) {
  ByteReader reader(start);
  PVHGRUB_TRY(reader.skip(kMagic.size()));
  ElfHeader header;
  PVHGRUB_TRY_ASSIGN(header.is_64, read_class(reader));
  if (start.size() < (header.is_64 ? kHeaderBytes64 : kHeaderBytes32))
    return damaged("it ends within its header");
  PVHGRUB_TRY(reader.skip(1));  // EI_VERSION
  PVHGRUB_TRY_ASSIGN(header.os_abi, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY(reader.seek(kIdentificationBytes));
  PVHGRUB_TRY_ASSIGN(header.type, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(header.machine, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY(reader.skip(4));  // e_version
  PVHGRUB_TRY_ASSIGN(header.entry, read_word(reader, header.is_64));
  PVHGRUB_TRY_ASSIGN(const std::uint64_t segments, read_word(reader, header.is_64));
  PVHGRUB_TRY_ASSIGN(const std::uint64_t sections, read_word(reader, header.is_64));
  PVHGRUB_TRY(reader.skip(6));  // e_flags, e_ehsize
  PVHGRUB_TRY_ASSIGN(header.program_headers, read_table(reader, segments));
  PVHGRUB_TRY_ASSIGN(header.section_headers, read_table(reader, sections));
  PVHGRUB_TRY_ASSIGN(header.section_names, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY(check_entry_size(header.program_headers, header.is_64 ? kSegmentBytes64 : kSegmentBytes32,
                               "program headers"));
  PVHGRUB_TRY(check_entry_size(header.section_headers, header.is_64 ? kSectionBytes64 : kSectionBytes32,
                               "section headers"));
  return header;
}

Result<std::vector<ElfSegment>> read_segments(ByteSource& source, const ElfHeader& header, Budget& budget) {
  const ElfTable& table = header.program_headers;
  std::vector<ElfSegment> segments;
  if (table.count == 0) return segments;
  if (table.count > limits::kElfSegments)
    return fail(ErrorCode::kLimit, "an ELF image of " + std::to_string(table.count) +
                                       " segments, more than " + std::to_string(limits::kElfSegments));
  PVHGRUB_TRY_ASSIGN(const auto bytes,
                     read_bytes(source, table.offset, table.size(), budget, "the ELF program headers"));
  PVHGRUB_TRY(budget.charge_steps(table.count, "reading ELF program headers"));
  ByteReader reader(bytes);
  segments.reserve(table.count);
  for (std::size_t number = 0; number < table.count; ++number) {
    PVHGRUB_TRY_ASSIGN(const ElfSegment segment, read_segment(reader, header.is_64));
    PVHGRUB_TRY(check_segment(segment, number, source.size()));
    segments.push_back(segment);
  }
  return segments;
}

std::optional<ElfMemory> loaded_memory(const std::vector<ElfSegment>& segments) {
  std::optional<ElfMemory> memory;
  for (const ElfSegment& segment : segments) {
    if (segment.type != ElfSegment::Type::kLoad || (segment.flags & kAnyAccess) == 0) continue;
    const std::uint64_t end = segment.physical_address + segment.memory_size;
    if (!memory) memory = {segment.physical_address, end};
    memory->start = std::min(memory->start, segment.physical_address);
    memory->end = std::max(memory->end, end);
  }
  return memory;
}

}  // namespace

bool is_elf(Bytes start) {
  return as_text(start).starts_with(kMagic);
}

Result<ElfImage> read_elf_image(ByteSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const auto start, read_start(source, kHeaderBytes64, budget, "the ELF header"));
  if (!is_elf(start)) return fail(ErrorCode::kUnsupported, "not an ELF image");
  ElfImage image;
  PVHGRUB_TRY_ASSIGN(image.header, read_header(start));
  PVHGRUB_TRY_ASSIGN(image.segments, read_segments(source, image.header, budget));
  // libxenguest refuses an image whose table of sections is cut off, even where it needs no section.
  const ElfTable& sections = image.header.section_headers;
  if (sections.count != 0 && !range_inside(sections.offset, sections.size(), source.size()))
    return damaged("its section headers (" + std::to_string(sections.size()) + " bytes at " +
                   std::to_string(sections.offset) + ") end behind the image's end at " +
                   std::to_string(source.size()));
  image.memory = loaded_memory(image.segments);
  return image;
}

Result<std::vector<ElfSection>> read_elf_sections(ByteSource& source, const ElfHeader& header,
                                                  Budget& budget) {
  const ElfTable& table = header.section_headers;
  std::vector<ElfSection> sections;
  if (table.count == 0) return sections;
  if (table.count > limits::kElfSections)
    return fail(ErrorCode::kLimit, "an ELF image of " + std::to_string(table.count) +
                                       " sections, more than " + std::to_string(limits::kElfSections));
  PVHGRUB_TRY_ASSIGN(const auto bytes,
                     read_bytes(source, table.offset, table.size(), budget, "the ELF section headers"));
  PVHGRUB_TRY(budget.charge_steps(table.count, "reading ELF section headers"));
  ByteReader reader(bytes);
  sections.reserve(table.count);
  for (std::size_t number = 0; number < table.count; ++number) {
    PVHGRUB_TRY_ASSIGN(const ElfSection section, read_section(reader, header.is_64));
    if (section.type == ElfSection::Type::kNote && !range_inside(section.offset, section.size, source.size()))
      return damaged("section " + std::to_string(number) + " ends behind the image's end at " +
                     std::to_string(source.size()));
    sections.push_back(section);
  }
  return sections;
}

std::string elf_machine_name(std::uint16_t machine) {
  switch (machine) {
    case kElfMachine386:
      return "32-bit x86";
    case kElfMachineArm:
      return "32-bit ARM";
    case kElfMachineX86_64:
      return "x86-64";
    case kElfMachineAarch64:
      return "arm64";
    default:
      return "machine " + std::to_string(machine);
  }
}

Result<std::optional<ElfNote>> ElfNoteReader::next() {
  if (reader_.remaining() == 0) return std::optional<ElfNote>();
  PVHGRUB_TRY_ASSIGN(const auto name_size, reader_.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(const auto description_size, reader_.little_endian<std::uint32_t>());
  ElfNote note;
  PVHGRUB_TRY_ASSIGN(note.type, reader_.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(const Bytes name, take_padded(name_size));
  note.name = as_text(name);
  note.name = note.name.substr(0, note.name.find('\0'));
  note.is_cut = description_size > reader_.remaining();
  PVHGRUB_TRY_ASSIGN(note.description,
                     take_padded(std::min<std::size_t>(description_size, reader_.remaining())));
  return std::optional(note);
}

Result<Bytes> ElfNoteReader::take_padded(std::size_t size) {
  PVHGRUB_TRY_ASSIGN(const Bytes run, reader_.take(size));
  // The last note's padding may be missing.
  const std::size_t padding = (kNoteAlignment - size % kNoteAlignment) % kNoteAlignment;
  PVHGRUB_TRY(reader_.skip(std::min(padding, reader_.remaining())));
  return run;
}

}  // namespace pvhgrub::bootimage
