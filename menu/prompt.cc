// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/prompt.h"

#include <algorithm>

#include "menu/shown_text.h"

namespace pvhgrub::menu {
namespace {

// Lines of a text that has newlines, made fit for the terminal and its width.
std::vector<std::u32string> lines_of(std::string_view text, const Terminal& terminal, std::size_t most) {
  std::vector<std::u32string> lines;
  do {
    auto wrapped = wrap(shown_text(take_line(text), terminal.utf8()),
                        std::max(1, terminal.size().columns - 1), most - lines.size());
    std::ranges::move(wrapped, std::back_inserter(lines));
  } while (!text.empty() && lines.size() < most);
  return lines;
}

}  // namespace

LinePicture line_picture(const TextEdit& edit, int columns, bool utf8, int tab_width) {
  columns = std::max(2, columns);
  const std::string& line = edit.lines()[edit.line()];
  const std::vector<ShownPiece> pieces = shown_pieces(line, utf8, tab_width);
  std::size_t cursor = 0;  // the piece that it stands before
  while (cursor < pieces.size() && pieces[cursor].offset < edit.column()) ++cursor;
  // Back from the cursor, as much as fits, with a cell for the cursor itself.
  std::size_t first = cursor;
  int width = 0;
  while (first > 0 && width + pieces[first - 1].width < columns) width += pieces[--first].width;
  LinePicture picture;
  picture.cursor = width;
  int shown = 0;
  for (std::size_t i = first; i < pieces.size() && shown + pieces[i].width <= columns; ++i) {
    picture.shown += pieces[i].shown;
    shown += pieces[i].width;
  }
  return picture;
}

Result<void> show_message(Terminal& terminal, std::string_view message,
                          std::optional<std::chrono::milliseconds> wait) {
  for (;;) {
    const Size size = terminal.size();
    terminal.clear();
    const auto most = static_cast<std::size_t>(std::max(1, size.rows - 2));
    int row = 0;
    for (const std::u32string& line : lines_of(message, terminal, most))
      terminal.put(row++, 0, line, Style::kPlain);
    terminal.put(size.rows - 1, 0, U"Press any key.", Style::kStrong);
    terminal.show();
    PVHGRUB_TRY_ASSIGN(const Key key, terminal.read_key(wait));
    if (!key.is(Key::Kind::kResize)) return {};
  }
}

Result<std::optional<std::string>> ask_line(Terminal& terminal, const std::vector<std::string>& explanation,
                                            std::string_view label, std::string_view text, bool secret) {
  TextEdit edit(text, true);
  for (;;) {
    const Size size = terminal.size();
    terminal.clear();
    int row = 0;
    for (const std::string& line : explanation)
      for (const std::u32string& part : lines_of(line, terminal, 4))
        if (row < size.rows - 2) terminal.put(row++, 0, part, Style::kPlain);
    const std::u32string shown_label = shown_text(label, terminal.utf8());
    const int column = std::min(width_of(shown_label), std::max(0, size.columns / 2));
    row = std::min(row + (explanation.empty() ? 0 : 1), size.rows - 1);
    terminal.put(row, 0, shown_label, Style::kStrong);
    if (secret) {
      terminal.place_cursor(row, column);
    } else {
      const LinePicture picture = line_picture(edit, size.columns - column - 1, terminal.utf8());
      terminal.put(row, column, picture.shown, Style::kPlain);
      terminal.place_cursor(row, column + picture.cursor);
    }
    terminal.show();
    PVHGRUB_TRY_ASSIGN(const Key key, terminal.read_key(std::nullopt));
    if (key.is(Key::Kind::kEscape)) return std::nullopt;
    if (key.is(Key::Kind::kEnter)) return edit.text();
    if (key.is_control('l')) terminal.redraw();
    (void)edit.apply(key);
  }
}

Result<bool> ask_yes(Terminal& terminal, std::string_view question) {
  for (;;) {
    terminal.clear();
    terminal.put(0, 0, shown_text(question, terminal.utf8()), Style::kStrong);
    terminal.show();
    PVHGRUB_TRY_ASSIGN(const Key key, terminal.read_key(std::nullopt));
    if (!key.is_event()) return key.is_character('y') || key.is_character('Y');
  }
}

}  // namespace pvhgrub::menu
