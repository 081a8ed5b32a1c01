// SPDX-License-Identifier: LGPL-2.1-or-later
// The menu as it stands on the screen.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "menu/details.h"
#include "menu/terminal.h"

namespace pvhgrub::menu {

/// Guest text; it is made fit for the terminal here.
struct MenuPicture {
  std::string head;                 ///< whose menu it is
  std::string source;               ///< where it was read
  std::vector<std::string> trail;   ///< submenus that lead here
  std::vector<std::string> titles;  ///< one an entry
  std::vector<bool> submenus;       ///< the same
  std::size_t selected = 0;
  const EntryDetails* details = nullptr;  ///< of the selected entry; null: nothing is known or may be told
  bool may_edit = true;
  std::string status;  ///< the countdown; empty for none
};

class MenuView {
 public:
  explicit MenuView(Terminal& terminal) : terminal_(terminal) {}

  void draw(const MenuPicture& picture);
  /// The last line alone.
  void draw_status(const std::string& status);
  /// Entries that the screen has room for, as of the last draw(); at least 1.
  [[nodiscard]] std::size_t page() const { return page_; }

 private:
  struct Layout {
    int list_row = 0;   ///< the first entry's
    int list_rows = 1;  ///< how many
    bool framed = false;
    int details_row = 0;
    int details_rows = 0;
    int footer_row = 0;
    int footer_rows = 0;
  };
  [[nodiscard]] Layout layout(const MenuPicture& picture) const;
  void draw_head(const MenuPicture& picture);
  void draw_list(const MenuPicture& picture, const Layout& layout);
  void draw_details(const MenuPicture& picture, const Layout& layout);
  void draw_footer(const MenuPicture& picture, const Layout& layout);
  void line(int row, int column, std::string_view guest_text, Style style = Style::kPlain);

  Terminal& terminal_;
  std::size_t page_ = 1;
  std::size_t top_ = 0;  // the first entry that is seen
};

}  // namespace pvhgrub::menu
