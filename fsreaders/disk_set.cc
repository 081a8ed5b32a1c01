// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk_set.h"

#include <cstdint>
#include <utility>

#include "fsreaders/disk_signature.h"
#include "fsreaders/partition_source.h"

namespace pvhgrub::fs {

/// What is behind one device. Mounted at the first question.
struct DiskSet::Slot {
  std::string short_name;         ///< "hd0,2" for "hd0,gpt2"; GRUB takes both
  BlockSource* source = nullptr;  ///< the disk, or partition.get()
  std::unique_ptr<BlockSource> partition;
  std::unique_ptr<FileSystem> file_system;
  std::optional<Error> error;  ///< why there is no file system
};

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
DiskSet::~DiskSet() = default;

Result<std::unique_ptr<DiskSet>> DiskSet::open(const std::vector<DiskInput>& inputs, Budget& budget,
                                               NoteSink notes) {
  if (inputs.empty()) return fail(ErrorCode::kInternal, "a set of no disks");
  std::unique_ptr<DiskSet> set(new DiskSet(budget, std::move(notes)));
  for (const DiskInput& input : inputs) PVHGRUB_TRY(set->add_disk(input, inputs.size() == 1));
  return set;
}

Result<void> DiskSet::add_disk(const DiskInput& input, bool only_disk) {
  const auto number = static_cast<std::uint32_t>(disks_.size());
  PVHGRUB_TRY_ASSIGN(std::unique_ptr<Disk> opened, Disk::open(input, number));
  Disk& disk = *disks_.emplace_back(std::move(opened));

  Slot whole;
  whole.source = &disk;
  whole.short_name = disk.name();
  PartitionTable table;
  if (auto read = read_partition_table(disk, budget_)) {
    table = std::move(*read);
    if (table.kind != PartitionTable::Kind::kNone)
      whole.error = Error{ErrorCode::kUnsupported,
                          "the disk holds a partition table; its file systems are those of its partitions",
                          disk.name(), 0};
  } else {
    whole.error = with_device(disk.name(), std::move(read).error());
    const bool guest_is_at_fault =
        whole.error->code == ErrorCode::kDamaged || whole.error->code == ErrorCode::kUnsupported;
    if (only_disk || !guest_is_at_fault) return std::unexpected(*whole.error);
    note(*whole.error);
  }
  if (notes_)
    for (const std::string& text : table.notes) notes_(disk.name(), text);
  devices_.push_back(Device{disk.name(), {}, {}, {}, disk.size()});
  slots_.push_back(std::move(whole));
  add_partitions(disk, table);
  tables_.push_back(std::move(table));
  return {};
}

void DiskSet::add_partitions(Disk& disk, const PartitionTable& table) {
  for (const Partition& partition : table.partitions) {
    const std::string number = std::to_string(partition.number);
    const std::string name = disk.name() + "," + std::string(table.kind_name()) + number;
    Slot slot;
    slot.short_name = disk.name() + "," + number;
    slot.partition = std::make_unique<PartitionSource>(disk, partition.offset, partition.size, name);
    slot.source = slot.partition.get();
    devices_.push_back(Device{name, partition.uuid, partition.type, partition.label, partition.size});
    slots_.push_back(std::move(slot));
  }
}

std::optional<std::size_t> DiskSet::find(std::string_view device_name) const {
  for (std::size_t i = 0; i < devices_.size(); ++i)
    if (devices_[i].name == device_name || slots_[i].short_name == device_name) return i;
  return std::nullopt;
}

void DiskSet::note(const Error& error) const {
  if (!notes_) return;
  Error text = error;
  text.where.clear();
  notes_(error.where, text.describe());
}

void DiskSet::mount(std::size_t index) {
  const Device& device = devices_[index];
  Slot& slot = slots_[index];
  const auto format = recognise_format(*slot.source);
  if (format && *format == nullptr) {
    slot.error = no_known_format(device);  // an empty or foreign partition is nothing to tell about
    return;
  }
  if (!format) {
    slot.error = with_device(device.name, format.error());
  } else if ((*format)->open == nullptr) {
    slot.error = unreadable_format(device, **format);
  } else if (auto mounted = (*format)->open(*slot.source, budget_)) {
    slot.file_system = std::move(*mounted);
    if (notes_)
      for (const std::string& text : slot.file_system->notes()) notes_(device.name, text);
    return;
  } else {
    slot.error = with_device(device.name, std::move(mounted).error());
  }
  note(*slot.error);
}

Result<FileSystem*> DiskSet::file_system(std::string_view device_name) {
  const auto index = find(device_name);
  if (!index) return fail(ErrorCode::kNotFound, "there is no such device", std::string(device_name));
  Slot& slot = slots_[*index];
  if (!slot.error && slot.file_system == nullptr) mount(*index);
  if (slot.error) return std::unexpected(*slot.error);
  return slot.file_system.get();
}

BlockSource* DiskSet::source(std::string_view device_name) {
  const auto index = find(device_name);
  return index ? slots_[*index].source : nullptr;
}

Result<void> DiskSet::check_overwritable(std::string_view device_name) {
  const auto index = find(device_name);
  if (!index || !devices_[*index].name.starts_with("hd"))
    return fail(ErrorCode::kUnsupported,
                "it lies on neither a disk nor a partition, so not even GRUB could write it");
  PVHGRUB_TRY_ASSIGN(const bool mirrored, is_md_member_by_its_end(*slots_[*index].source));
  if (mirrored)
    return fail(ErrorCode::kUnsupported,
                "it lies on a member of a Linux MD RAID, whose other members would not "
                "get the change");
  return {};
}

}  // namespace pvhgrub::fs
