// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk_set.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/appliance_limits.h"
#include "base/limits.h"
#include "fsreaders/device_name.h"
#include "fsreaders/disk_container.h"
#include "fsreaders/disk_set_slot.h"
#include "fsreaders/disk_signature.h"

namespace pvhgrub::fs {

namespace {

/// `error` with the device in front, unless it is there already.
Error with_device(const std::string& device, Error error) {
  if (error.where == device || error.where.starts_with(device + ",") || error.where.starts_with(device + ":"))
    return error;
  return at(device, std::move(error));
}

Error no_known_format(const Device& device) {
  std::string message = "no known file system";
  if (!device.partition_type.empty()) message += " (partition type " + device.partition_type + ")";
  return Error{ErrorCode::kUnsupported, std::move(message), device.name, 0};
}

Error unreadable_format(const Device& device, const Format& format) {
  std::string message = "it holds " + std::string(format.name) + ", which this version cannot read";
  if (!format.remedy.empty()) message += "; " + std::string(format.remedy);
  return Error{ErrorCode::kUnsupported, std::move(message), device.name, 0};
}

}  // namespace

DiskSet::DiskSet(Budget& budget, NoteSink notes) : budget_(budget), notes_(std::move(notes)) {}

// A file opened as a disk may lie in a file system of one that was opened before it.
DiskSet::~DiskSet() {
  while (!loopbacks_.empty()) loopbacks_.pop_back();
}

Result<std::unique_ptr<DiskSet>> DiskSet::open(const std::vector<DiskInput>& inputs, Budget& budget,
                                               NoteSink notes) {
  if (inputs.empty()) return fail(ErrorCode::kInternal, "a set of no disks");
  std::unique_ptr<DiskSet> set(new DiskSet(budget, std::move(notes)));
  for (const DiskInput& input : inputs) PVHGRUB_TRY(set->add_disk(input, inputs.size() == 1));
  PVHGRUB_TRY(set->add_volumes());
  return set;
}

Result<void> DiskSet::add_disk(const DiskInput& input, bool only_disk) {
  const auto number = static_cast<std::uint32_t>(disks_.size());
  PVHGRUB_TRY_ASSIGN(std::unique_ptr<Disk> opened, Disk::open(input, number));
  Disk& disk = *disks_.emplace_back(std::move(opened));

  auto whole = std::make_unique<Slot>();
  whole->source = &disk;
  PartitionTable table;
  const Result<void> plain = check_no_container(disk);
  auto read = plain ? read_partition_table(disk, budget_) : std::unexpected(plain.error());
  if (read) {
    table = std::move(*read);
    whole->holds_table = table.kind != PartitionTable::Kind::kNone;
  } else {
    whole->error = with_device(disk.name(), std::move(read).error());
    const bool guest_is_at_fault =
        whole->error->code == ErrorCode::kDamaged || whole->error->code == ErrorCode::kUnsupported;
    if (only_disk || !guest_is_at_fault) return std::unexpected(*whole->error);
    note(*whole->error);
  }
  if (notes_)
    for (const std::string& text : table.notes) notes_(disk.name(), text);
  devices_.push_back(whole_disk(disk.name(), disk.size(), table));
  slots_.push_back(std::move(whole));
  for (const Partition& partition : table.partitions) {
    devices_.push_back(partition_device(disk.name(), partition));
    slots_.push_back(partition_slot<Slot>(disk, partition, devices_.back().name));
  }
  tables_.push_back(std::move(table));
  return {};
}

DiskSet::Found DiskSet::find(std::string_view device_name) const {
  const std::string name = normal_device_name(by_name(device_name));
  const auto in = [&](const std::vector<Device>& devices,
                      const std::vector<std::unique_ptr<Slot>>& slots) -> Found {
    for (std::size_t i = 0; i < devices.size(); ++i)
      if (is_normal_name_of_device(name, devices[i].name)) return {&devices[i], slots[i].get()};
    return {};
  };
  if (const Found found = in(devices_, slots_); found.slot != nullptr) return found;
  const Loopback* const loopback = loopback_of(device_name);
  return loopback != nullptr ? in(loopback->devices, loopback->slots) : Found();
}

const DiskSet::Loopback* DiskSet::loopback_of(std::string_view device_name) const {
  const std::string_view disk = disk_of_device(device_name);
  const auto found = std::ranges::find_if(
      loopbacks_, [&](const auto& other) { return other->devices.front().name == disk; });
  return found != loopbacks_.end() ? found->get() : nullptr;
}

const Device* DiskSet::device(std::string_view device_name) const {
  return find(device_name).device;
}

std::vector<const Device*> DiskSet::partitions(std::string_view disk_name) const {
  const Loopback* const loopback = loopback_of(disk_name);
  if (loopback == nullptr) return Devices::partitions(by_name(disk_name));
  std::vector<const Device*> found;
  for (std::size_t i = 1; i < loopback->devices.size(); ++i) found.push_back(&loopback->devices[i]);
  return found;
}

void DiskSet::note(const Error& error) const {
  if (!notes_) return;
  Error text = error;
  text.where.clear();
  notes_(error.where, text.describe());
}

std::vector<BlockSource*> DiskSet::other_sources(const Slot& slot) const {
  std::vector<BlockSource*> sources;
  const auto add = [&](const std::vector<Device>& devices, const std::vector<std::unique_ptr<Slot>>& slots) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      // What a part of a volume holds, the volume does.
      const bool counts =
          slots[i]->source != nullptr && devices[i].begins_as.empty() && !is_volume_member(devices[i].name);
      if (counts && slots[i].get() != &slot) sources.push_back(slots[i]->source);
    }
  };
  add(devices_, slots_);
  for (const auto& loopback : loopbacks_) add(loopback->devices, loopback->slots);
  return sources;
}

