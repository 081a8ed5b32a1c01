// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_table.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "fsreaders/partition_conversion.h"
#include "fsreaders/partition_gpt_entries.h"
#include "fsreaders/partition_gpt_header.h"
#include "fsreaders/partition_labels.h"
#include "fsreaders/partition_libfdisk.h"
#include "fsreaders/partition_msdos.h"
#include "fsreaders/partition_sun_label.h"

namespace pvhgrub::fs {
namespace {

/// What a table is read of.
struct TableDisk {
  BlockSource& source;
  std::string name;               ///< "hd0"
  std::uint32_t sector_size = 0;  ///< bytes of a logical sector as the device reports it; 0: not known

  [[nodiscard]] std::uint32_t likely_sector_size() const { return sector_size != 0 ? sector_size : 512; }
};

std::unexpected<Error> damaged_gpt(const TableDisk& disk, const GptCheck& check) {
  return fail(ErrorCode::kDamaged,
              "the partition table is damaged: the protective MBR promises a GPT, but its primary header " +
                  check.primary.problem + ", and its backup header in sector " +
                  std::to_string(check.last_sector) + " " + check.backup.problem +
                  "; restore the table (gdisk's recovery menu) or the image",
              disk.name);
}

void note_gpt(const TableDisk& disk, const GptCheck& check, std::vector<std::string>& notes) {
  if (!check.primary.usable())
    notes.push_back("the primary GPT header " + check.primary.problem +
                    "; the backup was used (in the guest, 'sgdisk -e' or gdisk writes the primary anew)");
  else if (!check.backup.usable())
    notes.push_back("the backup GPT header " + check.backup.problem +
                    "; the primary is good and was used (in the guest, 'sgdisk -e' writes the backup anew)");
  const std::uint32_t reported = disk.sector_size;
  if (reported != 0 && reported != check.sector_size)
    notes.push_back("the partition table counts in sectors of " + std::to_string(check.sector_size) +
                    " bytes, but the device has sectors of " + std::to_string(reported) +
                    ": Linux in the guest will find no partitions on it");
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

Result<void> add_partitions(const TableDisk& disk, const std::vector<TableEntry>& found, Budget& budget,
                            PartitionTable& table) {
  PVHGRUB_TRY(budget.charge_steps(found.size(), "reading the partition table of " + disk.name));
  const TablePlace place{disk.source, disk.name, std::string(table.kind_name()), table.sector_size};
  for (const TableEntry& entry : found) {
    if (table.partitions.size() == limits::kPartitions) {
      table.notes.push_back("only the first " + std::to_string(limits::kPartitions) + " partitions of " +
                            disk.name + " are used");
      break;
    }
    if (auto partition = convert_entry(place, entry, table.notes))
      table.partitions.push_back(std::move(*partition));
  }
  return {};
}

/// Reads the entries of the table whose GPT, or master boot record, was found good.
class EntryReader {
 public:
  EntryReader() = default;
  EntryReader(const EntryReader&) = delete;
  EntryReader& operator=(const EntryReader&) = delete;
  virtual ~EntryReader() = default;
  [[nodiscard]] virtual Result<std::vector<TableEntry>> gpt(const GptCheck& check) = 0;
  /// No value: this is no table after all.
  [[nodiscard]] virtual Result<std::optional<std::vector<TableEntry>>> msdos(
      const Mbr& mbr, std::vector<std::string>& notes) = 0;
  /// `label`: the entries as parse_sun_label() reads them.
  [[nodiscard]] virtual Result<std::vector<TableEntry>> sun(std::vector<TableEntry> label) = 0;
};

class LibfdiskReader final : public EntryReader {
 public:
  LibfdiskReader(Disk& disk, std::uint32_t sector_size, Budget& budget)
      : disk_(disk), sector_size_(sector_size), budget_(budget) {}

  Result<std::vector<TableEntry>> gpt(const GptCheck& check) override {
    PVHGRUB_TRY_ASSIGN(LibfdiskTable found, ask_libfdisk(disk_, check.sector_size));
    if (found.label_type != "gpt")
      return fail(ErrorCode::kDamaged,
                  "libfdisk does not take the disk's GPT for one, although its header is good", disk_.name());
    return std::move(found.partitions);
  }

  Result<std::optional<std::vector<TableEntry>>> msdos(const Mbr& mbr,
                                                       std::vector<std::string>& notes) override {
    PVHGRUB_TRY_ASSIGN(LibfdiskTable found, ask_libfdisk(disk_, sector_size_));
    // libfdisk takes an AIX boot record (magic in front of an MBR) for no table, as Linux does.
    if (found.label_type != "dos") return std::nullopt;
    // libfdisk follows a chain that runs in a circle, takes a sector without magic for a part of it, ends
    // with the 60th partition and reads one extended partition only. It speaks up in each of these cases;
    // then Linux's rules decide.
    if (found.spoke) {
      std::erase_if(found.partitions, [](const TableEntry& entry) { return entry.number > 4; });
      PVHGRUB_TRY_ASSIGN(std::vector<TableEntry> logical,
                         read_logical_partitions(disk_, disk_.name(), mbr, sector_size_, budget_, notes));
      std::move(logical.begin(), logical.end(), std::back_inserter(found.partitions));
    }
    return std::move(found.partitions);
  }

  Result<std::vector<TableEntry>> sun(std::vector<TableEntry> label) override {
    PVHGRUB_TRY_ASSIGN(LibfdiskTable found, ask_libfdisk(disk_, kSunSectorSize));
    // It has no use for a label without a table of contents of Solaris' kind, nor for a disk whose second
    // sector has the magic of a BSD label; GRUB does.
    if (found.label_type != "sun" || found.spoke) return label;
    std::erase_if(found.partitions, [](const TableEntry& entry) { return !is_sun_partition(entry); });
    return std::move(found.partitions);
  }

 private:
  Disk& disk_;
  std::uint32_t sector_size_;
  Budget& budget_;
};

class ImageReader final : public EntryReader {
 public:
  ImageReader(const TableDisk& disk, Budget& budget) : disk_(disk), budget_(budget) {}

  Result<std::vector<TableEntry>> gpt(const GptCheck& check) override {
    return read_gpt_entries(disk_.source, check);
  }

  Result<std::optional<std::vector<TableEntry>>> msdos(const Mbr& mbr,
                                                       std::vector<std::string>& notes) override {
    std::vector<TableEntry> found = primary_partitions(mbr);
    PVHGRUB_TRY_ASSIGN(
        std::vector<TableEntry> logical,
        read_logical_partitions(disk_.source, disk_.name, mbr, disk_.likely_sector_size(), budget_, notes));
    std::move(logical.begin(), logical.end(), std::back_inserter(found));
    return found;
  }

  Result<std::vector<TableEntry>> sun(std::vector<TableEntry> label) override { return label; }

 private:
  const TableDisk& disk_;
  Budget& budget_;
};

Result<PartitionTable> read_gpt(const TableDisk& disk, EntryReader& reader, const MbrEntry& protective_entry,
                                Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const GptCheck check, find_gpt(disk.source, disk.name, disk.sector_size, budget));
  if (!check.usable()) return damaged_gpt(disk, check);
  PartitionTable table;
  table.kind = PartitionTable::Kind::kGpt;
  table.sector_size = check.sector_size;
  table.disk_uuid = check.header().disk_uuid;
  PVHGRUB_TRY_ASSIGN(const std::vector<TableEntry> found, reader.gpt(check));
  if (protective_entry.start != kGptPrimarySector)
    table.notes.push_back("the MBR's entry of type 0xee begins at sector " +
                          std::to_string(protective_entry.start) +
                          " instead of 1: GRUB takes the disk for a GPT one, Linux in the guest will not");
  note_gpt(disk, check, table.notes);
  PVHGRUB_TRY(add_partitions(disk, found, budget, table));
  return table;
}

Result<PartitionTable> read_msdos(const TableDisk& disk, EntryReader& reader, const Mbr& mbr,
                                  Budget& budget) {
  PartitionTable table;
  table.sector_size = disk.likely_sector_size();
  PVHGRUB_TRY_ASSIGN(std::optional<std::vector<TableEntry>> found, reader.msdos(mbr, table.notes));
  if (!found) return table;
  table.kind = PartitionTable::Kind::kMsdos;
  std::erase_if(*found, [&mbr](const TableEntry& entry) {
    return entry.extended || entry.sectors == 0 ||
           (entry.number <= 4 && mbr.entries[entry.number - 1].extended());
  });
  PVHGRUB_TRY(add_partitions(disk, *found, budget, table));
  for (Partition& partition : table.partitions)
    partition.uuid = msdos_uuid(mbr.disk_signature, partition.number);
  return table;
}

Result<PartitionTable> read_sun(const TableDisk& disk, EntryReader& reader, std::vector<TableEntry> label,
                                Budget& budget) {
  PartitionTable table;
  table.kind = PartitionTable::Kind::kSun;
  table.sector_size = kSunSectorSize;
  PVHGRUB_TRY_ASSIGN(const std::vector<TableEntry> found, reader.sun(std::move(label)));
  PVHGRUB_TRY(add_partitions(disk, found, budget, table));
  return table;
}

/// A table without partitions; with a note where there is a GPT that its missing protective MBR hides.
Result<PartitionTable> no_table(const TableDisk& disk) {
  PartitionTable table;
  table.sector_size = disk.likely_sector_size();
  for (const std::uint32_t size : kSectorSizes) {
    std::array<std::byte, 8> magic{};
    if (!range_inside<std::uint64_t>(size, magic.size(), disk.source.size())) continue;
    PVHGRUB_TRY(disk.source.read_at(size, magic));
    if (as_text(magic) == "EFI PART")
      table.notes.push_back(
          "there is a GPT header, but no protective MBR, so that neither GRUB nor Linux uses that GPT; "
          "'sgdisk' writes a new protective MBR");
  }
  return table;
}

Result<PartitionTable> read_main_table(const TableDisk& disk, EntryReader& reader, Budget& budget) {
  std::array<std::byte, kBootRecordBytes> sector{};
  PVHGRUB_TRY(disk.source.read_at(0, sector));
  PVHGRUB_TRY_ASSIGN(const std::optional<Mbr> mbr, parse_boot_record(sector));
  if (!mbr || is_without_partitions(*mbr)) {
    PVHGRUB_TRY_ASSIGN(std::optional<std::vector<TableEntry>> sun_label, parse_sun_label(sector));
    return sun_label ? read_sun(disk, reader, std::move(*sun_label), budget) : no_table(disk);
  }
  if (const MbrEntry* protective_entry = mbr->protective_entry())
    return read_gpt(disk, reader, *protective_entry, budget);
  return read_msdos(disk, reader, *mbr, budget);
}

Result<PartitionTable> read_table(const TableDisk& disk, EntryReader& reader, Budget& budget) {
  if (disk.source.size() < kBootRecordBytes) return PartitionTable{};
  PVHGRUB_TRY_ASSIGN(PartitionTable table, read_main_table(disk, reader, budget));
  PVHGRUB_TRY(add_bsd_labels(disk.source, disk.name, budget, table));
  return table;
}

}  // namespace

std::string_view PartitionTable::kind_name() const {
  switch (kind) {
    case Kind::kGpt:
      return "gpt";
    case Kind::kMsdos:
      return "msdos";
    case Kind::kBsd:
      return "bsd";
    case Kind::kSun:
      return "sun";
    case Kind::kNone:
      break;
  }
  return {};
}

Result<PartitionTable> read_partition_table(Disk& disk, Budget& budget) {
  if (disk.input().has_offset) return PartitionTable{};
  const TableDisk table_disk{disk, disk.name(), disk.input().sector_size};
  LibfdiskReader reader(disk, table_disk.likely_sector_size(), budget);
  return read_table(table_disk, reader, budget);
}

Result<PartitionTable> read_image_partition_table(BlockSource& image, const std::string& name,
                                                  Budget& budget) {
  const TableDisk table_disk{image, name, 0};
  ImageReader reader(table_disk, budget);
  return read_table(table_disk, reader, budget);
}

}  // namespace pvhgrub::fs
