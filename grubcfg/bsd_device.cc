// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bsd_device.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace pvhgrub::grubcfg {

namespace {

constexpr std::uint32_t kLetters = 26;

std::string_view disk_of(std::string_view device) {
  return device.substr(0, device.find(','));
}

/// What stands behind the last comma: "bsd2"; empty for a whole disk.
std::string_view innermost(std::string_view device) {
  const std::size_t comma = device.rfind(',');
  return comma == std::string_view::npos ? std::string_view() : device.substr(comma + 1);
}

std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::optional<char> bsd_letter(std::string_view device) {
  std::string_view name = innermost(device);
  for (const std::string_view map : std::array<std::string_view, 3>{"bsd", "netbsd", "openbsd"}) {
    if (!name.starts_with(map)) continue;
    name.remove_prefix(map.size());
    const std::optional<std::uint32_t> number = take_number(name);
    if (!number || !name.empty() || *number == 0 || *number > kLetters) return std::nullopt;
    return static_cast<char>('a' + (*number - 1));
  }
  return std::nullopt;
}

bool is_in_bsd_slice(const fs::Devices& devices, std::string_view device, std::uint32_t slice) {
  const std::string slice_name = std::string(disk_of(device)) + ",msdos" + std::to_string(slice);
  if (device.starts_with(slice_name + ",")) return true;
  const fs::Device* const found = devices.device(slice_name);
  if (found == nullptr) return false;
  const std::string_view own = innermost(device);
  return (own.starts_with("netbsd") && found->partition_type == "0xa9") ||
         (own.starts_with("openbsd") && found->partition_type == "0xa6");
}

std::vector<std::string> bsd_partitions(const fs::Devices& devices, std::string_view disk, char letter,
                                        std::optional<std::uint32_t> slice) {
  std::vector<std::string> found;
  for (const fs::Device& device : devices.devices())
    if (disk_of(device.name) == disk && bsd_letter(device.name) == letter &&
        (!slice || is_in_bsd_slice(devices, device.name, *slice)))
      found.push_back(device.name);
  return found;
}

bool has_bsd_label(const fs::Devices& devices, std::string_view disk) {
  return std::ranges::any_of(devices.devices(), [disk](const fs::Device& device) {
    return disk_of(device.name) == disk && bsd_letter(device.name);
  });
}

std::optional<std::string> freebsd_device(const fs::Devices& devices, std::string_view name) {
  if (name.ends_with(':')) name.remove_suffix(1);
  constexpr std::string_view kDisk = "disk";
  if (!name.starts_with(kDisk)) return std::nullopt;
  name.remove_prefix(kDisk.size());
  const std::optional<std::uint32_t> unit = take_number(name);
  if (!unit) return std::nullopt;
  const std::string disk = "hd" + std::to_string(*unit);
  std::optional<std::uint32_t> slice;
  std::string partition = disk;
  if (name.starts_with('s') || name.starts_with('p')) {
    const std::string map = name.front() == 's' ? ",msdos" : ",gpt";
    name.remove_prefix(1);
    slice = take_number(name);
    if (!slice) return std::nullopt;
    partition += map + std::to_string(*slice);
  }
  if (name.empty()) {
    const fs::Device* const device = devices.device(partition);
    return device != nullptr ? std::optional(device->name) : std::nullopt;
  }
  if (name.size() != 1 || name.front() < 'a' || name.front() > 'z') return std::nullopt;
  const std::vector<std::string> found = bsd_partitions(devices, disk, name.front(), slice);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

}  // namespace pvhgrub::grubcfg
