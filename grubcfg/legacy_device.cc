// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/legacy_device.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "grubcfg/bsd_device.h"
#include "grubcfg/legacy_parser.h"

namespace pvhgrub::grubcfg {

namespace {

/// What GRUB Legacy takes: drives are BIOS numbers (hd0 is 0x80) in one byte, partitions are counted up to
/// 254.
constexpr std::uint32_t kFirstHardDisk = 0x80;
constexpr std::uint32_t kHardDisks = 0x80;
constexpr std::uint32_t kHighestPartition = 254;

std::optional<std::uint32_t> whole_number(std::string_view text) {
  const std::optional<std::uint32_t> number = take_legacy_number(text);
  return text.empty() ? number : std::nullopt;
}

/// Fills in the disk's name; false, with the error, where there is none.
bool read_drive(std::string_view drive, std::string_view root, LegacyDevice& device) {
  if (drive.empty()) {
    device.name = root.substr(0, root.find(','));
    if (device.name.empty()) device.error = "no root device is set";
    return device.error.empty();
  }
  if (drive.starts_with("fd") || drive == "nd" || drive == "cd") {
    device.error = "a guest has no " + std::string(drive.starts_with("fd") ? "floppy disk"
                                                   : drive == "nd"         ? "network disk"
                                                                           : "CD drive of a BIOS");
    device.is_foreign = true;
    return false;
  }
  std::optional<std::uint32_t> number;
  if (drive.starts_with("hd")) {
    number = whole_number(drive.substr(2));
  } else if (const auto bios = whole_number(drive); bios && *bios >= kFirstHardDisk) {
    number = *bios - kFirstHardDisk;
  }
  if (number && *number < kHardDisks) {
    device.name = "hd" + std::to_string(*number);
  } else {
    device.error = "it is no device name of GRUB Legacy";
  }
  return device.error.empty();
}

/// Partition a of a BSD label is 1 in GRUB 2; GRUB Legacy knows eight of them.
std::optional<std::uint32_t> label_partition(std::string_view text) {
  if (text.size() != 1 || text.front() < 'a' || text.front() > 'h') return std::nullopt;
  return static_cast<std::uint32_t>(text.front() - 'a') + 1;
}

// "0", "0,a": partition a of the BSD label in the first slice, "a": of the first such label.
void read_partition(std::string_view partition, LegacyDevice& device) {
  if (const auto letter = label_partition(partition)) {
    device.name += ",bsd" + std::to_string(*letter);
    return;
  }
  const std::size_t comma = partition.find(',');
  const std::optional<std::uint32_t> number = whole_number(partition.substr(0, comma));
  const bool in_label = comma != std::string_view::npos;
  const auto letter = in_label ? label_partition(partition.substr(comma + 1)) : std::nullopt;
  if (!number || *number > kHighestPartition || in_label != letter.has_value()) {
    device.error = "it is no device name of GRUB Legacy";
  } else {
    device.name += "," + std::to_string(*number + 1);
    if (letter) device.name += "," + std::to_string(*letter);
  }
}

}  // namespace

LegacyDevice read_legacy_device(std::string_view text, std::string_view root) {
  LegacyDevice device;
  const bool has_parentheses = text.starts_with('(');
  const std::size_t end = has_parentheses ? text.find(')') : std::min(text.find(' '), text.size());
  if (end == std::string_view::npos) {
    device.written = text;
    device.length = text.size();
    device.error = "the `)' is missing";
    return device;
  }
  device.length = end + (has_parentheses ? 1 : 0);
  device.written = text.substr(0, device.length);
  const std::string_view inside = text.substr(has_parentheses ? 1 : 0, end - (has_parentheses ? 1 : 0));
  const std::size_t comma = inside.find(',');
  if (read_drive(inside.substr(0, comma), root, device) && comma != std::string_view::npos)
    read_partition(inside.substr(comma + 1), device);
  if (!device.error.empty()) device.name.clear();
  return device;
}

ListedDevices::ListedDevices(const fs::Devices* devices) {
  if (devices == nullptr) return;
  std::map<std::string, std::vector<std::string>> slices;  // by the disk and GRUB 2's name of their label
  for (const fs::Device& device : devices->devices()) {
    const std::string disk = device.name.substr(0, device.name.find(','));
    const std::string rest = device.name.substr(disk.size());
    std::string plain = disk;
    for (const char c : rest)
      if (c == ',' || (c >= '0' && c <= '9')) plain += c;
    names_.emplace(plain, device.name);
    if (device.partition_type == "0xa6") slices[disk + ",openbsd"].push_back(plain);
    if (device.partition_type == "0xa9") slices[disk + ",netbsd"].push_back(plain);
    const std::optional<char> letter = bsd_letter(device.name);
    if (!letter) continue;
    const std::string number = std::to_string(*letter - 'a' + 1);
    names_.emplace(disk + ",bsd" + number, device.name);
    for (const std::string& slice : slices[device.name.substr(0, device.name.size() - number.size())])
      names_.emplace(slice + "," + number, device.name);
  }
}

std::string ListedDevices::full_name(const std::string& name) const {
  const auto found = names_.find(name);
  return found != names_.end() ? found->second : name;
}

}  // namespace pvhgrub::grubcfg
