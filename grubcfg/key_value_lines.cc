// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/key_value_lines.h"

#include <algorithm>

namespace pvhgrub::grubcfg {

namespace {

std::string_view without_blanks_around(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace

KeyValueLines::KeyValueLines(std::string_view text, std::string_view separators)
    : text_(text.substr(0, text.find('\0'))), separators_(separators) {}

std::optional<KeyValueLine> KeyValueLines::next() {
  while (!text_.empty()) {
    const std::size_t end = std::min(text_.find_first_of("\r\n"), text_.size());
    const std::string_view line = without_blanks_around(text_.substr(0, end));
    text_.remove_prefix(end);
    if (text_.starts_with("\r\n")) text_.remove_prefix(1);
    if (!text_.empty()) text_.remove_prefix(1);
    ++number_;
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t separator = line.find_first_of(separators_);
    if (separator == std::string_view::npos) return KeyValueLine{line, std::nullopt, number_};
    std::string_view value = line.substr(separator);
    value.remove_prefix(std::min(value.find_first_not_of(separators_), value.size()));
    if (!value.empty() && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, std::max<std::size_t>(value.size(), 2) - 2);
    return KeyValueLine{line.substr(0, separator), value, number_};
  }
  return std::nullopt;
}

}  // namespace pvhgrub::grubcfg
