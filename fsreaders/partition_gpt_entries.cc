// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_gpt_entries.h"

#include <algorithm>

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kEntryBytes = 128;
constexpr std::size_t kNameBytes = 72;
constexpr std::uint64_t kLegacyBiosBootable = 4;  // UEFI 2.10, table 5.8
constexpr char32_t kReplacement = 0xFFFD;

void append_utf8(std::string& text, char32_t character) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (character < 0x80) {
    text += byte(character);
  } else if (character < 0x800) {
    text += byte(0xC0 | (character >> 6));
    text += byte(0x80 | (character & 0x3F));
  } else if (character < 0x1'0000) {
    text += byte(0xE0 | (character >> 12));
    text += byte(0x80 | ((character >> 6) & 0x3F));
    text += byte(0x80 | (character & 0x3F));
  } else {
    text += byte(0xF0 | (character >> 18));
    text += byte(0x80 | ((character >> 12) & 0x3F));
    text += byte(0x80 | ((character >> 6) & 0x3F));
    text += byte(0x80 | (character & 0x3F));
  }
}

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

std::string utf8_of_utf16(Bytes bytes) {
  std::string text;
  char32_t high = 0;  // the first half of a pair, waiting for the second
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto unit = static_cast<char32_t>(std::to_integer<unsigned>(bytes[i]) |
                                            (std::to_integer<unsigned>(bytes[i + 1]) << 8));
    const bool is_low = unit >= 0xDC00 && unit < 0xE000;
    if (high != 0 && is_low) {
      append_utf8(text, 0x1'0000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
      continue;
    }
    if (high != 0) append_utf8(text, kReplacement);
    high = 0;
    if (unit == 0) return text;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high = unit;
    } else {
      append_utf8(text, is_low ? kReplacement : unit);
    }
  }
  if (high != 0) append_utf8(text, kReplacement);
  return text;
}

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
