// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/loader_command_line.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::size_t kHexEscapeBytes = 4;

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void append_word(std::string& line, std::string_view word, bool passes_hex_escapes) {
  const bool quoted = word.find(' ') != std::string_view::npos;
  if (quoted) line += '"';
  while (!word.empty()) {
    std::size_t length = 1;
    if (passes_hex_escapes && begins_with_hex_escape(word)) {
      length = kHexEscapeBytes;
    } else if (word.front() == '\\' || word.front() == '\'' || word.front() == '"') {
      line += '\\';
    }
    line += word.substr(0, length);
    word.remove_prefix(length);
  }
  if (quoted) line += '"';
}

}  // namespace

bool begins_with_hex_escape(std::string_view text) {
  return text.size() >= kHexEscapeBytes && text[0] == '\\' && text[1] == 'x' && is_hex_digit(text[2]) &&
         is_hex_digit(text[3]);
}

std::string make_loader_command_line(std::span<const std::string> words, bool passes_hex_escapes) {
  std::string line;
  for (const std::string& word : words) {
    if (&word != &words.front()) line += ' ';
    append_word(line, word, passes_hex_escapes);
  }
  return line;
}

}  // namespace pvhgrub::grubcfg
