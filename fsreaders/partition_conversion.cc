// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_conversion.h"

#include "base/checked.h"

namespace pvhgrub::fs {

std::optional<Partition> convert_entry(const TablePlace& place, const TableEntry& entry,
                                       std::vector<std::string>& notes) {
  Partition partition;
  partition.name = place.prefix + std::to_string(entry.number);
  const std::string name = place.disk_name + "," + partition.name;
  const auto number = checked_cast<unsigned>(entry.number);
  auto offset = checked_multiply<std::uint64_t>(entry.start, place.sector_size);
  if (offset) offset = checked_add(*offset, place.base);
  const auto size = checked_multiply<std::uint64_t>(entry.sectors, place.sector_size);
  if (!number || !offset || !size || *size == 0 || !checked_add(*offset, *size)) {
    notes.push_back(name + " is left out: its entry says that it begins at sector " +
                    std::to_string(entry.start) + " and has " + std::to_string(entry.sectors) + " sectors");
    return std::nullopt;
  }
  const std::uint64_t disk_size = place.disk.size();
  if (*offset >= disk_size) {
    notes.push_back(name + " is left out: it begins at byte " + std::to_string(*offset) +
                    ", past the disk's end at byte " + std::to_string(disk_size) +
                    " (was the image cut short?)");
    return std::nullopt;
  }
  // GRUB reads what is there of a partition that is cut, and so do we: what is missing fails when it is read.
  if (*offset + *size > disk_size)
    notes.push_back(name + " reaches to byte " + std::to_string(*offset + *size) +
                    ", past the disk's end at byte " + std::to_string(disk_size) +
                    " (was the image cut short?)");
  partition.number = *number;
  partition.offset = *offset;
  partition.size = *size;
  partition.type = entry.type;
  partition.uuid = entry.uuid;
  partition.label = entry.label;
  partition.attributes = entry.attributes;
  partition.bootable = entry.bootable;
  return partition;
}

}  // namespace pvhgrub::fs
