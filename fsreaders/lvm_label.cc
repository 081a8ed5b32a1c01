// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/lvm_label.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/crc32.h"
#include "base/volume_limits.h"

namespace pvhgrub::fs {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSector = 512;
constexpr std::size_t kLabelSectors = 4;
constexpr std::size_t kLabelBytes = 32;
constexpr std::size_t kUuidBytes = 32;
constexpr std::string_view kLabelMagic = "LABELONE";
constexpr std::string_view kLabelType = "LVM2 001";
constexpr std::string_view kAreaMagic = " LVM2 x[5A%r0N*>"sv;
/// The CRC of the label begins behind itself, that of an area's header too.
constexpr std::size_t kLabelChecked = 20;
constexpr std::size_t kAreaChecked = 4;
constexpr std::uint32_t kIgnoredArea = 1;
/// Descriptors of data or metadata areas in the sector of the label: there is room for some 27.
constexpr std::size_t kAreas = 32;

/// LVM's CRC-32 has a start value of its own and is not inverted at the end.
[[maybe_unused]] std::uint32_t lvm_checksum(Bytes bytes) {
  constexpr std::uint32_t kInitial = 0xF597'A6CF;
  Crc32 crc(kInitial);
  crc.update(bytes);
  return ~crc.value();
}

bool sums_agree(std::uint32_t written, Bytes bytes) {
#ifdef PVHGRUB_FUZZING
  // A fuzzer does not find a checksum's preimage; what stands behind it shall be reached.
  static_cast<void>(written);
  static_cast<void>(bytes);
  return true;
#else
  return written == lvm_checksum(bytes);
#endif
}

std::string at_byte(std::uint64_t offset) {
  return "byte " + std::to_string(offset);
}

struct Area {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// A list of areas, which one at offset 0 ends.
Result<std::vector<Area>> read_areas(ByteReader& reader) {
  std::vector<Area> areas;
  while (areas.size() < kAreas) {
    Area area;
    PVHGRUB_TRY_ASSIGN(area.offset, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY_ASSIGN(area.size, reader.little_endian<std::uint64_t>());
    if (area.offset == 0) return areas;
    areas.push_back(area);
  }
  return fail(ErrorCode::kDamaged, "a list of areas without an end");
}

/// Where an area's header says that the current metadata lies; no value: the area is not in use.
Result<std::optional<LvmMetadataPlace>> read_area_header(BlockSource& source, const Area& area) {
  if (area.size <= kSector || !range_inside<std::uint64_t>(area.offset, area.size, source.size()))
    return fail(ErrorCode::kDamaged,
                "an area of " + std::to_string(area.size) + " bytes does not lie on the device");
  std::array<std::byte, kSector> sector{};
  PVHGRUB_TRY(source.read_at(area.offset, sector));
  ByteReader reader(sector);
  PVHGRUB_TRY_ASSIGN(const auto checksum, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(const Bytes magic, reader.take(kAreaMagic.size()));
  if (as_text(magic) != kAreaMagic) return fail(ErrorCode::kDamaged, "the header has not its magic");
  if (!sums_agree(checksum, Bytes(sector).subspan(kAreaChecked)))
    return fail(ErrorCode::kDamaged, "the header's checksum is wrong");
  PVHGRUB_TRY_ASSIGN(const auto version, reader.little_endian<std::uint32_t>());
  if (version != 1)
    return fail(ErrorCode::kUnsupported, "metadata of version " + std::to_string(version) + ", not 1");
  LvmMetadataPlace place;
  PVHGRUB_TRY_ASSIGN(place.area_offset, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(place.area_size, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(place.offset, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(place.size, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(place.checksum, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(const auto flags, reader.little_endian<std::uint32_t>());
  if (place.area_offset != area.offset || place.area_size != area.size)
    return fail(ErrorCode::kDamaged, "the header is that of another area");
  if (place.offset == 0 || place.size == 0 || (flags & kIgnoredArea) != 0) return std::nullopt;
  if (place.offset < kSector || place.offset >= area.size || place.size > area.size - kSector)
    return fail(ErrorCode::kDamaged, std::to_string(place.size) + " bytes of metadata at " +
                                         std::to_string(place.offset) + " do not lie in an area of " +
                                         std::to_string(area.size));
  return place;
}

Result<LvmLabel> parse_label(BlockSource& source, Bytes sector, std::uint64_t position, Budget& budget) {
  ByteReader reader(sector);
  PVHGRUB_TRY(reader.skip(kLabelMagic.size()));
  PVHGRUB_TRY_ASSIGN(const auto number, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(const auto checksum, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(const auto header, reader.little_endian<std::uint32_t>());
  if (number != position / kSector)
    return fail(ErrorCode::kDamaged, "the label is one of sector " + std::to_string(number));
  if (!sums_agree(checksum, sector.subspan(kLabelChecked)))
    return fail(ErrorCode::kDamaged, "the label's checksum is wrong");
  if (header < kLabelBytes) return fail(ErrorCode::kDamaged, "the header lies inside the label");
  PVHGRUB_TRY(reader.seek(header));
  LvmLabel label;
  PVHGRUB_TRY_ASSIGN(const Bytes uuid, reader.take(kUuidBytes));
  label.uuid = as_text(uuid);
  PVHGRUB_TRY_ASSIGN(label.device_size, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(const std::vector<Area> data, read_areas(reader));
  PVHGRUB_TRY_ASSIGN(const std::vector<Area> metadata, read_areas(reader));
  static_cast<void>(data);  // the metadata says where each volume's data begins
  for (const Area& area : metadata) {
    PVHGRUB_TRY(budget.charge_bytes(kSector, "looking for LVM's metadata"));
    auto place = read_area_header(source, area);
    if (!place) {
      label.problems.push_back("the metadata area at " + at_byte(area.offset) +
                               " is not used: " + place.error().describe());
    } else if (*place) {
      label.metadata.push_back(**place);
    }
  }
  return label;
}

}  // namespace

Result<std::optional<LvmLabel>> read_lvm_label(BlockSource& source, Budget& budget) {
  std::array<std::byte, kLabelSectors * kSector> head{};
  if (source.size() < head.size()) return std::nullopt;
  PVHGRUB_TRY(budget.charge_bytes(head.size(), "looking for LVM's label"));
  PVHGRUB_TRY(source.read_at(0, head));
  std::optional<Error> problem;
  for (std::size_t position = 0; position < head.size(); position += kSector) {
    const Bytes sector = Bytes(head).subspan(position, kSector);
    if (!as_text(sector).starts_with(kLabelMagic) || as_text(sector.subspan(24, 8)) != kLabelType) continue;
    auto label = parse_label(source, sector, position, budget);
    if (label) return std::move(*label);
    if (label.error().code == ErrorCode::kLimit) return std::unexpected(std::move(label).error());
    // An older one in a sector before may have stayed.
    problem = at(at_byte(position), std::move(label).error());
  }
  if (problem) return std::unexpected(*std::move(problem));
  return std::nullopt;
}

Result<std::string> read_lvm_metadata(BlockSource& source, const LvmMetadataPlace& place, Budget& budget) {
  const std::string where = at_byte(place.area_offset + place.offset);
  if (place.size > limits::kVolumeMetadataBytes)
    return fail(ErrorCode::kUnsupported,
                "metadata of " + std::to_string(place.size) + " bytes; at most " +
                    std::to_string(limits::kVolumeMetadataBytes) + " are read",
                where);
  PVHGRUB_TRY(budget.charge_bytes(place.size, "reading LVM's metadata"));
  std::string text(static_cast<std::size_t>(place.size), '\0');
  const auto bytes = std::as_writable_bytes(std::span(text));
  // The area is a ring behind its header: what does not fit before its end goes on at its beginning.
  const auto before_end =
      static_cast<std::size_t>(std::min<std::uint64_t>(place.size, place.area_size - place.offset));
  PVHGRUB_TRY(source.read_at(place.area_offset + place.offset, bytes.first(before_end)));
  if (before_end < text.size())
    PVHGRUB_TRY(source.read_at(place.area_offset + kSector, bytes.subspan(before_end)));
  if (!sums_agree(place.checksum, bytes))
    return fail(ErrorCode::kDamaged, "the checksum of the volume group's metadata is wrong", where);
  return text;
}

}  // namespace pvhgrub::fs
