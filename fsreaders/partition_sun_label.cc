// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_sun_label.h"

#include <array>
#include <string>
#include <utility>

#include "fsreaders/partition_msdos.h"

namespace pvhgrub::fs {
namespace {

constexpr std::size_t kTagsOffset = 142;
constexpr std::size_t kGeometryOffset = 436;
constexpr std::size_t kEntriesOffset = 444;
constexpr std::size_t kMagicOffset = 508;
constexpr std::uint16_t kMagic = 0xDABE;
constexpr std::size_t kPartitions = 8;
constexpr unsigned kUnassigned = 0;
constexpr unsigned kWholeDisk = 5;

/// The exclusive or of all 16-bit words is 0.
Result<bool> has_right_checksum(Bytes sector) {
  ByteReader reader(sector);
  unsigned sum = 0;
  for (std::size_t offset = 0; offset < kSunSectorSize; offset += 2) {
    PVHGRUB_TRY_ASSIGN(const std::uint16_t word, reader.big_endian<std::uint16_t>());
    sum ^= word;
  }
  return sum == 0;
}

}  // namespace

std::string sun_type_name(unsigned tag) {
  return "sun:" + msdos_type_name(tag);
}

bool is_sun_partition(const TableEntry& entry) {
  return entry.sectors != 0 && entry.type != sun_type_name(kUnassigned) &&
         entry.type != sun_type_name(kWholeDisk);
}

Result<std::optional<std::vector<TableEntry>>> parse_sun_label(Bytes sector) {
  ByteReader reader(sector);
  PVHGRUB_TRY(reader.seek(kMagicOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint16_t magic, reader.big_endian<std::uint16_t>());
  if (magic != kMagic) return std::nullopt;
  PVHGRUB_TRY_ASSIGN(const bool right_checksum, has_right_checksum(sector));
  if (!right_checksum) return std::nullopt;

  std::array<std::uint16_t, kPartitions> tags{};
  PVHGRUB_TRY(reader.seek(kTagsOffset));
  for (std::uint16_t& tag : tags) {
    PVHGRUB_TRY_ASSIGN(tag, reader.big_endian<std::uint16_t>());
    PVHGRUB_TRY(reader.skip(2));  // flags
  }
  PVHGRUB_TRY(reader.seek(kGeometryOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint16_t heads, reader.big_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint16_t sectors, reader.big_endian<std::uint16_t>());
  PVHGRUB_TRY(reader.seek(kEntriesOffset));
  std::vector<TableEntry> entries;
  for (std::size_t i = 0; i < kPartitions; ++i) {
    TableEntry entry;
    PVHGRUB_TRY_ASSIGN(const std::uint32_t cylinder, reader.big_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(entry.sectors, reader.big_endian<std::uint32_t>());
    entry.number = i + 1;
    entry.start = std::uint64_t{cylinder} * heads * sectors;  // 32 + 16 + 16 bits
    entry.type = sun_type_name(tags[i]);
    if (is_sun_partition(entry)) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace pvhgrub::fs
