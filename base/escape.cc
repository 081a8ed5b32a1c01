// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/escape.h"

#include <array>
#include <cstdint>

namespace pvhgrub {

// Unicode 15, table 3-7: well-formed UTF-8 byte sequences.
CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  std::size_t length = 0;
  std::uint32_t value = 0;
  std::uint32_t minimum = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2, value = first & 0x1FU, minimum = 0x80;
  } else if ((first & 0xF0U) == 0xE0) {
    length = 3, value = first & 0x0FU, minimum = 0x800;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4, value = first & 0x07U, minimum = 0x10000;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3FU);
  }
  if (value < minimum || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {static_cast<char32_t>(value), length};
}

// Controls (C0, DEL, C1) drive terminals; line and paragraph separators break logs; bidirectional and
// invisible formatting characters make text look like what it is not (Unicode TR36, section 2.11).
bool is_harmless(char32_t value) {
  if (value < 0x20 || (value >= 0x7F && value < 0xA0)) return false;
  if (value >= 0x200B && value <= 0x200F) return false;
  if (value >= 0x2028 && value <= 0x202E) return false;
  if (value >= 0x2060 && value <= 0x206F) return false;
  return value != 0xFEFF && value != 0x00AD && value != 0x061C;
}

namespace {

void append_hex(std::string& out, std::string_view run) {
  static constexpr std::array<char, 17> kDigits{"0123456789abcdef"};
  for (const char character : run) {
    const auto byte = static_cast<std::uint8_t>(character);
    out += "\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0x0FU];
  }
}

}  // namespace

std::string escape_for_terminal(std::string_view text, std::size_t maximum) {
  std::string out;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const std::string_view run = text.substr(0, point.length == 0 ? 1 : point.length);
    std::string piece;
    if (run == "\\")
      piece = "\\\\";
    else if (point.length != 0 && is_harmless(point.value))
      piece = run;
    else
      append_hex(piece, run);
    if (out.size() + piece.size() > maximum) return out + "...";
    out += piece;
    text.remove_prefix(run.size());
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    if (point.length == 0) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    if (point.length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, point.length);
      text.remove_prefix(point.length);
    }
  }
  return out;
}

}  // namespace pvhgrub
