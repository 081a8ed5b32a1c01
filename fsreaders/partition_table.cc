// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_table.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/partition_gpt_header.h"
#include "fsreaders/partition_libfdisk.h"

namespace pvhgrub::fs {
namespace {

/// Bytes of the master boot record, in the first sector whatever the sector's size (UEFI 5.2.1, table 5-1).
constexpr std::size_t kMbrBytes = 512;
constexpr std::size_t kMbrSignatureOffset = 440;
constexpr std::size_t kMbrEntriesOffset = 446;
constexpr std::uint8_t kProtectiveType = 0xEE;
/// What libfdisk reads at most of an MBR and its chain of extended boot records (MAXIMUM_PARTS of its dos.c).
constexpr std::uint64_t kLibfdiskMsdosPartitions = 60;
/// Sector sizes that Linux block devices of guests have.
constexpr std::array<std::uint32_t, 2> kSectorSizes = {512, 4096};

struct MbrEntry {
  std::uint8_t flag = 0;
  std::uint8_t type = 0;
  std::uint32_t start = 0;  ///< sectors
  std::uint32_t sectors = 0;
};

struct Mbr {
  std::uint32_t disk_signature = 0;
  std::array<MbrEntry, 4> entries;

  [[nodiscard]] const MbrEntry* protective_entry() const {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [](const MbrEntry& entry) { return entry.type == kProtectiveType; });
    return found != entries.end() ? &*found : nullptr;
  }
};

/// The master boot record, or nothing where the first sector is none: no 55 AA, no entry in use, or bytes in
/// the entries' place that are no entries. The latter is a file system's boot sector (FAT, NTFS): GRUB and
/// Linux tell them apart by the same test, a flag byte other than 0x00 and 0x80.
Result<std::optional<Mbr>> parse_mbr(Bytes sector) {
  ByteReader reader(sector);
  Mbr mbr;
  PVHGRUB_TRY(reader.seek(kMbrBytes - 2));
  PVHGRUB_TRY_ASSIGN(const std::uint16_t signature, reader.little_endian<std::uint16_t>());
  if (signature != 0xAA55) return std::nullopt;
  PVHGRUB_TRY(reader.seek(kMbrSignatureOffset));
  PVHGRUB_TRY_ASSIGN(mbr.disk_signature, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.seek(kMbrEntriesOffset));
  bool used = false;
  for (MbrEntry& entry : mbr.entries) {
    PVHGRUB_TRY_ASSIGN(entry.flag, reader.little_endian<std::uint8_t>());
    PVHGRUB_TRY(reader.skip(3));  // first sector as cylinder, head, sector
    PVHGRUB_TRY_ASSIGN(entry.type, reader.little_endian<std::uint8_t>());
    PVHGRUB_TRY(reader.skip(3));  // last sector as cylinder, head, sector
    PVHGRUB_TRY_ASSIGN(entry.start, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(entry.sectors, reader.little_endian<std::uint32_t>());
    if ((entry.flag & 0x7F) != 0) return std::nullopt;
    used = used || (entry.type != 0 && entry.sectors != 0);
  }
  if (!used) return std::nullopt;
  return mbr;
}

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
std::optional<Partition> convert(const Disk& disk, const LibfdiskPartition& entry,
                                 const PartitionTable& table, std::vector<std::string>& notes) {
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

/// Drops a logical partition, and all that follow it, that begins where an earlier one does: the chain of
/// extended boot records ran into itself, which libfdisk follows until its table is full.
void end_at_loop(std::vector<LibfdiskPartition>& partitions, std::vector<std::string>& notes) {
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (partitions[i].number < 5) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if (partitions[j].number < 5 || partitions[j].start != partitions[i].start) continue;
      notes.push_back("the chain of logical partitions runs in a circle: only those before number " +
                      std::to_string(partitions[i].number) + " are used");
      partitions.resize(i);
      return;
    }
  }
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
            [](const LibfdiskPartition& a, const LibfdiskPartition& b) { return a.number < b.number; });
  return found;
}

Result<void> add_partitions(const Disk& disk, const std::vector<LibfdiskPartition>& found, Budget& budget,
                            PartitionTable& table) {
  PVHGRUB_TRY(budget.charge_steps(found.size(), "reading the partition table of " + disk.name()));
  for (const LibfdiskPartition& entry : found) {
    if (entry.extended) continue;
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
    return fail(
        ErrorCode::kDamaged,
        "the MBR's entry of type 0xee begins at sector " + std::to_string(protective_entry.start) +
            " instead of 1, so that Linux does not take the disk for a GPT one; 'sgdisk' writes a new "
            "protective MBR",
        disk.name());
  note_gpt(disk, check, table.notes);
  PVHGRUB_TRY(add_partitions(disk, found.partitions, budget, table));
  return table;
}

Result<PartitionTable> read_msdos(const Disk& disk, const Mbr& mbr, Budget& budget) {
  PartitionTable table;
  if (disk.input().sector_size != 0) table.sector_size = disk.input().sector_size;
  PVHGRUB_TRY_ASSIGN(LibfdiskTable found, ask_libfdisk(disk, table.sector_size));
  // libfdisk takes an AIX boot record (magic in front of an MBR) for no table, as Linux does.
  if (found.label_type != "dos") return table;
  table.kind = PartitionTable::Kind::kMsdos;
  for (std::string& warning : found.warnings) table.notes.push_back("libfdisk: " + std::move(warning));
  if (!found.partitions.empty() && found.partitions.back().number >= kLibfdiskMsdosPartitions)
    table.notes.push_back("more logical partitions than the " + std::to_string(kLibfdiskMsdosPartitions) +
                          " that libfdisk reads");
  end_at_loop(found.partitions, table.notes);
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
  if (disk.input().has_offset || disk.size() < kMbrBytes) return PartitionTable{};
  std::array<std::byte, kMbrBytes> sector{};
  PVHGRUB_TRY(disk.read_at(0, sector));
  PVHGRUB_TRY_ASSIGN(const std::optional<Mbr> mbr, parse_mbr(sector));
  if (!mbr) return no_table(disk);
  if (const MbrEntry* protective_entry = mbr->protective_entry())
    return read_gpt(disk, *protective_entry, budget);
  return read_msdos(disk, *mbr, budget);
}

}  // namespace pvhgrub::fs
