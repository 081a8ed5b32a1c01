// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/boot_partitions.h"

#include <algorithm>
#include <utility>

#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// "hd0," of "hd0,gpt2": what the partitions of one disk begin with.
std::string_view disk_prefix(std::string_view device) {
  return device.substr(0, device.find(',') + 1);
}

/// The directory two steps above: "/boot" of "/boot/loader/entries".
std::string grandparent(std::string path) {
  for (int step = 0; step < 2; ++step) path.resize(std::min(path.rfind('/'), path.size()));
  return path;
}

}  // namespace

BootPartition boot_partition_kind(const fs::Device& device) {
  const std::string& type = device.partition_type;
  if (type == "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" || type == "0xef") return BootPartition::kEsp;
  if (type == "bc13c2ff-59e6-4262-a352-b275fd6f7172" || type == "0xea") return BootPartition::kXbootldr;
  return BootPartition::kNone;
}

std::vector<BootPlace> boot_places(const fs::Devices* devices, const ConfigurationSource& source) {
  std::vector<BootPlace> places = {{source.device, grandparent(source.path), BootPartition::kNone}};
  if (devices == nullptr) return places;
  const std::vector<fs::Device>& all = devices->devices();
  const auto own = std::ranges::find(all, source.device, &fs::Device::name);
  if (own == all.end()) return places;
  places.front().kind = boot_partition_kind(*own);
  const std::string_view disk = disk_prefix(source.device);
  if (places.front().kind == BootPartition::kNone || disk.empty()) return places;
  const BootPartition wanted =
      places.front().kind == BootPartition::kEsp ? BootPartition::kXbootldr : BootPartition::kEsp;
  const auto other = std::ranges::find_if(all, [&](const fs::Device& device) {
    return device.name.starts_with(disk) && boot_partition_kind(device) == wanted;
  });
  if (other != all.end()) places.push_back({other->name, "", wanted});
  return places;
}

Result<FileReference> find_in_place(GuestFiles files, const BootPlace& place,
                                    std::initializer_list<std::string_view> names) {
  FileReference found{place.device, place.base};
  bool exists = true;
  for (const std::string_view name : names) {
    std::string step(name);
    if (exists) {
      PVHGRUB_TRY_ASSIGN(std::vector<fs::DirectoryEntry> entries,
                         files.list({found.device, found.path.empty() ? "/" : found.path}));
      std::erase_if(entries,
                    [&](const fs::DirectoryEntry& entry) { return !equal_ignoring_case(entry.name, name); });
      // The name as it is written, else the first in order, so that the answer never depends on the disk's.
      const auto best = std::ranges::min_element(entries, {}, [&](const fs::DirectoryEntry& entry) {
        return std::pair(entry.name != name, entry.name);
      });
      exists = best != entries.end();
      if (exists) step = best->name;
    }
    found.path += "/" + step;
  }
  return found;
}

}  // namespace pvhgrub::grubcfg
