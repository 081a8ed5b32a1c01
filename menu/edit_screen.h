// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's full-screen editor of a menu entry.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "grubcfg/command_line.h"
#include "menu/shown_text.h"
#include "menu/terminal.h"
#include "menu/text_edit.h"

namespace pvhgrub::menu {

class EditScreen {
 public:
  enum class Wish : std::uint8_t { kBoot, kCommandLine, kDiscard };

  /// `title`: of the entry. The command line completes what is typed.
  EditScreen(Terminal& terminal, std::string title, std::string_view text, grubcfg::CommandLine& completer)
      : terminal_(terminal), title_(std::move(title)), edit_(text, false), completer_(completer) {}

  /// Until the person wishes something; call it again to go on.
  [[nodiscard]] Result<Wish> run();
  [[nodiscard]] std::string text() const { return edit_.text(); }

 private:
  /// Pieces of one line of text that stand in one row of the screen.
  struct Row {
    std::size_t line = 0;
    std::size_t first = 0;  // bytes from the line's start
    std::size_t end = 0;
    std::u32string shown;
    bool goes_on = false;
  };
  [[nodiscard]] std::vector<Row> rows_of(std::size_t line, int columns) const;
  void draw();
  void draw_text(int top, int rows, int columns);
  [[nodiscard]] Result<void> complete();

  Terminal& terminal_;
  std::string title_;
  TextEdit edit_;
  grubcfg::CommandLine& completer_;
  std::string note_;          // on the last line
  std::size_t top_line_ = 0;  // the first that is seen
  int text_rows_ = 1;
};

/// What completes a line, as a text for a person: "devices: (hd0) (hd1)". Empty where there is nothing to
/// choose from.
[[nodiscard]] std::string candidates_text(const grubcfg::Completion& completion);

}  // namespace pvhgrub::menu