bool DiskSet::mount_by_appliance(const Device& device, Slot& slot) {
  if (appliance_ == nullptr || !slot.appliance_number) return false;
  slot.file_system = open_appliance_file_system(*appliance_, *slot.appliance_number,
                                                appliance_volumes_[*slot.appliance_number], budget_);
  slot.error.reset();
  if (notes_)
    for (const std::string& text : slot.file_system->notes()) notes_(device.name, text);
  return true;
}

void DiskSet::mount(const Device& device, Slot& slot) {
  if (appliance_reads_all_ && mount_by_appliance(device, slot)) return;
  // An image that is made for both discs and sticks has a table in the 32 KiB in front of ISO 9660. Any other
  // file system's magic is what a table was written over.
  if (slot.holds_table) {
    const Result<bool> iso9660 = holds_iso9660(*slot.source);
    if (!iso9660)
      slot.error = with_device(device.name, iso9660.error());
    else if (!*iso9660)
      slot.error = Error{ErrorCode::kUnsupported,
                         "the disk holds a partition table; its file systems are those of its partitions",
                         device.name, 0};
    if (slot.error) return;
  }
  const auto format = recognise_format(*slot.source);
  if (format && *format == nullptr) {
    if (mount_by_appliance(device, slot)) return;
    slot.error = no_known_format(device);  // an empty or foreign partition is nothing to tell about
    return;
  }
  if (!format) {
    slot.error = with_device(device.name, format.error());
  } else if ((*format)->open == nullptr && (*format)->open_of_devices == nullptr) {
    slot.error = unreadable_format(device, **format);
  } else if (auto mounted = (*format)->open != nullptr
                                ? (*format)->open(*slot.source, budget_)
                                : (*format)->open_of_devices(
                                      *slot.source, [this, &slot] { return other_sources(slot); }, budget_)) {
    slot.file_system = std::move(*mounted);
    if (notes_)
      for (const std::string& text : slot.file_system->notes()) notes_(device.name, text);
    return;
  } else {
    slot.error = with_device(device.name, std::move(mounted).error());
  }
  if (format && slot.error->code == ErrorCode::kUnsupported && !(*format)->no_files) {
    if (mount_by_appliance(device, slot)) return;
    lacks_reader_ = true;
  }
  note(*slot.error);
}

Result<void> DiskSet::use_appliance(Appliance& appliance, bool all) {
  PVHGRUB_TRY_ASSIGN(appliance_volumes_, appliance.file_systems());
  if (appliance_volumes_.size() > limits::kApplianceFileSystems)
    return fail(ErrorCode::kProtocol, "the appliance tells of too many file systems");
  appliance_ = &appliance;
  appliance_reads_all_ = all;
  for (std::uint32_t number = 0; number < appliance_volumes_.size(); ++number) {
    const ApplianceVolume& volume = appliance_volumes_[number];
    Slot* slot = find(volume.device).slot;
    if (slot == nullptr) {
      // A disk or partition that is not on the disks: a name that nobody could have asked for.
      if (!volume.device.starts_with("lvm/") && !volume.device.starts_with("md/")) continue;
      Device device;
      device.name = volume.device;
      devices_.push_back(std::move(device));
      slot = slots_.emplace_back(std::make_unique<Slot>()).get();
    }
    if (!slot->appliance_number) slot->appliance_number = number;
  }
  return {};
}

