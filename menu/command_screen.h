// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's command line: a prompt, what commands print, and a history.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "grubcfg/command_line.h"
#include "menu/menu_host.h"
#include "menu/menu_session.h"
#include "menu/terminal.h"
#include "menu/text_edit.h"

namespace pvhgrub::menu {

/// What a command line's lines came to, without a screen: shared by all ways to show one.
class CommandDialogue {
 public:
  CommandDialogue(MenuSession& session, MenuHost& host, grubcfg::CommandLine& line)
      : session_(session), host_(host), line_(line) {}

  enum class Wish : std::uint8_t {
    kGoOn,
    kLeave,  ///< back to the menu, which may be another one now
    kBoot,   ///< choice()
  };
  /// Runs a line that was typed. What is to be shown is in output() afterwards.
  [[nodiscard]] Result<Wish> run(std::string_view typed);
  [[nodiscard]] std::string output() { return std::exchange(output_, {}); }
  /// A statement goes on: the next line belongs to it.
  [[nodiscard]] bool incomplete() const { return !begun_.empty(); }
  void forget_begun() { begun_.clear(); }
  /// Back to the menu, with what was done.
  void leave() { session_.keep(line_); }
  [[nodiscard]] grubcfg::Choice take_choice() { return std::move(choice_); }

 private:
  [[nodiscard]] Result<Wish> follow(grubcfg::CommandOutcome outcome);

  MenuSession& session_;
  MenuHost& host_;
  grubcfg::CommandLine& line_;
  std::string begun_;
  std::string output_;
  grubcfg::Choice choice_;
};

class CommandScreen {
 public:
  CommandScreen(Terminal& terminal, MenuSession& session, MenuHost& host, grubcfg::CommandLine& line,
                std::vector<std::string>& history)
      : terminal_(terminal), dialogue_(session, host, line), line_(line), history_(history) {}

  [[nodiscard]] Result<CommandDialogue::Wish> run();
  [[nodiscard]] grubcfg::Choice take_choice() { return dialogue_.take_choice(); }

 private:
  void draw();
  void print(std::string_view guest_text);
  [[nodiscard]] bool recall(const Key& key);
  [[nodiscard]] bool scroll(const Key& key);
  [[nodiscard]] Result<void> complete();
  [[nodiscard]] Result<CommandDialogue::Wish> enter();
  [[nodiscard]] std::string_view prompt() const;

  Terminal& terminal_;
  CommandDialogue dialogue_;
  grubcfg::CommandLine& line_;
  std::vector<std::string>& history_;
  std::size_t recalled_ = 0;  // index into history_; its size: what is being typed
  std::string typed_;         // while another line is recalled
  TextEdit edit_{"", true};
  std::deque<std::string> lines_;  // guest text
  std::size_t scrolled_ = 0;       // rows back from the end
};

}  // namespace pvhgrub::menu
