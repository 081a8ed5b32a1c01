// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/pe.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace pvhgrub::bootimage {

namespace {

// "MS-DOS Stub": the file begins with "MZ", and at 0x3C stands where the PE signature lies.
constexpr std::size_t kDosHeaderBytes = 64;
constexpr std::size_t kSignaturePlace = 0x3C;
constexpr std::uint16_t kDosMagic = 0x5A4D;
constexpr std::uint32_t kPeSignature = 0x00004550;
// "COFF File Header", with the signature in front of it.
constexpr std::size_t kCoffHeaderBytes = 4 + 20;
// "Optional Header": its magic, and the fields that lie at the same place in both forms.
constexpr std::uint16_t kPe32 = 0x10B;
constexpr std::uint16_t kPe32Plus = 0x20B;
constexpr std::size_t kImageSizeOffset = 56;
constexpr std::size_t kSubsystemOffset = 68;
constexpr std::size_t kSectionHeaderBytes = 40;
constexpr std::size_t kSectionNameBytes = 8;

std::unexpected<Error> not_pe(std::string why) {
  return fail(ErrorCode::kUnsupported, "not a PE image: " + std::move(why));
}

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorCode::kDamaged, "a damaged PE image: " + std::move(what));
}

/// Where the signature lies.
Result<std::size_t> signature_offset(Bytes start) {
  if (start.size() < kDosHeaderBytes) return not_pe("it is too short");
  ByteReader reader(start);
  PVHGRUB_TRY_ASSIGN(const auto magic, reader.little_endian<std::uint16_t>());
  if (magic != kDosMagic) return not_pe("it does not begin with MZ");
  PVHGRUB_TRY(reader.seek(kSignaturePlace));
  PVHGRUB_TRY_ASSIGN(const auto offset, reader.little_endian<std::uint32_t>());
  if (offset < kDosHeaderBytes || offset > limits::kPeHeaderBytes)
    return not_pe("its header would lie at " + std::to_string(offset));
  return offset;
}

struct CoffHeader {
  std::uint16_t machine = 0;
  std::uint16_t sections = 0;
  std::size_t optional_header = 0;  ///< bytes from the file's start
  std::uint16_t optional_header_bytes = 0;
  [[nodiscard]] std::size_t section_table() const { return optional_header + optional_header_bytes; }
  [[nodiscard]] std::size_t end() const { return section_table() + sections * kSectionHeaderBytes; }
};

