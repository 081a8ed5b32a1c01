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

std::string_view leading_letters(std::string_view text) {
  return text.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(text, is_letter) - text.begin()));
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
  std::string normal = normal_disk_name(disk);
  std::string_view rest = name.substr(disk.size());
  // Each partition lies in the one before.
  while (rest.starts_with(',') && (rest.size() > 1 || normal.find(',') == std::string::npos)) {
    rest.remove_prefix(1);
    const std::string_view map = leading_letters(rest);
    rest.remove_prefix(map.size());
    const std::optional<std::uint32_t> number = take_number(rest);
    if (!number) return std::string(name);
    normal += "," + std::string(map) + std::to_string(*number);
  }
  return normal;
}

std::string_view partition_map_of_device(std::string_view name) {
  const std::size_t comma = name.rfind(',');
  if (comma == std::string_view::npos) return {};
  return leading_letters(name.substr(comma + 1));
}

bool is_name_of_device(std::string_view name, std::string_view device) {
  return is_normal_name_of_device(normal_device_name(name), device);
}

bool is_normal_name_of_device(std::string_view name, std::string_view device) {
  if (name == device) return true;
  // The disk counts as a whole: a volume's name has a '-' where others have numbers.
  const std::string_view disk = disk_of_device(device);
  if (disk_of_device(name) != disk) return false;
  std::string_view wanted = name.substr(disk.size());
  std::string_view found = device.substr(disk.size());
  while (!wanted.empty() && !found.empty()) {
    wanted.remove_prefix(1);
    found.remove_prefix(1);
    const std::string_view own = found.substr(0, found.find(','));
    const std::string_view part = wanted.substr(0, wanted.find(','));
    if (part != own && part != own.substr(leading_letters(own).size())) return false;
    wanted.remove_prefix(part.size());
    found.remove_prefix(own.size());
  }
  return wanted.empty() && found.empty();
}

}  // namespace pvhgrub::fs
