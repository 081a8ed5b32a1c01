// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/boot_counter.h"

#include <charconv>

#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// The decimal number that the text begins with, taken off it; no value where there is none that fits.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::int32_t number = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return static_cast<std::uint32_t>(number);
}

}  // namespace

CountedName split_boot_counter(std::string_view file_name, std::string_view suffix) {
  CountedName plain{std::string(file_name), std::nullopt};
  const std::size_t plus = file_name.rfind('+');
  if (plus == std::string_view::npos) return plain;
  std::string_view rest = file_name.substr(plus + 1);
  const std::optional<std::uint32_t> left = take_number(rest);
  if (!left) return plain;
  std::optional<std::uint32_t> done = 0;
  if (rest.starts_with('-')) {
    rest.remove_prefix(1);
    done = take_number(rest);
  }
  if (!done || !equal_ignoring_case(rest, suffix)) return plain;
  return {std::string(file_name.substr(0, plus)) + std::string(suffix), BootCounter{*left, *done}};
}

}  // namespace pvhgrub::grubcfg
