// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/edit_screen.h"

#include <algorithm>

#include "menu/prompt.h"

namespace pvhgrub::menu {
namespace {

constexpr int kTabWidth = 2;
constexpr std::u32string_view kGoesOn = U"\\";

}  // namespace

std::string candidates_text(const grubcfg::Completion& completion) {
  if (completion.candidates.empty()) return {};
  std::string text = completion.subject + ":";
  for (const std::string& candidate : completion.candidates) text += " " + candidate;
  return text;
}

std::vector<EditScreen::Row> EditScreen::rows_of(std::size_t line, int columns) const {
  std::vector<Row> rows;
  Row row;
  row.line = line;
  int width = 0;
  // The last column says that a line goes on.
  const int room = std::max(1, columns - 1);
  for (const ShownPiece& piece : shown_pieces(edit_.lines()[line], terminal_.utf8(), kTabWidth)) {
    if (width + piece.width > room && width > 0) {
      row.goes_on = true;
      rows.push_back(row);
      row = Row{};
      row.line = line;
      row.first = piece.offset;
      width = 0;
    }
    row.shown += piece.shown;
    row.end = piece.offset + piece.length;
    width += piece.width;
  }
  if (row.end < row.first) row.end = row.first;
  rows.push_back(row);
  return rows;
}

void EditScreen::draw_text(int top, int rows, int columns) {
  const auto height = static_cast<std::size_t>(std::max(1, rows));
  text_rows_ = rows;
  if (edit_.line() < top_line_) top_line_ = edit_.line();
  if (edit_.line() >= top_line_ + height) top_line_ = edit_.line() - height + 1;
  std::vector<Row> seen;
  std::size_t cursor_row = 0;
  for (;;) {
    seen.clear();
    for (std::size_t line = top_line_; line < edit_.lines().size() && seen.size() < height + 1; ++line) {
      for (Row& row : rows_of(line, columns)) {
        if (row.line == edit_.line() && row.first <= edit_.column()) cursor_row = seen.size();
        seen.push_back(std::move(row));
      }
    }
    if (cursor_row < height || top_line_ == edit_.line()) break;
    ++top_line_;
  }
  // One line that is longer than the screen: what stands around the cursor.
  const std::size_t skip = cursor_row < height ? 0 : cursor_row - height + 1;
  for (std::size_t i = skip; i < seen.size() && i - skip < height; ++i) {
    const int at = top + static_cast<int>(i - skip);
    terminal_.put(at, 0, seen[i].shown, Style::kPlain);
    if (seen[i].goes_on) terminal_.put(at, columns - 1, kGoesOn, Style::kPlain);
  }
  const Row& row = seen[cursor_row];
  int column = 0;
  for (const ShownPiece& piece : shown_pieces(edit_.lines()[row.line], terminal_.utf8(), kTabWidth))
    if (piece.offset >= row.first && piece.offset < edit_.column()) column += piece.width;
  terminal_.place_cursor(top + static_cast<int>(cursor_row - skip), std::min(column, columns - 1));
}

void EditScreen::draw() {
  const Size size = terminal_.size();
  terminal_.clear();
  int top = 0;
  int below = 0;
  if (size.rows >= 6) {
    terminal_.put(0, 0,
                  cut_to_width(shown_text("Editing: " + title_, terminal_.utf8()), size.columns, U"..."),
                  Style::kStrong);
    top = 1;
    below = 1;
    const std::string help = "F10 or Ctrl-X: boot  F2 or Ctrl-C: command prompt  Tab: complete  Esc: discard";
    terminal_.put(
        size.rows - 1, 0,
        cut_to_width(shown_text(note_.empty() ? help : note_, terminal_.utf8()), size.columns - 1, U"..."),
        Style::kPlain);
  }
  draw_text(top, size.rows - top - below, size.columns);
  terminal_.show();
}

Result<void> EditScreen::complete() {
  const std::string before(edit_.before_cursor());
  PVHGRUB_TRY_ASSIGN(const grubcfg::Completion completion, completer_.complete(before));
  edit_.insert(completion.addition);
  note_ = candidates_text(completion);
  // More than fits below the text gets a screen of its own.
  if (width_of(shown_text(note_, terminal_.utf8())) >= terminal_.size().columns) {
    const std::string text = note_;
    note_.clear();
    return show_message(terminal_, text, std::nullopt);
  }
  return {};
}

Result<EditScreen::Wish> EditScreen::run() {
  for (;;) {
    draw();
    PVHGRUB_TRY_ASSIGN(const Key key, terminal_.read_key(std::nullopt));
    if (key.is_event()) continue;
    note_.clear();
    if (key.is(Key::Kind::kEscape)) return Wish::kDiscard;
    if (key.is_function(10) || key.is_control('x')) return Wish::kBoot;
    if (key.is_function(2) || key.is_control('c')) return Wish::kCommandLine;
    if (key.is_control('l')) {
      terminal_.redraw();
    } else if (key.is(Key::Kind::kTab)) {
      PVHGRUB_TRY(complete());
    } else {
      (void)edit_.apply(key, static_cast<std::size_t>(std::max(1, text_rows_)));
    }
  }
}

}  // namespace pvhgrub::menu
