// SPDX-License-Identifier: LGPL-2.1-or-later
// All disks of one request as GRUB would name them: hd0, hd0,gpt1, hd0,gpt2, hd1, ...; behind them the
// volumes that they hold: lvm/group-volume, md/0, md/0,gpt1, ...
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/appliance_file_system.h"
#include "fsreaders/disk.h"
#include "fsreaders/file_system.h"
#include "fsreaders/partition_table.h"
#include "fsreaders/volume.h"

namespace pvhgrub::fs {

/// Takes what the user should know although reading goes on. `where`: a device ("hd0", "hd0,gpt2"); `message`
/// may hold guest text.
using NoteSink = std::function<void(std::string where, std::string message)>;

class DiskSet final : public Devices {
 public:
  /// Opens the disks in order (hd0, hd1, ...) and reads their partition tables; mounts nothing. A disk of
  /// several whose table is damaged stays as a device without partitions, with a note; kIo, kLimit and a
  /// damaged only disk are errors. Volumes are put together; what is missing or damaged of them is a note, or
  /// the answer when they are asked for. `budget` and what `notes` refers to must outlive the set.
  [[nodiscard]] static Result<std::unique_ptr<DiskSet>> open(const std::vector<DiskInput>& inputs,
                                                             Budget& budget, NoteSink notes);
  ~DiskSet() override;

  /// From now on the file systems that no reader fits come from the appliance; `all`: all of them. Volumes
  /// that only it knows are added as devices, whose source() is nullptr. Waits until it has started. To be
  /// called once, before any file system is asked for; the appliance outlives the set.
  [[nodiscard]] Result<void> use_appliance(Appliance& appliance, bool all);
  /// Whether a device that was asked for holds what no reader fits, and an appliance might read.
  [[nodiscard]] bool lacks_reader() const { return lacks_reader_; }

  [[nodiscard]] const std::vector<Device>& devices() const override { return devices_; }
  [[nodiscard]] const Device* device(std::string_view device_name) const override;
  [[nodiscard]] std::vector<const Device*> partitions(std::string_view disk_name) const override;

  /// As Devices says. Mounted at the first call; a failure is kept as well, and sent to the NoteSink once,
  /// except where the device simply holds no file system.
  /// A disk with a partition table has one as a whole only where that is ISO 9660: images for both discs and
  /// sticks are so.
  [[nodiscard]] Result<FileSystem*> file_system(std::string_view device_name) override;

  [[nodiscard]] std::size_t disk_count() const { return tables_.size(); }
  /// The partition table of disk `number`, which is below disk_count().
  [[nodiscard]] const PartitionTable& partition_table(std::size_t number) const { return tables_.at(number); }
  [[nodiscard]] BlockSource* source(std::string_view device_name) override;
  [[nodiscard]] Result<void> check_overwritable(std::string_view device_name) override;
  /// Of a disk with a partition table the whole can be mounted as well: ISO images have both.
  [[nodiscard]] Result<std::string> add_loopback(std::string_view name, std::string_view device,
                                                 std::string_view path) override;

 private:
  struct Slot;
  struct Loopback;
  /// A device and what is behind it; both null where there is no such device.
  struct Found {
    const Device* device = nullptr;
    Slot* slot = nullptr;
  };
  DiskSet(Budget& budget, NoteSink notes);

  [[nodiscard]] Result<void> add_disk(const DiskInput& input, bool only_disk);
  [[nodiscard]] Found find(std::string_view device_name) const;
  [[nodiscard]] const Loopback* loopback_of(std::string_view device_name) const;
  /// The name that a disk of that name gets: itself, or with a number behind it where it is taken.
  [[nodiscard]] std::string free_name(std::string_view name) const;
  void mount(const Device& device, Slot& slot);
  /// By the appliance; false where it has none of that device.
  [[nodiscard]] bool mount_by_appliance(const Device& device, Slot& slot);
  /// Of all devices but `slot` that may hold a part of a file system.
  [[nodiscard]] std::vector<BlockSource*> other_sources(const Slot& slot) const;
  /// Puts together the volumes that lie on the disks and their partitions, and adds them as devices.
  [[nodiscard]] Result<void> add_volumes();
  [[nodiscard]] Result<void> add(AssembledVolumes assembled);
  [[nodiscard]] Result<void> add_volume(const Volume& volume);
  [[nodiscard]] std::vector<VolumeCandidate> volume_candidates(bool with_partitioned) const;
  /// Whether a device, or the disk that it is a partition of, is a part of a volume.
  [[nodiscard]] bool is_volume_member(std::string_view device_name) const;
  /// The name of the volume that `device_name` means by its UUID, or lies on; any other as it is.
  [[nodiscard]] std::string by_name(std::string_view device_name) const;
  void note(const Error& error) const;

  Budget& budget_;
  NoteSink notes_;
  std::vector<std::unique_ptr<Disk>> disks_;
  std::vector<std::unique_ptr<BlockSource>> volumes_;  ///< each lies on disks, partitions and those before it
  std::map<std::string, std::string, std::less<>>
      members_;  ///< devices that volumes lie on, and what they are
  std::map<std::string, std::string, std::less<>> volume_names_;  ///< by the name with the UUID
  std::vector<PartitionTable> tables_;                            ///< one a disk
  std::vector<Device> devices_;
  std::vector<std::unique_ptr<Slot>> slots_;  ///< one a device, in the same order
  std::vector<std::unique_ptr<Loopback>> loopbacks_;
  Appliance* appliance_ = nullptr;
  std::vector<ApplianceVolume> appliance_volumes_;
  bool appliance_reads_all_ = false;
  bool lacks_reader_ = false;
};

}  // namespace pvhgrub::fs
