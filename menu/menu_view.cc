// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/menu_view.h"

#include <algorithm>

#include "menu/shown_text.h"

namespace pvhgrub::menu {
namespace {

constexpr std::u32string_view kMore = U"...";
constexpr int kDetailsRows = 6;
constexpr int kFooterRows = 2;
/// Below these the list is worth more than what stands around it.
constexpr int kRowsForDetails = 18;
constexpr int kRowsForFooter = 12;
constexpr int kRowsForFrame = 8;
constexpr int kColumnsForFrame = 24;

}  // namespace

void MenuView::line(int row, int column, std::string_view guest_text, Style style) {
  const int room = terminal_.size().columns - column;
  terminal_.put(row, column, cut_to_width(shown_text(guest_text, terminal_.utf8()), room, kMore), style);
}

// From the top: head (and trail), the list in its frame, details, footer, status.
MenuView::Layout MenuView::layout(const MenuPicture& picture) const {
  const Size size = terminal_.size();
  Layout made;
  int row = size.rows > 3 ? 1 : 0;
  if (!picture.trail.empty() && size.rows > 4) ++row;
  int below = size.rows > 2 ? 1 : 0;  // the status
  if (size.rows >= kRowsForFooter) {
    made.footer_rows = kFooterRows;
    below += kFooterRows;
  }
  if (size.rows >= kRowsForDetails) {
    made.details_rows = kDetailsRows;
    below += kDetailsRows;
  }
  made.framed = size.rows >= kRowsForFrame && size.columns >= kColumnsForFrame;
  made.list_row = row + (made.framed ? 1 : 0);
  made.list_rows = std::max(1, size.rows - row - below - (made.framed ? 2 : 0));
  made.details_row = made.list_row + made.list_rows + (made.framed ? 1 : 0);
  made.footer_row = made.details_row + made.details_rows;
  return made;
}

void MenuView::draw_head(const MenuPicture& picture) {
  const Size size = terminal_.size();
  if (size.rows <= 3) return;
  std::string head = picture.head;
  if (!picture.source.empty()) head += (head.empty() ? "" : ": ") + picture.source;
  line(0, 0, head, Style::kStrong);
  if (picture.trail.empty() || size.rows <= 4) return;
  std::string trail;
  for (const std::string& title : picture.trail) trail += "> " + title + " ";
  line(1, 0, trail);
}

void MenuView::draw_list(const MenuPicture& picture, const Layout& layout) {
  const int columns = terminal_.size().columns;
  const auto rows = static_cast<std::size_t>(layout.list_rows);
  page_ = rows;
  if (picture.selected < top_) top_ = picture.selected;
  if (picture.selected >= top_ + rows) top_ = picture.selected - rows + 1;
  if (picture.titles.size() > rows) top_ = std::min(top_, picture.titles.size() - rows);
  if (picture.titles.size() <= rows) top_ = 0;
  if (layout.framed) terminal_.frame(layout.list_row - 1, 0, layout.list_rows + 2, columns);
  const int left = layout.framed ? 1 : 0;
  const int width = columns - 2 * left;
  for (std::size_t i = 0; i < rows && top_ + i < picture.titles.size(); ++i) {
    const std::size_t entry = top_ + i;
    const bool selected = entry == picture.selected;
    std::u32string text = selected ? U"*" : U" ";
    const std::u32string_view tail = picture.submenus[entry] ? U" >" : U"";
    text += cut_to_width(shown_text(picture.titles[entry], terminal_.utf8()),
                         width - 2 - static_cast<int>(tail.size()), kMore);
    text += tail;
    const int blanks = width - width_of(text);
    if (blanks > 0) text.append(static_cast<std::size_t>(blanks), U' ');
    terminal_.put(layout.list_row + static_cast<int>(i), left, text,
                  selected ? Style::kSelected : Style::kPlain);
  }
  if (columns < 3) return;
  // Where the list goes on beyond the screen.
  const int edge = columns - 1;
  if (top_ > 0) terminal_.put(layout.list_row, edge, U"^", Style::kPlain);
  if (top_ + rows < picture.titles.size())
    terminal_.put(layout.list_row + layout.list_rows - 1, edge, U"v", Style::kPlain);
}

void MenuView::draw_details(const MenuPicture& picture, const Layout& layout) {
  if (layout.details_rows == 0) return;
  int row = layout.details_row;
  const int end = row + layout.details_rows;
  const bool submenu = picture.selected < picture.submenus.size() && picture.submenus[picture.selected];
  if (!picture.may_edit) {
    line(row, 0, "What it boots is shown to those who may edit it.");
    return;
  }
  if (submenu) {
    line(row, 0, "A submenu: Enter opens it.");
    return;
  }
  if (picture.details == nullptr) return;
  const EntryDetails& details = *picture.details;
  const auto wrapped = [&](std::string_view label, std::string_view text, std::size_t most_lines) {
    if (text.empty() || row >= end) return;
    constexpr int kLabel = 9;
    line(row, 0, label);
    const auto lines = wrap(shown_text(text, terminal_.utf8()), terminal_.size().columns - kLabel - 1,
                            std::min(most_lines, static_cast<std::size_t>(end - row)));
    for (const std::u32string& part : lines) terminal_.put(row++, kLabel, part, Style::kPlain);
  };
  wrapped("Kernel", details.kernel, 1);
  wrapped("Initrd", details.initrds, 1);
  wrapped("Command", details.command_line, 2);
  if (!details.problem.empty())
    wrapped("Problem", details.problem, 2);
  else
    wrapped("Boot", details.complete ? details.boot : "(not looked up yet)", 2);
}

void MenuView::draw_footer(const MenuPicture& picture, const Layout& layout) {
  if (layout.footer_rows == 0) return;
  const bool nested = !picture.trail.empty();
  line(layout.footer_row, 0,
       "Up and Down select, Enter boots." + std::string(nested ? " Esc goes back." : ""));
  line(layout.footer_row + 1, 0,
       picture.may_edit ? "e: edit the entry  a: its command line  c: command prompt  q: boot nothing"
                        : "e, a, c: only after logging in  q: boot nothing");
}

void MenuView::draw_status(const std::string& status) {
  const Size size = terminal_.size();
  if (size.rows <= 2) return;
  std::u32string text = cut_to_width(shown_text(status, terminal_.utf8()), size.columns - 1);
  const int blanks = size.columns - 1 - width_of(text);
  if (blanks > 0) text.append(static_cast<std::size_t>(blanks), U' ');
  terminal_.put(size.rows - 1, 0, text, Style::kPlain);
  terminal_.show();
}

void MenuView::draw(const MenuPicture& picture) {
  terminal_.clear();
  const Layout made = layout(picture);
  draw_head(picture);
  draw_list(picture, made);
  draw_details(picture, made);
  draw_footer(picture, made);
  draw_status(picture.status);
  terminal_.show();
}

}  // namespace pvhgrub::menu
