// SPDX-License-Identifier: LGPL-2.1-or-later
// The volumes of a DiskSet: which devices they are made of, and which devices they become.
#include <algorithm>
#include <utility>

#include "base/volume_limits.h"
#include "fsreaders/device_name.h"
#include "fsreaders/disk_set_slot.h"
#include "fsreaders/lvm_volumes.h"
#include "fsreaders/md_arrays.h"

namespace pvhgrub::fs {

std::string DiskSet::by_name(std::string_view device_name) const {
  const std::string_view disk = disk_of_device(device_name);
  const auto found = volume_names_.find(disk);
  if (found == volume_names_.end()) return std::string(device_name);
  return found->second + std::string(device_name.substr(disk.size()));
}

std::vector<VolumeCandidate> DiskSet::volume_candidates(bool with_partitioned) const {
  std::vector<VolumeCandidate> candidates;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    const std::string& name = devices_[i].name;
    // What lies on a member of an array, lies on the array.
    if (slots_[i]->source == nullptr || !devices_[i].begins_as.empty() || is_volume_member(name)) continue;
    const bool partitioned = i + 1 < devices_.size() && devices_[i + 1].name.starts_with(name + ",");
    if (!partitioned || with_partitioned) candidates.push_back({name, slots_[i]->source});
  }
  return candidates;
}

bool DiskSet::is_volume_member(std::string_view device_name) const {
  return members_.contains(device_name) || members_.contains(disk_of_device(device_name));
}

// Arrays of partitions and disks, then volume groups on all of them: what lies the other way round is not
// looked for.
Result<void> DiskSet::add_volumes() {
  PVHGRUB_TRY_ASSIGN(AssembledVolumes arrays, assemble_md(volume_candidates(true), budget_));
  PVHGRUB_TRY(add(std::move(arrays)));
  // LVM makes no disk with a partition table a physical volume.
  PVHGRUB_TRY_ASSIGN(AssembledVolumes groups, assemble_lvm(volume_candidates(false), budget_));
  return add(std::move(groups));
}

Result<void> DiskSet::add(AssembledVolumes assembled) {
  std::ranges::move(assembled.sources, std::back_inserter(volumes_));
  if (notes_)
    for (auto& [device, text] : assembled.notes) notes_(device, text);
  for (auto& [device, text] : assembled.members) {
    if (const Found found = find(device); found.slot != nullptr && !text.empty())
      found.slot->error = Error{ErrorCode::kUnsupported, text, device, 0};
    members_.emplace(device, std::move(text));
  }
  for (const Volume& volume : assembled.volumes) {
    if (volume_names_.size() >= limits::kVolumes) {
      if (notes_)
        notes_(volume.name, "only the first " + std::to_string(limits::kVolumes) + " volumes can be used");
      break;
    }
    PVHGRUB_TRY(add_volume(volume));
  }
  return {};
}

Result<void> DiskSet::add_volume(const Volume& volume) {
  // GRUB's way to tell volumes with the same name apart.
  std::string name = volume.name;
  const bool ends_in_digit = name.back() >= '0' && name.back() <= '9';
  for (std::size_t number = 1; find(name).slot != nullptr; ++number)
    name = volume.name + (ends_in_digit ? "_" : "") + std::to_string(number);
  if (name != volume.name && notes_)
    notes_(volume.name, "two volumes have this name; the second is called " + name);
  volume_names_.emplace(volume.id_name, name);

  auto whole = std::make_unique<Slot>();
  whole->source = volume.source;
  whole->error = volume.problem;
  whole->untold = volume.problem.has_value();
  PartitionTable table;
  if (volume.source != nullptr) {
    auto read = read_image_partition_table(*volume.source, name, budget_);
    if (read) {
      table = std::move(*read);
      whole->holds_table = table.kind != PartitionTable::Kind::kNone;
    } else if (read.error().code == ErrorCode::kLimit) {
      return std::unexpected(std::move(read).error());
    } else {
      note(at(name, std::move(read).error()));
    }
  }
  devices_.push_back(whole_disk(name, volume.size, table));
  slots_.push_back(std::move(whole));
  for (const Partition& partition : table.partitions) {
    devices_.push_back(partition_device(name, partition));
    slots_.push_back(partition_slot<Slot>(*volume.source, partition, devices_.back().name));
  }
  return {};
}

}  // namespace pvhgrub::fs
