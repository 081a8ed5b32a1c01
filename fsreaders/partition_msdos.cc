// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_msdos.h"

#include <algorithm>
#include <string_view>

#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::fs {
namespace {

constexpr std::size_t kDiskSignatureOffset = 440;
constexpr std::size_t kEntriesOffset = 446;
constexpr std::size_t kMagicOffset = 510;
constexpr std::uint16_t kMagic = 0xAA55;
constexpr std::uint8_t kProtectiveType = 0xEE;

/// Follows one extended partition's chain of boot records.
class Chain {
 public:
  Chain(BlockSource& disk, const std::string& name, const MbrEntry& extended, std::uint32_t sector_size,
        std::vector<TableEntry>& found)
      : disk_(disk), name_(name), extended_(extended), sector_size_(sector_size), found_(found) {}

  Result<void> follow(Budget& budget, std::vector<std::string>& notes) {
    std::uint64_t sector = extended_.start;
    std::uint64_t sectors = extended_.sectors;
    while (found_.size() < limits::kPartitions) {
      PVHGRUB_TRY(budget.charge_steps(1, "following the logical partitions of " + name_));
      if (std::find(visited_.begin(), visited_.end(), sector) != visited_.end()) {
        notes.push_back("the chain of logical partitions runs in a circle at sector " +
                        std::to_string(sector) + ": it is taken to end there, with number " +
                        std::to_string(4 + found_.size()));
        return {};
      }
      // More records than partitions are allowed: a chain of empty records is as endless as a circle.
      if (visited_.size() == 2 * limits::kPartitions) {
        notes.push_back("the chain of logical partitions is longer than any real one: the rest is left out");
        return {};
      }
      visited_.push_back(sector);
      const auto record = read_record(sector, notes);
      if (!record) return {};
      const MbrEntry* link = nullptr;
      for (std::size_t i = 0; i < record->entries.size(); ++i) {
        const MbrEntry& entry = record->entries[i];
        if (entry.sectors == 0) continue;
        if (entry.extended()) {
          if (link == nullptr) link = &entry;
        } else if (i < 2 || lies_inside(entry, sector, sectors)) {
          add(entry, sector);
        }
      }
      if (link == nullptr) return {};
      sector = std::uint64_t{extended_.start} + link->start;
      sectors = link->sectors;
    }
    return {};
  }

 private:
  /// The boot record in `sector`; nothing, with a note unless it is only not one, where the chain ends.
  std::optional<Mbr> read_record(std::uint64_t sector, std::vector<std::string>& notes) {
    const std::uint64_t offset = sector * sector_size_;  // 33 bits times at most 17
    if (!range_inside<std::uint64_t>(offset, kBootRecordBytes, disk_.size())) {
      notes.push_back("the chain of logical partitions leads to sector " + std::to_string(sector) +
                      ", past the disk's end (was the image cut short?)");
      return std::nullopt;
    }
    std::array<std::byte, kBootRecordBytes> bytes{};
    if (auto read = disk_.read_at(offset, bytes); !read) {
      notes.push_back("the chain of logical partitions cannot be followed: " + read.error().describe());
      return std::nullopt;
    }
    auto record = parse_boot_record(bytes);
    return record ? *record : std::nullopt;
  }

  /// What the third and fourth entry must be to count: some systems leave rubbish there.
  [[nodiscard]] bool lies_inside(const MbrEntry& entry, std::uint64_t sector, std::uint64_t sectors) const {
    const std::uint64_t begin = sector + entry.start;
    const std::uint64_t extended_end = std::uint64_t{extended_.start} + extended_.sectors;
    return std::uint64_t{entry.start} + entry.sectors <= sectors && begin >= extended_.start &&
           begin + entry.sectors <= extended_end;
  }

  void add(const MbrEntry& entry, std::uint64_t sector) {
    TableEntry partition;
    partition.number = 5 + found_.size();
    partition.start = sector + entry.start;
    partition.sectors = entry.sectors;
    partition.type = msdos_type_name(entry.type);
    partition.bootable = entry.flag == 0x80;
    found_.push_back(std::move(partition));
  }

  BlockSource& disk_;
  const std::string& name_;
  const MbrEntry& extended_;
  std::uint64_t sector_size_;
  std::vector<TableEntry>& found_;
  std::vector<std::uint64_t> visited_;
};

}  // namespace

const MbrEntry* Mbr::protective_entry() const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [](const MbrEntry& entry) { return entry.type == kProtectiveType; });
  return found != entries.end() ? &*found : nullptr;
}

Result<std::optional<Mbr>> parse_boot_record(Bytes sector) {
  ByteReader reader(sector);
  PVHGRUB_TRY(reader.seek(kMagicOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint16_t magic, reader.little_endian<std::uint16_t>());
  if (magic != kMagic) return std::nullopt;
  Mbr mbr;
  PVHGRUB_TRY(reader.seek(kDiskSignatureOffset));
  PVHGRUB_TRY_ASSIGN(mbr.disk_signature, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.seek(kEntriesOffset));
  for (MbrEntry& entry : mbr.entries) {
    PVHGRUB_TRY_ASSIGN(entry.flag, reader.little_endian<std::uint8_t>());
    PVHGRUB_TRY(reader.skip(3));  // first sector as cylinder, head, sector
    PVHGRUB_TRY_ASSIGN(entry.type, reader.little_endian<std::uint8_t>());
    PVHGRUB_TRY(reader.skip(3));  // last sector as cylinder, head, sector
    PVHGRUB_TRY_ASSIGN(entry.start, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(entry.sectors, reader.little_endian<std::uint32_t>());
  }
  return mbr;
}

bool is_without_partitions(const Mbr& mbr) {
  const auto& entries = mbr.entries;
  return std::any_of(entries.begin(), entries.end(),
                     [](const MbrEntry& e) { return (e.flag & 0x7F) != 0; }) ||
         std::none_of(entries.begin(), entries.end(), [](const MbrEntry& e) { return e.sectors != 0; });
}

std::vector<TableEntry> primary_partitions(const Mbr& mbr) {
  std::vector<TableEntry> found;
  for (std::size_t i = 0; i < mbr.entries.size(); ++i) {
    const MbrEntry& entry = mbr.entries[i];
    TableEntry partition;
    partition.number = i + 1;
    partition.start = entry.start;
    partition.sectors = entry.sectors;
    partition.type = msdos_type_name(entry.type);
    partition.bootable = entry.flag == 0x80;
    partition.extended = entry.extended();
    found.push_back(std::move(partition));
  }
  return found;
}

Result<std::vector<TableEntry>> read_logical_partitions(BlockSource& disk, const std::string& name,
                                                        const Mbr& mbr, std::uint32_t sector_size,
                                                        Budget& budget, std::vector<std::string>& notes) {
  std::vector<TableEntry> found;
  for (const MbrEntry& entry : mbr.entries)
    if (entry.extended() && entry.sectors != 0)
      PVHGRUB_TRY(Chain(disk, name, entry, sector_size, found).follow(budget, notes));
  return found;
}

std::string msdos_type_name(unsigned type) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'0', 'x', kDigits[(type >> 4) & 0xF], kDigits[type & 0xF]};
}

}  // namespace pvhgrub::fs
