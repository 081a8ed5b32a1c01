// SPDX-License-Identifier: LGPL-2.1-or-later
// The terminal on which a person chooses: the worker shows the menu there, the broker answers for its state.
#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "protocol/messages.h"

namespace pvhgrub::broker {

/// Whether a person may be asked at all when nobody says so: keys can come and be answered where results do
/// not go.
[[nodiscard]] bool can_ask_a_person();

class MenuTerminal {
 public:
  /// Standard input. kUsage where it is no terminal, or cannot be written.
  [[nodiscard]] static Result<MenuTerminal> open();
  MenuTerminal(MenuTerminal&& other) noexcept;
  MenuTerminal& operator=(MenuTerminal&&) = delete;
  MenuTerminal(const MenuTerminal&) = delete;
  MenuTerminal& operator=(const MenuTerminal&) = delete;
  /// Puts the mode back as it was found; a worker that was killed at its menu could not.
  ~MenuTerminal();

  [[nodiscard]] int fd() const { return fd_; }

  /// What the worker must know of it. `title`: what is booted.
  [[nodiscard]] static protocol::RequestTerminal describe(std::string title);

  /// Whether the menu is on the screen. Where it still is in the end, the cursor is taken out of it.
  void menu_open(bool open) { menu_open_ = open; }

 private:
  MenuTerminal(int fd, const termios& mode) : fd_(fd), mode_(mode) {}
  int fd_;
  termios mode_;
  bool menu_open_ = false;
};

/// Whether the environment of this program says that its terminal takes UTF-8 (LC_ALL, LC_CTYPE, LANG;
/// POSIX, 8.2).
[[nodiscard]] bool locale_is_utf8();

}  // namespace pvhgrub::broker
