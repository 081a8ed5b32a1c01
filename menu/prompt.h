// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions with an answer of one line, and messages that wait for a key.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "menu/terminal.h"
#include "menu/text_edit.h"

namespace pvhgrub::menu {

/// The part of a line that is seen while it is edited, the cursor always in it.
struct LinePicture {
  std::u32string shown;
  int cursor = 0;  ///< cells from its start
};
[[nodiscard]] LinePicture line_picture(const TextEdit& edit, int columns, bool utf8, int tab_width = 0);

/// Shows `message` (guest text, with newlines) on a screen of its own until a key comes, at most so long.
[[nodiscard]] Result<void> show_message(Terminal& terminal, std::string_view message,
                                        std::optional<std::chrono::milliseconds> wait);

/// Asks for a line. No value: Escape. `secret`: nothing that is typed is seen. `explanation`: lines above it.
[[nodiscard]] Result<std::optional<std::string>> ask_line(Terminal& terminal,
                                                          const std::vector<std::string>& explanation,
                                                          std::string_view label, std::string_view text,
                                                          bool secret);

/// Asks for yes or no; any key but 'y' is no.
[[nodiscard]] Result<bool> ask_yes(Terminal& terminal, std::string_view question);

}  // namespace pvhgrub::menu
