// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/legacy_device.h"

#include <algorithm>
#include <optional>

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

void read_partition(std::string_view partition, LegacyDevice& device) {
  const std::optional<std::uint32_t> number = whole_number(partition.substr(0, partition.find(',')));
  const std::size_t comma = partition.find(',');
  const bool has_slice = comma != std::string_view::npos ||
                         (partition.size() == 1 && partition.front() >= 'a' && partition.front() <= 'h');
  if (has_slice) {
    device.error = "BSD slices are not looked into";
    device.is_foreign = true;
  } else if (!number || *number > kHighestPartition) {
    device.error = "it is no device name of GRUB Legacy";
  } else {
    device.name += "," + std::to_string(*number + 1);
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
  for (const fs::Device& device : devices->devices()) {
    // "hd0,gpt1" and "hd0,msdos5"; a partition inside a partition has a second comma, and is none of ours.
    const std::size_t comma = device.name.find(',');
    std::string plain = device.name;
    if (comma != std::string::npos)
      plain.erase(comma + 1, std::min(plain.find_first_of("0123456789", comma), plain.size()) - comma - 1);
    names_.emplace(std::move(plain), device.name);
  }
}

std::string ListedDevices::full_name(const std::string& name) const {
  const auto found = names_.find(name);
  return found != names_.end() ? found->second : name;
}

}  // namespace pvhgrub::grubcfg
