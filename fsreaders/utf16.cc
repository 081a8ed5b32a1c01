// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/utf16.h"

#include <cstddef>

#include "base/escape.h"

namespace pvhgrub::fs {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

void append_utf8(std::string& text, char32_t character) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (character < 0x80) {
    text += byte(character);
  } else if (character < 0x800) {
    text += byte(0xC0 | (character >> 6));
    text += byte(0x80 | (character & 0x3F));
  } else if (character < 0x1'0000) {
    text += byte(0xE0 | (character >> 12));
    text += byte(0x80 | ((character >> 6) & 0x3F));
    text += byte(0x80 | (character & 0x3F));
  } else {
    text += byte(0xF0 | (character >> 18));
    text += byte(0x80 | ((character >> 12) & 0x3F));
    text += byte(0x80 | ((character >> 6) & 0x3F));
    text += byte(0x80 | (character & 0x3F));
  }
}

}  // namespace

std::string utf8_of_utf16(Bytes bytes) {
  std::string text;
  char32_t high = 0;  // the first half of a pair, waiting for the second
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto unit = static_cast<char32_t>(std::to_integer<unsigned>(bytes[i]) |
                                            (std::to_integer<unsigned>(bytes[i + 1]) << 8));
    const bool is_low = unit >= 0xDC00 && unit < 0xE000;
    if (high != 0 && is_low) {
      append_utf8(text, 0x1'0000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
      continue;
    }
    if (high != 0) append_utf8(text, kReplacement);
    high = 0;
    if (unit == 0) return text;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high = unit;
    } else {
      append_utf8(text, is_low ? kReplacement : unit);
    }
  }
  if (high != 0) append_utf8(text, kReplacement);
  return text;
}

std::optional<std::u16string> utf16_of_utf8(std::string_view text) {
  if (!is_utf8(text)) return std::nullopt;
  std::u16string units;
  units.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    // Well-formed: the first byte tells how many follow.
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t character = length == 1 ? first : first & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k)
      character = (character << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    i += length;
    if (character < 0x1'0000) {
      units += static_cast<char16_t>(character);
      continue;
    }
    units += static_cast<char16_t>(0xD800 + ((character - 0x1'0000) >> 10U));
    units += static_cast<char16_t>(0xDC00 + ((character - 0x1'0000) & 0x3FFU));
  }
  return units;
}

}  // namespace pvhgrub::fs
