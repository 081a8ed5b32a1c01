// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's variables. A menu's entries and submenus each run in a copy of the menu's environment, so copies are
// cheap: what was there when the menu was made is shared, only what changed since is copied.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"

namespace pvhgrub::grubcfg {

class Environment {
 public:
  /// The value, or null where it is not set. Valid until the next change.
  [[nodiscard]] const std::string* get(std::string_view name) const;
  /// The value, or an empty text.
  [[nodiscard]] std::string_view value_or_empty(std::string_view name) const;

  /// As `set`: keeps whether the variable is exported; `root` loses the parentheses around a device. The
  /// error is kLimit.
  [[nodiscard]] Result<void> set(std::string_view name, std::string_view value, Budget& budget);
  /// As `unset`: a variable that GRUB itself watches (root, prefix, pager, ...) becomes empty instead.
  [[nodiscard]] Result<void> unset(std::string_view name, Budget& budget);
  /// As `export`: a variable that is not set becomes empty.
  [[nodiscard]] Result<void> export_variable(std::string_view name, Budget& budget);

  /// `$?`, which lives in the environment like any variable but changes with every command.
  void set_status(int status);

  /// What a new context (a submenu, `configfile`) begins with: the exported variables, exported.
  [[nodiscard]] Environment exported_copy() const;

  /// Makes copies from now on cheap.
  void share();

  /// Name and value of each variable, in order of name.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> list() const;

 private:
  struct Variable {
    std::string value;
    bool exported = false;
    bool present = true;  ///< false in changes_: hides the shared one
  };
  using Variables = std::map<std::string, Variable, std::less<>>;

  [[nodiscard]] const Variable* find(std::string_view name) const;
  /// The variable in changes_, taken there from the shared ones or made anew.
  [[nodiscard]] Variable& writable(std::string_view name);
  [[nodiscard]] Result<void> account(std::string_view name, const Variable* old, std::size_t new_size,
                                     Budget& budget);

  std::shared_ptr<const Variables> shared_;
  bool shared_exported_only_ = false;  ///< of shared_ only the exported ones count
  Variables changes_;
  std::size_t count_ = 0;  ///< variables ever present, an upper bound
  std::size_t bytes_ = 0;  ///< of all values, an upper bound
  std::string status_;
  bool status_present_ = false;
  bool status_exported_ = false;
};

}  // namespace pvhgrub::grubcfg
