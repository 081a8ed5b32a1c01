// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/number.h"

#include <algorithm>
#include <limits>

namespace pvhgrub::grubcfg {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char letter = lower(c);
  if (letter >= 'a' && letter <= 'z') return static_cast<unsigned>(letter - 'a') + 10;
  return std::numeric_limits<unsigned>::max();
}

}  // namespace

ParsedNumber parse_number(std::string_view text, unsigned base) {
  std::size_t i = 0;
  while (i < text.size() && is_space(text[i])) ++i;
  if (base == 0 && i + 1 < text.size() && text[i] == '0') {
    if (text[i + 1] == 'x') {
      base = 16;
      i += 2;
    } else if (text[i + 1] >= '0' && text[i + 1] <= '7') {
      base = 8;
    }
  }
  if (base == 0) base = 10;
  ParsedNumber number;
  bool found = false;
  for (; i < text.size(); ++i) {
    const unsigned digit = digit_value(text[i]);
    if (digit >= base) break;
    found = true;
    if (__builtin_mul_overflow(number.value, std::uint64_t{base}, &number.value) ||
        __builtin_add_overflow(number.value, std::uint64_t{digit}, &number.value)) {
      number.value = std::numeric_limits<std::uint64_t>::max();
      number.status = kStatusOutOfRange;
      return number;
    }
  }
  number.rest = text.substr(std::min(i, text.size()));
  if (!found) number.status = kStatusBadNumber;
  return number;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace pvhgrub::grubcfg
