// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/text_edit.h"

#include <algorithm>
#include <utility>

#include "base/escape.h"
#include "base/limits.h"
#include "menu/shown_text.h"

namespace pvhgrub::menu {

TextEdit::TextEdit(std::string_view text, bool single_line) : single_line_(single_line) {
  assign(text);
  if (!single_line) {
    line_ = 0;
    column_ = 0;
  }
}

void TextEdit::assign(std::string_view text) {
  lines_.assign(1, "");
  line_ = 0;
  column_ = 0;
  insert(text);
}

std::string TextEdit::text() const {
  std::string all = lines_.front();
  for (std::size_t i = 1; i < lines_.size(); ++i) all += "\n" + lines_[i];
  return all;
}

std::size_t TextEdit::size() const {
  std::size_t bytes = 0;
  for (const std::string& line : lines_) bytes += line.size() + 1;
  return bytes;
}

void TextEdit::insert(std::string_view text) {
  const std::size_t used = size();
  if (used >= limits::kEditedTextBytes) return;
  text = text.substr(0, limits::kEditedTextBytes - used);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines_[line_].insert(column_, text.substr(0, end));
    column_ += end;
    if (end < text.size() && !single_line_) break_line();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void TextEdit::break_line() {
  std::string rest = lines_[line_].substr(column_);
  lines_[line_].resize(column_);
  lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(line_) + 1, std::move(rest));
  ++line_;
  column_ = 0;
}

std::size_t TextEdit::previous(std::size_t column) const {
  const std::string_view line = lines_[line_];
  std::size_t at = 0;
  std::size_t before = 0;
  while (at < column) {
    before = at;
    const std::size_t length = decode_utf8(line.substr(at)).length;
    at += length == 0 ? 1 : length;
  }
  return before;
}

std::size_t TextEdit::next(std::size_t column) const {
  const std::string_view line = lines_[line_];
  if (column >= line.size()) return line.size();
  const std::size_t length = decode_utf8(line.substr(column)).length;
  return column + (length == 0 ? 1 : length);
}

std::size_t TextEdit::word_before() const {
  const std::string& line = lines_[line_];
  std::size_t at = column_;
  while (at > 0 && line[at - 1] == ' ') --at;
  while (at > 0 && line[at - 1] != ' ') --at;
  return at;
}

// The cursor stays in its column, as far as the other line goes, and never inside a character.
void TextEdit::to_line(std::size_t line) {
  line_ = line;
  const std::size_t wanted = std::min(column_, lines_[line_].size());
  std::size_t at = 0;
  while (at < wanted && next(at) <= wanted) at = next(at);
  column_ = at;
}

void TextEdit::left() {
  if (column_ > 0) {
    column_ = previous(column_);
  } else if (line_ > 0) {
    column_ = lines_[--line_].size();
  }
}

void TextEdit::right() {
  if (column_ < lines_[line_].size()) {
    column_ = next(column_);
  } else if (line_ + 1 < lines_.size()) {
    ++line_;
    column_ = 0;
  }
}

void TextEdit::remove() {
  if (column_ < lines_[line_].size()) {
    lines_[line_].erase(column_, next(column_) - column_);
  } else if (line_ + 1 < lines_.size()) {
    lines_[line_] += lines_[line_ + 1];
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(line_) + 1);
  }
}

void TextEdit::backspace() {
  if (column_ == 0 && line_ == 0) return;
  left();
  remove();
}

void TextEdit::kill(std::size_t from, std::size_t to) {
  killed_ = lines_[line_].substr(from, to - from);
  lines_[line_].erase(from, to - from);
  column_ = from;
}

// At a line's end the newline goes, as in Emacs.
void TextEdit::kill_line_end() {
  if (column_ < lines_[line_].size()) {
    kill(column_, lines_[line_].size());
  } else {
    killed_ = single_line_ ? "" : "\n";
    remove();
  }
}

bool TextEdit::move(const Key& key, std::size_t page) {
  using Kind = Key::Kind;
  if (key.is(Kind::kLeft) || key.is_control('b')) {
    left();
  } else if (key.is(Kind::kRight) || key.is_control('f')) {
    right();
  } else if (key.is(Kind::kHome) || key.is_control('a')) {
    column_ = 0;
  } else if (key.is(Kind::kEnd) || key.is_control('e')) {
    column_ = lines_[line_].size();
  } else {
    return !single_line_ && move_between_lines(key, page);
  }
  return true;
}

bool TextEdit::move_between_lines(const Key& key, std::size_t page) {
  using Kind = Key::Kind;
  if (key.is(Kind::kUp) || key.is_control('p')) {
    to_line(line_ > 0 ? line_ - 1 : 0);
  } else if (key.is(Kind::kDown) || key.is_control('n')) {
    to_line(std::min(line_ + 1, lines_.size() - 1));
  } else if (key.is(Kind::kPageUp)) {
    to_line(line_ - std::min(line_, page));
  } else if (key.is(Kind::kPageDown)) {
    to_line(std::min(line_ + page, lines_.size() - 1));
  } else {
    return false;
  }
  return true;
}

bool TextEdit::change(const Key& key) {
  using Kind = Key::Kind;
  if (key.is(Kind::kCharacter)) {
    std::string typed;
    append_utf8(typed, key.character);
    insert(typed);
  } else if (key.is(Kind::kBackspace) || key.is_control('h')) {
    backspace();
  } else if (key.is(Kind::kDelete) || key.is_control('d')) {
    remove();
  } else if (key.is_control('k')) {
    kill_line_end();
  } else if (key.is_control('u')) {
    kill(0, column_);
  } else if (key.is_control('w')) {
    kill(word_before(), column_);
  } else if (key.is_control('y')) {
    insert(std::string(killed_));
  } else {
    return !single_line_ && change_lines(key);
  }
  return true;
}

bool TextEdit::change_lines(const Key& key) {
  const bool opens = key.is_control('o');
  if (!opens && !key.is(Key::Kind::kEnter)) return false;
  insert("\n");
  if (opens) left();
  return true;
}

bool TextEdit::apply(const Key& key, std::size_t page) {
  return move(key, page) || change(key);
}

}  // namespace pvhgrub::menu
