// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's menu on a terminal that can put text anywhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "menu/attendance.h"
#include "menu/countdown.h"
#include "menu/details.h"
#include "menu/menu_host.h"
#include "menu/menu_session.h"
#include "menu/menu_view.h"
#include "menu/terminal.h"

namespace pvhgrub::menu {

class BootMenu {
 public:
  /// All outlive it. `head`: what is booted.
  BootMenu(Terminal& terminal, MenuSession& session, MenuHost& host, std::string head)
      : terminal_(terminal),
        session_(session),
        host_(host),
        head_(std::move(head)),
        view_(terminal),
        details_(host),
        attendance_(host),
        countdown_(std::nullopt, {}) {}

  /// What is to be booted: the default when the time is over, or what a person chooses. The terminal is left
  /// clean. Called again after reject() it asks again. kNoEntry: the person wants to boot nothing; other
  /// errors end the menu.
  [[nodiscard]] Result<grubcfg::Choice> choose();

  /// What choose() gave could not be booted after all.
  void reject(std::string why) { rejected_ = std::move(why); }

 private:
  using Chosen = std::optional<grubcfg::Choice>;

  [[nodiscard]] Result<Chosen> begin();
  [[nodiscard]] Result<Chosen> wait_hidden(bool shows_seconds);
  [[nodiscard]] Result<Chosen> boot_default();
  [[nodiscard]] Result<Chosen> ask();
  [[nodiscard]] Result<Key> next_key();
  [[nodiscard]] Result<void> look_up();
  [[nodiscard]] bool wants_look_up() const;
  void draw();
  [[nodiscard]] std::string status();

  [[nodiscard]] Result<Chosen> act(const Key& key);
  [[nodiscard]] bool move(const Key& key);
  [[nodiscard]] Result<Chosen> open(std::size_t index);
  [[nodiscard]] Result<Chosen> edit();
  [[nodiscard]] Result<Chosen> edit_command_line();
  [[nodiscard]] Result<Chosen> command_prompt();
  /// The step's choice; an error is shown first.
  [[nodiscard]] Result<Chosen> follow(Step step);
  [[nodiscard]] Result<bool> log_in();
  /// Whether the person may edit, after they had a chance to log in.
  [[nodiscard]] Result<bool> unlock();
  [[nodiscard]] Result<void> tell(std::string_view message);
  [[nodiscard]] std::size_t selected_index() const { return session_.shown()[session_.selected()]; }

  Terminal& terminal_;
  MenuSession& session_;
  MenuHost& host_;
  std::string head_;
  MenuView view_;
  DetailsCache details_;
  AttendanceReport attendance_;
  Countdown countdown_;
  std::vector<std::string> history_;
  std::string rejected_;
  bool begun_ = false;
};

}  // namespace pvhgrub::menu
