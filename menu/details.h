// SPDX-License-Identifier: LGPL-2.1-or-later
// What is told of the selected entry: looked up when nobody is touching a key, remembered as long as the
// menus are.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "grubcfg/menu.h"
#include "menu/menu_host.h"

namespace pvhgrub::menu {

/// Guest text; show it as such.
struct EntryDetails {
  std::string kernel;   ///< empty where there is none
  std::string initrds;  ///< all, with blanks between
  std::string command_line;
  std::string boot;       ///< how it would be booted, and why; empty while nobody has looked
  std::string problem;    ///< why it would not boot; empty where nothing is known against it
  bool complete = false;  ///< nothing is left to look up
};

class DetailsCache {
 public:
  /// The host outlives it.
  explicit DetailsCache(MenuHost& host) : host_(host) {}

  /// What is known; null for nothing yet.
  [[nodiscard]] const EntryDetails* find(const grubcfg::Menu& menu, std::size_t index) const;
  /// Looks up the next part of it. Gives up when `interrupted` says so: then nothing is remembered of that
  /// part. An error is one that ends the menu.
  [[nodiscard]] Result<void> look_up(grubcfg::Menu& menu, std::size_t index,
                                     const std::function<bool()>& interrupted);
  /// The entries may be others now: something was done on a command line.
  void forget() { known_.clear(); }

 private:
  using Place = std::pair<const grubcfg::Menu*, std::size_t>;
  struct Known {
    EntryDetails details;
    grubcfg::BootEntry entry;
  };
  [[nodiscard]] Result<void> evaluate(Known& known, grubcfg::Menu& menu, std::size_t index);

  MenuHost& host_;
  std::map<Place, Known> known_;
  std::map<std::string, std::string>
      boot_kinds_;  // by kernel and initrds: many entries differ in arguments alone
};

}  // namespace pvhgrub::menu
