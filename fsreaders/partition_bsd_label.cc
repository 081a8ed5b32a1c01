// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_bsd_label.h"

#include <algorithm>
#include <string>

#include "fsreaders/partition_msdos.h"

namespace pvhgrub::fs {
namespace {

constexpr std::uint32_t kMagic = 0x8256'4557;
constexpr std::size_t kSecondMagicOffset = 132;
constexpr std::size_t kPartitionCountOffset = 138;
constexpr std::size_t kEntriesOffset = 148;
constexpr std::size_t kEntrySize = 16;
/// c, from 0.
constexpr std::size_t kRawPartition = 2;

/// The exclusive or of all 16-bit words up to the last partition's end is 0.
Result<bool> has_right_checksum(Bytes sector, std::size_t partitions) {
  ByteReader reader(sector);
  unsigned sum = 0;
  for (std::size_t offset = 0; offset < kEntriesOffset + partitions * kEntrySize; offset += 2) {
    PVHGRUB_TRY_ASSIGN(const std::uint16_t word, reader.little_endian<std::uint16_t>());
    sum ^= word;
  }
  return sum == 0;
}

}  // namespace

Result<std::optional<BsdLabel>> parse_bsd_label(Bytes sector) {
  ByteReader reader(sector);
  PVHGRUB_TRY_ASSIGN(const std::uint32_t magic, reader.little_endian<std::uint32_t>());
  if (magic != kMagic) return std::nullopt;
  BsdLabel label;
  PVHGRUB_TRY(reader.seek(kSecondMagicOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint32_t second_magic, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.seek(kPartitionCountOffset));
  PVHGRUB_TRY_ASSIGN(label.claimed, reader.little_endian<std::uint16_t>());
  const std::size_t count = std::min<std::size_t>(label.claimed, kBsdPartitions);
  PVHGRUB_TRY_ASSIGN(const bool right_checksum, has_right_checksum(sector, count));
  label.intact = second_magic == kMagic && right_checksum && label.claimed <= kBsdPartitions;
  PVHGRUB_TRY(reader.seek(kEntriesOffset));
  for (std::size_t i = 0; i < count; ++i) {
    TableEntry entry;
    entry.number = i + 1;
    PVHGRUB_TRY_ASSIGN(entry.sectors, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(entry.start, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY(reader.skip(4));  // bytes of a fragment
    PVHGRUB_TRY_ASSIGN(const std::uint8_t type, reader.little_endian<std::uint8_t>());
    PVHGRUB_TRY(reader.skip(3));  // fragments in a block, cylinders in a group
    entry.type = "bsd:" + msdos_type_name(type);
    if (i == kRawPartition) {
      label.raw_start = static_cast<std::uint32_t>(entry.start);
    } else if (entry.sectors != 0) {
      label.entries.push_back(std::move(entry));
    }
  }
  return label;
}

}  // namespace pvhgrub::fs
