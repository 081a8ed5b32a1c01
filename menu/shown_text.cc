// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/shown_text.h"

#include <algorithm>
#include <cwchar>

#include "base/escape.h"
#include "base/limits.h"

namespace pvhgrub::menu {
namespace {

constexpr std::u32string_view kMore = U"...";

/// 0 or less for what takes no cell of its own: a mark that would be put onto another character.
int cells(char32_t character) {
  if (character < 0x7F) return 1;
  return wcwidth(static_cast<wchar_t>(character));
}

std::u32string hexadecimal(std::string_view bytes) {
  constexpr std::u32string_view kDigits = U"0123456789abcdef";
  std::u32string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += U"\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0x0FU];
  }
  return out;
}

}  // namespace

std::vector<ShownPiece> shown_pieces(std::string_view text, bool utf8, int tab_width) {
  std::vector<ShownPiece> pieces;
  pieces.reserve(text.size());
  for (std::size_t offset = 0; offset < text.size();) {
    const CodePoint point = decode_utf8(text.substr(offset));
    ShownPiece piece{offset, point.length == 0 ? 1 : point.length, {}, 0};
    if (point.length == 1 && point.value == '\t' && tab_width > 0) {
      piece.shown.assign(static_cast<std::size_t>(tab_width), U' ');
    } else if (point.length != 0 && is_harmless(point.value) && (point.value < 0x7F || utf8) &&
               cells(point.value) > 0) {
      piece.shown.assign(1, point.value);
      piece.width = cells(point.value);
    } else {
      piece.shown = hexadecimal(text.substr(offset, piece.length));
    }
    if (piece.width == 0) piece.width = static_cast<int>(piece.shown.size());
    offset += piece.length;
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::u32string shown_text(std::string_view text, bool utf8, int tab_width) {
  const std::string_view seen = text.substr(0, limits::kShownTextBytes);
  std::u32string out;
  for (const ShownPiece& piece : shown_pieces(seen, utf8, tab_width)) out += piece.shown;
  if (seen.size() < text.size()) out += kMore;
  return out;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t newline = text.find('\n');
  const std::size_t end = std::min({newline, text.size(), limits::kScreenLineBytes});
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + (newline == end ? 1 : 0));
  return line;
}

int width_of(std::u32string_view shown) {
  int width = 0;
  for (const char32_t character : shown) width += cells(character);
  return width;
}

std::u32string cut_to_width(std::u32string_view shown, int columns, std::u32string_view more) {
  if (width_of(shown) <= columns) return std::u32string(shown);
  if (width_of(more) >= columns) more = {};
  const int room = columns - width_of(more);
  std::u32string out;
  int width = 0;
  for (const char32_t character : shown) {
    if (width + cells(character) > room) break;
    width += cells(character);
    out += character;
  }
  return out + std::u32string(more);
}

std::vector<std::u32string> wrap(std::u32string_view shown, int columns, std::size_t most_lines) {
  std::vector<std::u32string> lines;
  if (columns < 1) columns = 1;
  do {
    if (lines.size() + 1 == most_lines) {
      lines.push_back(cut_to_width(shown, columns, kMore));
      break;
    }
    std::u32string line = cut_to_width(shown, columns);
    if (line.empty() && !shown.empty()) line = shown.substr(0, 1);  // wider than the whole line
    if (line.size() < shown.size() && shown[line.size()] != U' ') {
      const std::size_t blank = line.rfind(U' ');
      if (blank != std::u32string::npos && blank > 0) line.resize(blank + 1);
    }
    shown.remove_prefix(line.size());
    while (!shown.empty() && shown.front() == U' ' && !line.empty() && line.back() != U' ')
      shown.remove_prefix(1);
    lines.push_back(std::move(line));
  } while (!shown.empty() && lines.size() < most_lines);
  return lines;
}

void append_utf8(std::string& text, char32_t character) {
  const auto value = static_cast<std::uint32_t>(character);
  const auto byte = [&text](std::uint32_t bits) {
    text += static_cast<char>(static_cast<unsigned char>(bits));
  };
  if (value < 0x80) {
    byte(value);
  } else if (value < 0x800) {
    byte(0xC0U | (value >> 6));
    byte(0x80U | (value & 0x3FU));
  } else if (value < 0x10000) {
    byte(0xE0U | (value >> 12));
    byte(0x80U | ((value >> 6) & 0x3FU));
    byte(0x80U | (value & 0x3FU));
  } else {
    byte(0xF0U | (value >> 18));
    byte(0x80U | ((value >> 12) & 0x3FU));
    byte(0x80U | ((value >> 6) & 0x3FU));
    byte(0x80U | (value & 0x3FU));
  }
}

}  // namespace pvhgrub::menu
