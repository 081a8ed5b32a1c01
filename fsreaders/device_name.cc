// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/device_name.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace pvhgrub::fs {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<unsigned> digit_value(char c, unsigned base) {
  unsigned value = base;
  if (is_digit(c)) value = static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') value = static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') value = static_cast<unsigned>(c - 'A') + 10;
  return value < base ? std::optional(value) : std::nullopt;
}

/// Takes a number off the text's beginning: after 0x in base 16, after 0 in base 8. No value where there are
/// no digits, or where no partition could have that number.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || (text.front() >= '\t' && text.front() <= '\r')))
    text.remove_prefix(1);
  unsigned base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '7') {
    base = 8;
  }
  std::uint64_t number = 0;
  bool any = false;
  for (; !text.empty() && digit_value(text.front(), base); text.remove_prefix(1)) {
    number = std::min<std::uint64_t>(number * base + *digit_value(text.front(), base), UINT32_MAX);
    any = true;
  }
  if (!any || number == UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

std::string normal_disk_name(std::string_view disk) {
  if (!disk.starts_with("hd") || disk.size() < 3 || !is_digit(disk[2])) return std::string(disk);
  std::string_view digits = disk.substr(2);
  digits =
      digits.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(digits, is_digit) - digits.begin()));
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return "hd" + std::string(digits);
}

}  // namespace

std::string_view disk_of_device(std::string_view name) {
  return name.substr(0, name.find(','));
}

std::string normal_device_name(std::string_view name) {
  const std::string_view disk = disk_of_device(name);
  if (disk.size() == name.size()) return normal_disk_name(disk);
  std::string_view rest = name.substr(disk.size() + 1);
  const auto map_end = std::ranges::find_if_not(rest, is_letter);
  const std::string_view map = rest.substr(0, static_cast<std::size_t>(map_end - rest.begin()));
  rest.remove_prefix(map.size());
  const std::optional<std::uint32_t> number = take_number(rest);
  // A partition of a partition, which none of our tables has.
  if (!number || (rest.starts_with(',') && rest.size() > 1)) return std::string(name);
  return normal_disk_name(disk) + "," + std::string(map) + std::to_string(*number);
}

std::string_view partition_map_of_device(std::string_view name) {
  const std::size_t comma = name.rfind(',');
  if (comma == std::string_view::npos) return {};
  const std::string_view partition = name.substr(comma + 1);
  const auto end = std::ranges::find_if_not(partition, is_letter);
  return partition.substr(0, static_cast<std::size_t>(end - partition.begin()));
}

bool is_name_of_device(std::string_view name, std::string_view device) {
  const std::string normal = normal_device_name(name);
  if (normal == device) return true;
  const std::string_view disk = disk_of_device(device);
  if (disk.size() == device.size()) return false;
  const std::string_view number = device.substr(disk.size() + 1 + partition_map_of_device(device).size());
  return normal == std::string(disk) + "," + std::string(number);
}

}  // namespace pvhgrub::fs
