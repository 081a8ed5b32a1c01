// SPDX-License-Identifier: LGPL-2.1-or-later
// Who may do what a menu restricts (GRUB manual, "Authentication and authorisation in GRUB").
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// Whether `entered` is the password. Takes as long for a wrong one as for the right one. kUnsupported, with
/// what to do, where the guest asks for more rounds than limits::kPasswordRounds or the secret is malformed.
[[nodiscard]] Result<bool> password_matches(const MenuPassword& password, std::string_view entered);

/// The one who logged in at a menu, and what they may do.
class Login {
 public:
  /// Whether anybody has to log in at all for what only superusers may do: editing, the command line.
  [[nodiscard]] static bool locks_editing(const Menu& menu);
  /// Only GRUB 2 has names of users. Where nobody is asked for one, each password of the menu is tried.
  [[nodiscard]] static bool asks_for_name(const Menu& menu);

  /// Whether the one who is logged in (if any) may edit entries and use the command line of `menu`.
  [[nodiscard]] bool may_edit(const Menu& menu) const;
  /// Whether they may boot that entry.
  [[nodiscard]] bool may_boot(const Menu& menu, const MenuEntry& entry) const;

  /// Logs in where the password matches one of that user's. `user` is ignored where no name is asked for. A
  /// user who is not known takes as long as one whose password is wrong. Errors: as password_matches().
  [[nodiscard]] Result<bool> log_in(const Menu& menu, std::string_view user, std::string_view password);

  /// Who logged in last; nobody before the first log_in() that succeeds. As in GRUB, who logged in stays so.
  [[nodiscard]] const std::optional<std::string>& user() const { return user_; }

 private:
  [[nodiscard]] bool is_superuser(const Menu& menu) const;
  [[nodiscard]] Result<bool> log_in_without_name(const std::vector<MenuPassword>& passwords,
                                                 std::string_view password);
  void note(const std::string& user);

  std::vector<std::string> users_;
  std::optional<std::string> user_;
};

}  // namespace pvhgrub::grubcfg
