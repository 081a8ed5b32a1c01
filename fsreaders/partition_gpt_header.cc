// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_gpt_header.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/crc32.h"
#include "base/limits.h"

namespace pvhgrub::fs {
namespace {

constexpr std::string_view kSignature = "EFI PART";
/// UEFI 5.3.2: at least 92 bytes, at most a sector.
constexpr std::uint32_t kSmallestHeader = 92;
/// UEFI allows 128 * 2^n; Linux takes no other than 128, and libfdisk steps through the entries by 128.
constexpr std::uint32_t kEntryBytes = 128;
/// Byte offset of HeaderCRC32, which counts as zero in its own computation.
constexpr std::size_t kHeaderChecksumOffset = 16;

struct Header {
  std::uint32_t header_size;
  std::uint32_t header_checksum;
  std::uint64_t my_sector;
  std::uint64_t alternate_sector;
  std::uint64_t first_usable;
  std::uint64_t last_usable;
  std::string disk_uuid;
  std::uint64_t entries_sector;
  std::uint32_t entry_count;
  std::uint32_t entry_size;
  std::uint32_t entries_checksum;
};

Result<Header> parse(Bytes bytes) {
  ByteReader reader(bytes);
  Header header{};
  PVHGRUB_TRY(reader.skip(kSignature.size() + 4));  // Signature, Revision
  PVHGRUB_TRY_ASSIGN(header.header_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(header.header_checksum, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.skip(4));  // Reserved
  PVHGRUB_TRY_ASSIGN(header.my_sector, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(header.alternate_sector, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(header.first_usable, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(header.last_usable, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(header.disk_uuid, read_guid(reader));
  PVHGRUB_TRY_ASSIGN(header.entries_sector, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(header.entry_count, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(header.entry_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(header.entries_checksum, reader.little_endian<std::uint32_t>());
  return header;
}

std::string where_of(const std::string& disk, std::uint64_t sector) {
  return disk + ", GPT header in sector " + std::to_string(sector);
}

/// What is wrong with the sectors that a header with a right checksum names; empty: nothing.
std::string problem_of_sectors(const Header& header, std::uint64_t sector, std::uint64_t last_sector) {
  if (header.my_sector != sector)
    return "says that it belongs into sector " + std::to_string(header.my_sector);
  if (header.last_usable < header.first_usable) return "has no usable sectors";
  if (header.first_usable > last_sector || header.last_usable > last_sector)
    return "is of a larger disk: partitions may reach to sector " + std::to_string(header.last_usable) +
           ", but the disk ends with sector " + std::to_string(last_sector) + " (was the image cut short?)";
  return {};
}

/// Reads the entries and compares their checksum.
Result<std::string> problem_of_entries(BlockSource& disk, const Header& header, std::uint32_t sector_size) {
  const std::uint64_t length = std::uint64_t{header.entry_count} * kEntryBytes;
  const auto offset = checked_multiply<std::uint64_t>(header.entries_sector, sector_size);
  if (!offset || !range_inside<std::uint64_t>(*offset, length, disk.size()))
    return "says that its entries lie past the disk's end";
  std::vector<std::byte> entries(static_cast<std::size_t>(length));
  PVHGRUB_TRY(disk.read_at(*offset, entries));
  if (crc32(entries) != header.entries_checksum) return "has a wrong checksum of its entries";
  return std::string();
}

}  // namespace

Result<std::string> read_guid(ByteReader& reader) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  // The first three fields are numbers, the rest is bytes.
  constexpr std::array<std::size_t, 16> kOrder = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  PVHGRUB_TRY_ASSIGN(const Bytes bytes, reader.take(kOrder.size()));
  std::string text;
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto value = std::to_integer<unsigned>(bytes[kOrder[i]]);
    text += kDigits[value >> 4];
    text += kDigits[value & 0xF];
  }
  return text;
}

Result<GptHeaderCheck> check_gpt_header(BlockSource& disk, const std::string& name, std::uint64_t sector,
                                        std::uint32_t sector_size) {
  GptHeaderCheck check;
  std::vector<std::byte> bytes(sector_size);
  const auto offset = checked_multiply<std::uint64_t>(sector, sector_size);
  if (!offset || !range_inside<std::uint64_t>(*offset, bytes.size(), disk.size())) {
    check.problem = "would lie past the disk's end";
    return check;
  }
  PVHGRUB_TRY(disk.read_at(*offset, bytes));
  if (!as_text(bytes).starts_with(kSignature)) {
    check.problem = "is missing";
    return check;
  }
  PVHGRUB_TRY_ASSIGN(const Header header, parse(bytes));
  check.signature = true;
  check.alternate_sector = header.alternate_sector;
  if (header.header_size < kSmallestHeader || header.header_size > sector_size) {
    check.problem = "says that it has " + std::to_string(header.header_size) + " bytes";
    return check;
  }
  std::fill_n(bytes.begin() + std::ptrdiff_t{kHeaderChecksumOffset}, sizeof header.header_checksum,
              std::byte{0});
  if (crc32(Bytes(bytes).first(header.header_size)) != header.header_checksum) {
    check.problem = "has a wrong checksum";
    return check;
  }
  if (header.entry_size != kEntryBytes)
    return fail(ErrorCode::kUnsupported,
                "its entries have " + std::to_string(header.entry_size) + " bytes; Linux reads 128 only",
                where_of(name, sector));
  if (header.entry_count > limits::kGptEntries)
    return fail(ErrorCode::kLimit,
                "it has " + std::to_string(header.entry_count) + " entries, more than the " +
                    std::to_string(limits::kGptEntries) + " that are read",
                where_of(name, sector));
  check.entries_bytes = std::uint64_t{header.entry_count} * kEntryBytes;
  check.entries_sector = header.entries_sector;
  check.disk_uuid = header.disk_uuid;
  if (header.entry_count == 0) {
    check.problem = "has no entries";
    return check;
  }
  check.problem = problem_of_sectors(header, sector, disk.size() / sector_size - 1);
  if (check.problem.empty()) {
    PVHGRUB_TRY_ASSIGN(check.problem, problem_of_entries(disk, header, sector_size));
  }
  return check;
}

namespace {

/// The headers that libfdisk and Linux look at: the primary, and the backup where the primary says that it
/// is, or in the last sector where the primary is damaged. (Both trust a primary that is right about the
/// backup's place, so a disk that has grown since keeps its table.)
Result<GptCheck> check_gpt(BlockSource& disk, const std::string& name, std::uint32_t sector_size,
                           Budget& budget) {
  GptCheck check;
  check.sector_size = sector_size;
  if (disk.size() < std::uint64_t{2} * sector_size) {
    check.primary.problem = check.backup.problem = "would lie past the disk's end";
    return check;
  }
  check.last_sector = disk.size() / sector_size - 1;
  PVHGRUB_TRY_ASSIGN(check.primary, check_gpt_header(disk, name, kGptPrimarySector, sector_size));
  const std::uint64_t backup_sector =
      check.primary.usable() ? check.primary.alternate_sector : check.last_sector;
  PVHGRUB_TRY_ASSIGN(check.backup, check_gpt_header(disk, name, backup_sector, sector_size));
  // Read here once and by whoever reads the entries once more.
  PVHGRUB_TRY(budget.charge_bytes(2 * (check.primary.entries_bytes + check.backup.entries_bytes),
                                  "reading the partition table of " + name));
  return check;
}

}  // namespace

Result<GptCheck> find_gpt(BlockSource& disk, const std::string& name, std::uint32_t reported,
                          Budget& budget) {
  std::vector<std::uint32_t> sizes;
  if (reported != 0) sizes.push_back(reported);
  for (const std::uint32_t size : kSectorSizes)
    if (size != reported) sizes.push_back(size);

  std::optional<GptCheck> best;
  for (const std::uint32_t size : sizes) {
    PVHGRUB_TRY_ASSIGN(GptCheck check, check_gpt(disk, name, size, budget));
    if (check.usable()) return check;
    if (!best || (!best->signature() && check.signature())) best = std::move(check);
  }
  return std::move(*best);
}

}  // namespace pvhgrub::fs
