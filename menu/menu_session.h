// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a person is in the menus, who they are, and what they may do there: all but how it looks.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "grubcfg/authentication.h"
#include "grubcfg/choice.h"
#include "grubcfg/command_line.h"
#include "grubcfg/menu.h"
#include "menu/key.h"
#include "menu/menu_host.h"

namespace pvhgrub::menu {

/// What came of a request.
struct Step {
  enum class Kind : std::uint8_t {
    kStay,    ///< nothing to do, or the menu is another one now
    kChosen,  ///< `choice` is to be booted
    kLogin,   ///< somebody who may do it has to log in first; then ask again
    kError,   ///< `message`, of one or more lines, for the person
  };
  Kind kind = Kind::kStay;
  grubcfg::Choice choice = {};
  std::string message = {};
};

class MenuSession {
 public:
  /// All outlive it. `diagnostics` is where the automatic choice tells what it does.
  MenuSession(grubcfg::Menu& root, MenuHost& host, grubcfg::Diagnostics& diagnostics);

  [[nodiscard]] grubcfg::Menu& menu() { return *levels_.back().menu; }
  [[nodiscard]] const grubcfg::Menu& menu() const { return *levels_.back().menu; }
  /// The indices of its entries that are shown.
  [[nodiscard]] const std::vector<std::size_t>& shown() const { return levels_.back().shown; }
  /// Which of shown() is selected; 0 where there is none.
  [[nodiscard]] std::size_t selected() const { return levels_.back().selected; }
  void select(std::size_t position);
  /// The titles of the submenus that lead here.
  [[nodiscard]] std::vector<std::string> trail() const;

  /// Boots an entry, by its index in menu(), or goes into the submenu that it is.
  [[nodiscard]] Result<Step> open(std::size_t index);
  /// Back out of a submenu; false at the top.
  bool back();
  /// What happens when nobody touches a key: the default, then its fallbacks.
  [[nodiscard]] Result<Step> boot_default();
  /// The entry whose hotkey that is.
  [[nodiscard]] std::optional<std::size_t> entry_of_hotkey(const Key& key) const;

  [[nodiscard]] bool may_edit() const { return login_.may_edit(menu()); }
  [[nodiscard]] bool asks_for_name() const { return grubcfg::Login::asks_for_name(menu()); }
  /// False, with the reason in `message`, where it was not the password.
  [[nodiscard]] Result<bool> log_in(std::string_view user, std::string_view password, std::string& message);

  /// The entry as it is edited.
  [[nodiscard]] Result<std::string> editable_text(std::size_t index) { return menu().editable_text(index); }
  [[nodiscard]] Result<Step> boot_edited(std::size_t index, std::string_view text);
  /// The entry's own command line; no value, with the reason in `message`, where it has none.
  [[nodiscard]] Result<std::optional<std::string>> command_line_of(std::size_t index, std::string& message);
  [[nodiscard]] Result<Step> boot_with_command_line(std::size_t index, std::string_view line);

  /// A command line over this menu; it may be used until the menu changes.
  [[nodiscard]] Result<std::unique_ptr<grubcfg::CommandLine>> command_line();
  /// What was done there counts from now on.
  void keep(const grubcfg::CommandLine& line) { menu().continue_from(line); }
  [[nodiscard]] Result<Step> boot_loaded(grubcfg::BootEntry entry);
  /// Goes into a menu that a command made.
  void enter(std::unique_ptr<grubcfg::Menu> menu, std::string title);

 private:
  struct Level {
    grubcfg::Menu* menu = nullptr;
    std::string title;                 ///< of the submenu
    std::optional<std::size_t> index;  ///< of its entry in the menu above; none for a command's menu
    std::vector<std::size_t> shown;
    std::size_t selected = 0;
    std::unique_ptr<grubcfg::Menu> owned;  ///< a command's menu
  };

  void push(grubcfg::Menu& menu, std::string title, std::optional<std::size_t> index,
            std::unique_ptr<grubcfg::Menu> owned);
  [[nodiscard]] grubcfg::EntryPath path_to(std::size_t index) const;
  /// Chosen where it can be booted, else the reason.
  [[nodiscard]] Result<Step> judge(grubcfg::Choice choice);
  [[nodiscard]] grubcfg::Choice choice_of(std::size_t index, grubcfg::BootEntry entry, bool edited) const;
  [[nodiscard]] Result<bool> default_needs_login();

  MenuHost& host_;
  grubcfg::Diagnostics& diagnostics_;
  std::vector<Level> levels_;
  grubcfg::Login login_;
  unsigned wrong_passwords_ = 0;
};

}  // namespace pvhgrub::menu