Result<FileSystem*> DiskSet::file_system(std::string_view device_name) {
  const Found found = find(device_name);
  if (found.slot == nullptr)
    return fail(ErrorCode::kNotFound, "there is no such device", std::string(device_name));
  Slot& slot = *found.slot;
  // A volume of a kind that could not be put together here.
  if (slot.source == nullptr && slot.file_system == nullptr && mount_by_appliance(*found.device, slot))
    slot.untold = false;
  if (!slot.error && slot.file_system == nullptr) mount(*found.device, slot);
  if (slot.untold) {
    slot.untold = false;
    if (slot.error->code == ErrorCode::kUnsupported) lacks_reader_ = true;
    note(*slot.error);
  }
  if (slot.error) return std::unexpected(*slot.error);
  return slot.file_system.get();
}

BlockSource* DiskSet::source(std::string_view device_name) {
  const Found found = find(device_name);
  return found.slot != nullptr ? found.slot->source : nullptr;
}

std::string DiskSet::free_name(std::string_view name) const {
  std::string base(name.empty() ? "loop" : name);
  // What would end the name, or make a partition of it.
  std::ranges::replace_if(base, [](char c) { return c == ',' || c == ')'; }, '_');
  // Of a disk's name only the number counts.
  if (base.starts_with("hd")) base = "loop_" + base;
  std::string free = base;
  for (std::size_t number = 2; find(free).slot != nullptr; ++number)
    free = base + ":" + std::to_string(number);
  return free;
}

Result<std::string> DiskSet::add_loopback(std::string_view name, std::string_view device,
                                          std::string_view path) {
  const Found origin = find(device);
  if (origin.slot == nullptr)
    return fail(ErrorCode::kNotFound, "there is no such device", std::string(device));
  const std::string& origin_name = origin.device->name;
  for (const auto& other : loopbacks_)
    if (other->wanted_name == name && other->device == origin_name && other->path == path)
      return other->devices.front().name;
  PVHGRUB_TRY_ASSIGN(FileSystem* const file_system_of_it, file_system(device));
  PVHGRUB_TRY_ASSIGN(std::unique_ptr<File> file, file_system_of_it->open(path));
  const Loopback* const outer = loopback_of(origin_name);
  auto loopback = std::make_unique<Loopback>();
  if (outer != nullptr) loopback->depth = outer->depth + 1;
  const std::string where = "(" + origin_name + ")" + std::string(path);
  if (loopback->depth > limits::kLoopbackDepth)
    return fail(ErrorCode::kUnsupported,
                "files opened as disks lie more than " + std::to_string(limits::kLoopbackDepth) +
                    " deep in one another",
                where);
  if (loopbacks_.size() >= limits::kLoopbackDisks)
    return fail(ErrorCode::kUnsupported,
                "more than " + std::to_string(limits::kLoopbackDisks) + " files are opened as disks", where);
  loopback->wanted_name = name;
  loopback->device = origin_name;
  loopback->path = path;
  std::string disk = free_name(name);
  loopback->source = std::make_unique<LoopbackSource>(std::move(file), disk);
  LoopbackSource& source = *loopback->source;
  // Without a table that can be read the whole may still hold a file system.
  PartitionTable table;
  if (auto read = read_image_partition_table(source, disk, budget_)) {
    table = std::move(*read);
  } else if (read.error().code != ErrorCode::kDamaged && read.error().code != ErrorCode::kUnsupported) {
    return std::unexpected(with_device(disk, std::move(read).error()));
  } else {
    note(with_device(disk, std::move(read).error()));
  }
  loopback->devices.push_back(whole_disk(disk, source.size(), table));
  loopback->slots.push_back(std::make_unique<Slot>());
  loopback->slots.back()->source = &source;
  for (const Partition& partition : table.partitions) {
    loopback->devices.push_back(partition_device(disk, partition));
    loopback->slots.push_back(partition_slot<Slot>(source, partition, loopback->devices.back().name));
  }
  loopbacks_.push_back(std::move(loopback));
  return disk;
}

Result<void> DiskSet::check_overwritable(std::string_view device_name) {
  const Found found = find(device_name);
  if (found.slot == nullptr || loopback_of(device_name) != nullptr || !found.device->name.starts_with("hd"))
    return fail(ErrorCode::kUnsupported,
                "it lies on neither a disk nor a partition, so not even GRUB could write it");
  PVHGRUB_TRY_ASSIGN(const bool mirrored, is_md_member_by_its_end(*found.slot->source));
  if (mirrored || is_volume_member(found.device->name))
    return fail(
        ErrorCode::kUnsupported,
        "it lies on a member of a Linux MD RAID or a part of another volume, whose other members would not "
        "get the change");
  return {};
}

}  // namespace pvhgrub::fs