Result<CoffHeader> read_coff_header(Bytes start, std::size_t offset) {
  ByteReader reader(start);
  if (!reader.seek(offset) || reader.remaining() < kCoffHeaderBytes)
    return not_pe("it ends before its header");
  PVHGRUB_TRY_ASSIGN(const auto signature, reader.little_endian<std::uint32_t>());
  if (signature != kPeSignature) return not_pe("it has no PE signature");
  CoffHeader header;
  PVHGRUB_TRY_ASSIGN(header.machine, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(header.sections, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY(reader.skip(12));  // time stamp and symbol table, which images do not have
  PVHGRUB_TRY_ASSIGN(header.optional_header_bytes, reader.little_endian<std::uint16_t>());
  header.optional_header = offset + kCoffHeaderBytes;
  if (header.sections > limits::kPeSections)
    return damaged("it has " + std::to_string(header.sections) + " sections, more than " +
                   std::to_string(limits::kPeSections));
  return header;
}

Result<PeSection> read_section_header(ByteReader& reader) {
  PeSection section;
  PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(kSectionNameBytes));
  section.name = as_text(name);
  section.name.resize(std::min(section.name.find('\0'), section.name.size()));
  PVHGRUB_TRY_ASSIGN(section.virtual_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(section.virtual_address, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(section.raw_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(section.raw_offset, reader.little_endian<std::uint32_t>());
  // Relocations, line numbers and characteristics.
  PVHGRUB_TRY(reader.skip(kSectionHeaderBytes - kSectionNameBytes - 16));
  return section;
}

Result<void> check_section(const PeSection& section, std::uint32_t image_size, std::size_t headers_end,
                           std::uint64_t file_size) {
  const std::string name = "section " + section.name;
  if (!range_inside(section.virtual_address, section.virtual_size, image_size))
    return damaged(name + " does not lie within the image");
  if (section.raw_size == 0) return {};
  if (!range_inside<std::uint64_t>(section.raw_offset, section.raw_size, file_size))
    return damaged(name + " ends behind the end of the file");
  if (section.raw_offset < headers_end) return damaged(name + " overlaps the headers");
  return {};
}

Result<void> check_overlaps(const std::vector<PeSection>& sections) {
  std::vector<const PeSection*> order;
  for (const PeSection& section : sections)
    if (section.raw_size != 0) order.push_back(&section);
  std::ranges::sort(order, {}, [](const PeSection* section) { return section->raw_offset; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (std::uint64_t{order[i - 1]->raw_offset} + order[i - 1]->raw_size > order[i]->raw_offset)
      return damaged("sections " + order[i - 1]->name + " and " + order[i]->name + " overlap");
  return {};
}

}  // namespace

std::string pe_machine_name(std::uint16_t machine) {
  switch (machine) {
    case kPeMachineI386:
      return "32-bit x86";
    case kPeMachineAmd64:
      return "x86-64";
    case kPeMachineArm64:
      return "arm64";
    default:
      return "machine " + std::to_string(machine);
  }
}

std::optional<std::uint16_t> pe_machine(Bytes start) {
  const auto offset = signature_offset(start);
  if (!offset) return std::nullopt;
  const auto header = read_coff_header(start, *offset);
  return header && header->optional_header_bytes != 0 ? std::optional(header->machine) : std::nullopt;
}

Result<std::size_t> pe_header_bytes(Bytes start) {
  PVHGRUB_TRY_ASSIGN(const std::size_t offset, signature_offset(start));
  if (start.size() < offset + kCoffHeaderBytes) return offset + kCoffHeaderBytes;
  PVHGRUB_TRY_ASSIGN(const CoffHeader header, read_coff_header(start, offset));
  if (header.end() > limits::kPeHeaderBytes)
    return damaged("its headers have " + std::to_string(header.end()) + " bytes, more than " +
                   std::to_string(limits::kPeHeaderBytes));
  return header.end();
}

Result<PeImage> read_pe_headers(Bytes start, std::uint64_t file_size) {
  PVHGRUB_TRY_ASSIGN(const std::size_t offset, signature_offset(start));
  PVHGRUB_TRY_ASSIGN(const CoffHeader header, read_coff_header(start, offset));
  if (header.optional_header_bytes == 0) return not_pe("it is an object file");
  if (header.end() > start.size() || header.end() > file_size) return damaged("it ends within its headers");
  if (header.optional_header_bytes < kSubsystemOffset + 2) return damaged("its optional header is too short");
  ByteReader reader(start);
  PVHGRUB_TRY(reader.seek(header.optional_header));
  PVHGRUB_TRY_ASSIGN(const auto magic, reader.little_endian<std::uint16_t>());
  if (magic != kPe32 && magic != kPe32Plus)
    return not_pe("the magic of its optional header is " + std::to_string(magic));
  PeImage image;
  image.machine = header.machine;
  PVHGRUB_TRY(reader.seek(header.optional_header + kImageSizeOffset));
  PVHGRUB_TRY_ASSIGN(image.image_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.seek(header.optional_header + kSubsystemOffset));
  PVHGRUB_TRY_ASSIGN(image.subsystem, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY(reader.seek(header.section_table()));
  image.sections.reserve(header.sections);
  for (unsigned i = 0; i < header.sections; ++i) {
    PVHGRUB_TRY_ASSIGN(PeSection section, read_section_header(reader));
    PVHGRUB_TRY(check_section(section, image.image_size, header.end(), file_size));
    image.sections.push_back(std::move(section));
  }
  PVHGRUB_TRY(check_overlaps(image.sections));
  return image;
}

}  // namespace pvhgrub::bootimage
