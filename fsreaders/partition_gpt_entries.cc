// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_gpt_entries.h"

#include <algorithm>

#include "fsreaders/utf16.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kEntryBytes = 128;
constexpr std::size_t kNameBytes = 72;
constexpr std::uint64_t kLegacyBiosBootable = 4;  // UEFI 2.10, table 5.8

bool is_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

Result<TableEntry> parse_entry(Bytes bytes, std::uint64_t number) {
  ByteReader reader(bytes);
  TableEntry entry;
  entry.number = number;
  PVHGRUB_TRY_ASSIGN(entry.type, read_guid(reader));
  PVHGRUB_TRY_ASSIGN(entry.uuid, read_guid(reader));
  PVHGRUB_TRY_ASSIGN(entry.start, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint64_t last, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(entry.attributes, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(kNameBytes));
  // Else it contradicts itself: 0 sectors.
  if (last >= entry.start && last - entry.start < UINT64_MAX) entry.sectors = last - entry.start + 1;
  entry.bootable = (entry.attributes & kLegacyBiosBootable) != 0;
  entry.label = utf8_of_utf16(name);
  return entry;
}

}  // namespace

Result<std::vector<TableEntry>> read_gpt_entries(BlockSource& disk, const GptCheck& check) {
  const GptHeaderCheck& header = check.header();
  std::vector<std::byte> array(static_cast<std::size_t>(header.entries_bytes));
  // The header's check has read the same bytes: neither product nor size can be wrong.
  PVHGRUB_TRY(disk.read_at(header.entries_sector * check.sector_size, array));
  std::vector<TableEntry> entries;
  for (std::size_t offset = 0; offset + kEntryBytes <= array.size(); offset += kEntryBytes) {
    const Bytes bytes = Bytes(array).subspan(offset, kEntryBytes);
    if (is_zero(bytes.first(16))) continue;  // no type: not in use
    PVHGRUB_TRY_ASSIGN(TableEntry entry, parse_entry(bytes, offset / kEntryBytes + 1));
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace pvhgrub::fs
