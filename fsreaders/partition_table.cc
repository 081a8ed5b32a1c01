// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_table.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/partition_gpt_header.h"
#include "fsreaders/partition_libfdisk.h"
#include "fsreaders/partition_msdos.h"

namespace pvhgrub::fs {
namespace {

/// Sector sizes that Linux block devices of guests have.
constexpr std::array<std::uint32_t, 2> kSectorSizes = {512, 4096};

/// What the two GPT headers say, for one size of sectors.
struct GptCheck {
  std::uint32_t sector_size = 512;
  std::uint64_t last_sector = 0;
  GptHeaderCheck primary;
  GptHeaderCheck backup;

  [[nodiscard]] bool usable() const { return primary.usable() || backup.usable(); }
  [[nodiscard]] bool signature() const { return primary.signature || backup.signature; }
};

/// The headers that libfdisk and Linux look at: the primary, and the backup where the primary says that it
/// is, or in the last sector where the primary is damaged. (Both trust a primary that is right about the
/// backup's place, so a disk that has grown since keeps its table.)
Result<GptCheck> check_gpt(Disk& disk, std::uint32_t sector_size, Budget& budget) {
  GptCheck check;
  check.sector_size = sector_size;
  if (disk.size() < std::uint64_t{2} * sector_size) {
    check.primary.problem = check.backup.problem = "would lie past the disk's end";
    return check;
  }
  check.last_sector = disk.size() / sector_size - 1;
  PVHGRUB_TRY_ASSIGN(check.primary, check_gpt_header(disk, kGptPrimarySector, sector_size));
  const std::uint64_t backup_sector =
      check.primary.usable() ? check.primary.alternate_sector : check.last_sector;
  PVHGRUB_TRY_ASSIGN(check.backup, check_gpt_header(disk, backup_sector, sector_size));
  // Read here once and by libfdisk once more.
  PVHGRUB_TRY(budget.charge_bytes(2 * (check.primary.entries_bytes + check.backup.entries_bytes),
                                  "reading the partition table of " + disk.name()));
  return check;
}

/// Finds the size of sectors by which the disk's GPT counts: first that of the device, then the other ones,
/// since an image file does not tell and a disk may have moved to a device of another kind (GRUB tries all of
/// them, too).
Result<GptCheck> find_gpt(Disk& disk, Budget& budget) {
  const std::uint32_t reported = disk.input().sector_size;
  std::vector<std::uint32_t> sizes;
  if (reported != 0) sizes.push_back(reported);
  for (const std::uint32_t size : kSectorSizes)
    if (size != reported) sizes.push_back(size);

  std::optional<GptCheck> best;
  for (const std::uint32_t size : sizes) {
    PVHGRUB_TRY_ASSIGN(GptCheck check, check_gpt(disk, size, budget));
    if (check.usable()) return check;
    if (!best || (!best->signature() && check.signature())) best = std::move(check);
  }
  return std::move(*best);
}

std::unexpected<Error> damaged_gpt(const Disk& disk, const GptCheck& check) {
  return fail(ErrorCode::kDamaged,
              "the partition table is damaged: the protective MBR promises a GPT, but its primary header " +
                  check.primary.problem + ", and its backup header in sector " +
                  std::to_string(check.last_sector) + " " + check.backup.problem +
                  "; restore the table (gdisk's recovery menu) or the image",
              disk.name());
}

void note_gpt(const Disk& disk, const GptCheck& check, std::vector<std::string>& notes) {
  if (!check.primary.usable())
    notes.push_back("the primary GPT header " + check.primary.problem +
                    "; the backup was used (in the guest, 'sgdisk -e' or gdisk writes the primary anew)");
  else if (!check.backup.usable())
    notes.push_back("the backup GPT header " + check.backup.problem +
                    "; the primary is good and was used (in the guest, 'sgdisk -e' writes the backup anew)");
  const std::uint32_t reported = disk.input().sector_size;
  if (reported != 0 && reported != check.sector_size)
    notes.push_back("the partition table counts in sectors of " + std::to_string(check.sector_size) +
                    " bytes, but the device has sectors of " + std::to_string(reported) +
                    ": Linux in the guest will find no partitions on it");
}

/// One of libfdisk's partitions in bytes; nothing, with a note, where it cannot be one.
std::optional<Partition> convert(const Disk& disk, const TableEntry& entry, const PartitionTable& table,
                                 std::vector<std::string>& notes) {
  const std::string name = disk.name() + "," + std::string(table.kind_name()) + std::to_string(entry.number);
  const auto number = checked_cast<unsigned>(entry.number);
  const auto offset = checked_multiply<std::uint64_t>(entry.start, table.sector_size);
  const auto size = checked_multiply<std::uint64_t>(entry.sectors, table.sector_size);
  if (!number || !offset || !size || *size == 0 || !checked_add(*offset, *size)) {
    notes.push_back(name + " is left out: its entry says that it begins at sector " +
                    std::to_string(entry.start) + " and has " + std::to_string(entry.sectors) + " sectors");
    return std::nullopt;
  }
  if (*offset >= disk.size()) {
    notes.push_back(name + " is left out: it begins at byte " + std::to_string(*offset) +
                    ", past the disk's end at byte " + std::to_string(disk.size()) +
                    " (was the image cut short?)");
    return std::nullopt;
  }
  // GRUB reads what is there of a partition that is cut, and so do we: what is missing fails when it is read.
  if (*offset + *size > disk.size())
    notes.push_back(name + " reaches to byte " + std::to_string(*offset + *size) +
                    ", past the disk's end at byte " + std::to_string(disk.size()) +
                    " (was the image cut short?)");
  Partition partition;
  partition.number = *number;
  partition.offset = *offset;
  partition.size = *size;
  partition.type = entry.type;
  partition.uuid = entry.uuid;
  partition.label = entry.label;
  partition.bootable = entry.bootable;
  return partition;
}

/// Linux's PARTUUID of an MBR partition: the disk signature in eight digits, the number in two, in base 16.
std::string msdos_uuid(std::uint32_t disk_signature, unsigned number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (disk_signature == 0) return {};
  std::string text;
  for (unsigned shift = 32; shift > 0; shift -= 4) text += kDigits[(disk_signature >> (shift - 4)) & 0xF];
  text += '-';
  text += kDigits[(number >> 4) & 0xF];
  text += kDigits[number & 0xF];
  return text;
}

Result<LibfdiskTable> ask_libfdisk(const Disk& disk, std::uint32_t sector_size) {
  PVHGRUB_TRY_ASSIGN(LibfdiskTable found, read_with_libfdisk(disk, sector_size));
  // Where ioctl(2) is denied, libfdisk searches for a block device's end by reading: a bad sector misleads
  // it.
  if (found.sectors != disk.size() / sector_size)
    return fail(ErrorCode::kIo,
                "libfdisk found " + std::to_string(found.sectors) + " sectors of " +
                    std::to_string(sector_size) + " bytes on a disk of " + std::to_string(disk.size()) +
                    " bytes: either the disk has bad sectors or its size has changed just now",
                disk.name());
  std::sort(found.partitions.begin(), found.partitions.end(),
            [](const TableEntry& a, const TableEntry& b) { return a.number < b.number; });
  return found;
}

Result<void> add_partitions(const Disk& disk, const std::vector<TableEntry>& found, Budget& budget,
                            PartitionTable& table) {
  PVHGRUB_TRY(budget.charge_steps(found.size(), "reading the partition table of " + disk.name()));
  for (const TableEntry& entry : found) {
    if (table.partitions.size() == limits::kPartitions) {
      table.notes.push_back("only the first " + std::to_string(limits::kPartitions) + " partitions of " +
                            disk.name() + " are used");
      break;
    }
    if (auto partition = convert(disk, entry, table, table.notes))
      table.partitions.push_back(std::move(*partition));
  }
  return {};
}

Result<PartitionTable> read_gpt(Disk& disk, const MbrEntry& protective_entry, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const GptCheck check, find_gpt(disk, budget));
  if (!check.usable()) return damaged_gpt(disk, check);
  PartitionTable table;
  table.kind = PartitionTable::Kind::kGpt;
  table.sector_size = check.sector_size;
  PVHGRUB_TRY_ASSIGN(const LibfdiskTable found, ask_libfdisk(disk, check.sector_size));
  if (found.label_type != "gpt")
    return fail(ErrorCode::kDamaged,
                "libfdisk does not take the disk's GPT for one, although its header is good", disk.name());
  if (protective_entry.start != kGptPrimarySector)
    table.notes.push_back("the MBR's entry of type 0xee begins at sector " +
                          std::to_string(protective_entry.start) +
                          " instead of 1: GRUB takes the disk for a GPT one, Linux in the guest will not");
  note_gpt(disk, check, table.notes);
  PVHGRUB_TRY(add_partitions(disk, found.partitions, budget, table));
  return table;
}

Result<PartitionTable> read_msdos(Disk& disk, const Mbr& mbr, Budget& budget) {
  PartitionTable table;
  if (disk.input().sector_size != 0) table.sector_size = disk.input().sector_size;
  PVHGRUB_TRY_ASSIGN(LibfdiskTable found, ask_libfdisk(disk, table.sector_size));
  // libfdisk takes an AIX boot record (magic in front of an MBR) for no table, as Linux does.
  if (found.label_type != "dos") return table;
  table.kind = PartitionTable::Kind::kMsdos;
  // libfdisk follows a chain that runs in a circle, takes a sector without magic for a part of it, ends with
  // the 60th partition and reads one extended partition only. It speaks up in each of these cases; then
  // Linux's rules decide.
  if (found.spoke) {
    std::erase_if(found.partitions, [](const TableEntry& entry) { return entry.number > 4; });
    PVHGRUB_TRY_ASSIGN(std::vector<TableEntry> logical,
                       read_logical_partitions(disk, mbr, table.sector_size, budget, table.notes));
    std::move(logical.begin(), logical.end(), std::back_inserter(found.partitions));
  }
  std::erase_if(found.partitions, [&mbr](const TableEntry& entry) {
    return entry.extended || entry.sectors == 0 ||
           (entry.number <= 4 && mbr.entries[entry.number - 1].extended());
  });
  PVHGRUB_TRY(add_partitions(disk, found.partitions, budget, table));
  for (Partition& partition : table.partitions)
    partition.uuid = msdos_uuid(mbr.disk_signature, partition.number);
  return table;
}

/// A table without partitions; with a note where there is a GPT that its missing protective MBR hides.
Result<PartitionTable> no_table(Disk& disk) {
  PartitionTable table;
  if (disk.input().sector_size != 0) table.sector_size = disk.input().sector_size;
  for (const std::uint32_t size : kSectorSizes) {
    std::array<std::byte, 8> magic{};
    if (!range_inside<std::uint64_t>(size, magic.size(), disk.size())) continue;
    PVHGRUB_TRY(disk.read_at(size, magic));
    if (as_text(magic) == "EFI PART")
      table.notes.push_back(
          "there is a GPT header, but no protective MBR, so that neither GRUB nor Linux uses that GPT; "
          "'sgdisk' writes a new protective MBR");
  }
  return table;
}

}  // namespace

std::string_view PartitionTable::kind_name() const {
  switch (kind) {
    case Kind::kGpt:
      return "gpt";
    case Kind::kMsdos:
      return "msdos";
    case Kind::kNone:
      break;
  }
  return {};
}

Result<PartitionTable> read_partition_table(Disk& disk, Budget& budget) {
  if (disk.input().has_offset || disk.size() < kBootRecordBytes) return PartitionTable{};
  std::array<std::byte, kBootRecordBytes> sector{};
  PVHGRUB_TRY(disk.read_at(0, sector));
  PVHGRUB_TRY_ASSIGN(const std::optional<Mbr> mbr, parse_boot_record(sector));
  if (!mbr || is_without_partitions(*mbr)) return no_table(disk);
  if (const MbrEntry* protective_entry = mbr->protective_entry())
    return read_gpt(disk, *protective_entry, budget);
  return read_msdos(disk, *mbr, budget);
}

}  // namespace pvhgrub::fs
