// SPDX-License-Identifier: LGPL-2.1-or-later
// What DiskSet has behind its devices; for its own sources only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fsreaders/disk_set.h"
#include "fsreaders/loopback_source.h"
#include "fsreaders/partition_source.h"

namespace pvhgrub::fs {

/// What is behind one device. Mounted at the first question.
struct DiskSet::Slot {
  BlockSource* source =
      nullptr;  ///< the disk, partition.get() or the volume; nullptr: a volume that cannot be read
  std::unique_ptr<BlockSource> partition;
  std::unique_ptr<FileSystem> file_system;
  std::optional<Error> error;                     ///< why there is no file system
  std::optional<std::uint32_t> appliance_number;  ///< of the appliance's file system
  bool holds_table = false;                       ///< a partition table, beside which only ISO 9660 may lie
  bool untold = false;  ///< the error was known before anybody asked, and is to be told who does
};

/// A file opened as a disk.
struct DiskSet::Loopback {
  std::string wanted_name;  ///< what GRUB's script calls it
  std::string device;       ///< where the file lies
  std::string path;
  unsigned depth = 1;  ///< 1 on a disk of the request, one more in each other
  std::unique_ptr<LoopbackSource> source;
  std::vector<Device> devices;  ///< the disk, then its partitions
  std::vector<std::unique_ptr<Slot>> slots;
};

[[nodiscard]] inline Device whole_disk(const std::string& name, std::uint64_t size,
                                       const PartitionTable& table) {
  Device device;
  device.name = name;
  device.size = size;
  device.disk_uuid = table.disk_uuid;
  return device;
}

[[nodiscard]] inline Device partition_device(const std::string& disk, const Partition& partition) {
  Device device;
  device.name = disk + "," + partition.name;
  if (!partition.begins_as.empty()) device.begins_as = disk + "," + partition.begins_as;
  device.partition_uuid = partition.uuid;
  device.partition_type = partition.type;
  device.partition_label = partition.label;
  device.size = partition.size;
  device.partition_attributes = partition.attributes;
  return device;
}

/// What is behind a partition; `Slot` is DiskSet's own.
template <typename Slot>
[[nodiscard]] std::unique_ptr<Slot> partition_slot(BlockSource& disk, const Partition& partition,
                                                   const std::string& name) {
  auto slot = std::make_unique<Slot>();
  slot->partition = std::make_unique<PartitionSource>(disk, partition.offset, partition.size, name);
  slot->source = slot->partition.get();
  return slot;
}

}  // namespace pvhgrub::fs
