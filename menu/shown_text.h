// SPDX-License-Identifier: LGPL-2.1-or-later
// Guest text as character cells: what cannot be shown as it is becomes \xHH, byte by byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pvhgrub::menu {

/// One character of a text, or one byte that is none, and how it is shown.
struct ShownPiece {
  std::size_t offset = 0;  ///< bytes from the text's start
  std::size_t length = 0;  ///< bytes, at least 1
  std::u32string shown;
  int width = 0;  ///< cells, at least 1
};

/// `utf8`: the terminal shows more than ASCII, and the C library's locale says so too (for the width of a
/// character). Tabs become `tab_width` blanks, where that is not 0.
[[nodiscard]] std::vector<ShownPiece> shown_pieces(std::string_view text, bool utf8, int tab_width = 0);

/// The text, as far as limits::kShownTextBytes.
[[nodiscard]] std::u32string shown_text(std::string_view text, bool utf8, int tab_width = 0);

/// Cuts off the text's next line, its newline too; a line longer than limits::kScreenLineBytes goes on as
/// another.
[[nodiscard]] std::string_view take_line(std::string_view& text);

/// Cells that a shown text takes.
[[nodiscard]] int width_of(std::u32string_view shown);

/// As much of it as fits into `columns` cells; where that is not all, `more` stands at its end (if there is
/// room).
[[nodiscard]] std::u32string cut_to_width(std::u32string_view shown, int columns,
                                          std::u32string_view more = U"");

/// Cut into lines of at most `columns` cells, at a blank where there is one; at least one line. At most
/// `most_lines`; the last one ends with "..." where there is more.
[[nodiscard]] std::vector<std::u32string> wrap(std::u32string_view shown, int columns,
                                               std::size_t most_lines);

/// UTF-8 of one character.
void append_utf8(std::string& text, char32_t character);

}  // namespace pvhgrub::menu
