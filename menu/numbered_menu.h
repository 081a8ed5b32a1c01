// SPDX-License-Identifier: LGPL-2.1-or-later
// The menu where the cursor can be put nowhere: entries with numbers, and a prompt.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "menu/attendance.h"
#include "menu/countdown.h"
#include "menu/menu_host.h"
#include "menu/menu_session.h"
#include "menu/teletype.h"

namespace pvhgrub::menu {

class NumberedMenu {
 public:
  /// All outlive it. `head`: what is booted.
  NumberedMenu(Teletype& teletype, MenuSession& session, MenuHost& host, std::string head)
      : teletype_(teletype),
        session_(session),
        host_(host),
        head_(std::move(head)),
        attendance_(host),
        countdown_(std::nullopt, {}) {}

  /// As BootMenu::choose() and reject().
  [[nodiscard]] Result<grubcfg::Choice> choose();
  void reject(std::string why) { rejected_ = std::move(why); }

 private:
  using Chosen = std::optional<grubcfg::Choice>;
  /// A line that was typed; no value: the countdown is over, or Escape.
  using Line = std::optional<std::string>;

  [[nodiscard]] Result<Chosen> begin();
  [[nodiscard]] Result<Chosen> ask();
  [[nodiscard]] Result<void> list();
  [[nodiscard]] Result<Line> read_line(std::string_view label, std::string_view text, bool secret);
  [[nodiscard]] Result<Key> next_key(std::string_view label);
  [[nodiscard]] std::string seconds();
  [[nodiscard]] Result<Chosen> obey(std::string_view line);
  [[nodiscard]] Result<Chosen> obey_number(std::string_view number, bool arguments);
  [[nodiscard]] Result<Chosen> boot_default();
  [[nodiscard]] Result<Chosen> open(std::size_t index);
  [[nodiscard]] Result<Chosen> change_arguments(std::size_t index);
  [[nodiscard]] Result<Chosen> command_prompt();
  [[nodiscard]] Result<Chosen> follow(Step step);
  [[nodiscard]] Result<bool> log_in();
  [[nodiscard]] Result<bool> unlock();
  /// Guest text, with newlines.
  [[nodiscard]] Result<void> tell(std::string_view text);

  Teletype& teletype_;
  MenuSession& session_;
  MenuHost& host_;
  std::string head_;
  AttendanceReport attendance_;
  Countdown countdown_;
  std::string rejected_;
  bool begun_ = false;
};

}  // namespace pvhgrub::menu
