// SPDX-License-Identifier: LGPL-2.1-or-later
// Text under a cursor, with the keys that GRUB's editors know (those of Emacs). Knows no screen.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "menu/key.h"

namespace pvhgrub::menu {

/// Lines of bytes; the cursor stands before a character, or a byte that is none.
class TextEdit {
 public:
  /// `single_line`: there is only one, whatever is typed.
  TextEdit(std::string_view text, bool single_line);

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::size_t line() const { return line_; }
  /// Bytes from the line's start.
  [[nodiscard]] std::size_t column() const { return column_; }
  /// All lines, joined by newlines.
  [[nodiscard]] std::string text() const;
  /// What stands before the cursor in its line.
  [[nodiscard]] std::string_view before_cursor() const {
    return std::string_view(lines_[line_]).substr(0, column_);
  }
  /// Replaces all; the cursor goes to the end of it.
  void assign(std::string_view text);

  /// Does what the key means; false where it means nothing here. `page`: lines of a screen.
  bool apply(const Key& key, std::size_t page = 1);
  /// Inserts, within the limit on an edited text; newlines only where there may be several lines.
  void insert(std::string_view text);

 private:
  bool move(const Key& key, std::size_t page);
  bool move_between_lines(const Key& key, std::size_t page);
  bool change(const Key& key);
  bool change_lines(const Key& key);
  void break_line();
  void backspace();
  void remove();
  void kill(std::size_t from, std::size_t to);
  void kill_line_end();
  void to_line(std::size_t line);
  void left();
  void right();
  [[nodiscard]] std::size_t previous(std::size_t column) const;
  [[nodiscard]] std::size_t next(std::size_t column) const;
  [[nodiscard]] std::size_t word_before() const;
  [[nodiscard]] std::size_t size() const;

  std::vector<std::string> lines_;
  std::size_t line_ = 0;
  std::size_t column_ = 0;
  std::string killed_;
  bool single_line_;
};

}  // namespace pvhgrub::menu
