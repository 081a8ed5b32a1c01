// SPDX-License-Identifier: LGPL-2.1-or-later
// Inside of load_syslinux_menu(): the menus of one configuration file on their way to PlainMenus.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grubcfg/plain_menu.h"
#include "grubcfg/syslinux_command.h"
#include "grubcfg/syslinux_parser.h"
#include "grubcfg/syslinux_saved.h"

namespace pvhgrub::grubcfg {

/// One PlainMenu to be.
struct SyslinuxNode {
  std::vector<PlainEntry> entries;
  PlainMenuSettings settings;
  ConfigurationSource source;
  SyslinuxNode* parent = nullptr;
  std::size_t index_in_parent = 0;
  unsigned depth = 0;  ///< of submenus around it
  /// Of a configuration's first menu: where it was read from. Two where the prompt led to a menu program.
  std::vector<SyslinuxSource> configurations;
  std::vector<std::pair<std::size_t, std::unique_ptr<SyslinuxNode>>> children;  ///< with the entry's index

  /// The node of a submenu that the entry `index` is.
  SyslinuxNode& add_child(std::size_t index);
};

/// An entry that leads to another configuration file.
struct SyslinuxLink {
  SyslinuxNode* node = nullptr;
  std::size_t index = 0;
  SyslinuxSource source;
};

/// Fills the node of a configuration's first menu, and those below it.
class SyslinuxMenuTree {
 public:
  SyslinuxMenuTree(const MenuContext& context, const SyslinuxConfiguration& configuration,
                   SyslinuxCommands& commands, const SyslinuxSaved& saved, SyslinuxNode& top)
      : context_(context), configuration_(configuration), commands_(commands), saved_(saved), top_(top) {}

  /// `by_menu`: as menu.c32 shows it; else as the prompt, or U-Boot, follows it. Links to other files come
  /// back, that of the default entry first.
  [[nodiscard]] Result<std::vector<SyslinuxLink>> fill(bool by_menu);

 private:
  /// Where an entry of the configuration is in the menus.
  struct Place {
    SyslinuxNode* node = nullptr;
    std::size_t index = 0;
    const SyslinuxMenu* menu = nullptr;
  };

  [[nodiscard]] Result<void> add_menu(const SyslinuxMenu& menu, SyslinuxNode& node);
  [[nodiscard]] Result<void> add_entry(const SyslinuxMenu& menu, const SyslinuxEntry& entry,
                                       SyslinuxNode& node);
  [[nodiscard]] Result<void> add_submenu(const SyslinuxItem& item, SyslinuxNode& node);
  void set_menu_default(const SyslinuxMenu& menu, SyslinuxNode& node,
                        const std::vector<std::optional<std::size_t>>& indexes);
  [[nodiscard]] Result<void> put(SyslinuxNode& node, PlainEntry entry, std::optional<SyslinuxSource> link);
  /// Who may choose what, of MENU PASSWD, MENU MASTER PASSWD and ALLOWOPTIONS.
  void set_access(const SyslinuxMenu& menu, SyslinuxNode& node);
  void restrict_entry(PlainEntry& entry, SyslinuxNode& node, const SyslinuxEntry& shown,
                      const std::string& user);

  [[nodiscard]] Result<void> decide_by_prompt();
  [[nodiscard]] Result<void> decide_by_menu();
  void decide_by_u_boot();
  /// The entry that a command line boots: a label's, else a new one in the first menu. No value: none.
  [[nodiscard]] Result<std::optional<Place>> place_of(const std::string& command, bool hidden);
  [[nodiscard]] std::optional<Place> place_of_label(const std::string& command) const;
  /// ONERROR: what is tried where the default cannot be booted.
  [[nodiscard]] Result<void> set_fallback(const std::string& command);
  /// Makes the entry the default of its menu, and the ways to it those of the menus above.
  void set_default(const Place& place);
  void set_timeout(std::optional<std::uint64_t> tenths);
  void notice(std::string message);

  const MenuContext& context_;
  const SyslinuxConfiguration& configuration_;
  SyslinuxCommands& commands_;
  const SyslinuxSaved& saved_;
  SyslinuxNode& top_;
  std::unordered_map<const SyslinuxEntry*, Place> places_;
  std::unordered_map<const SyslinuxMenu*, SyslinuxNode*> nodes_;
  std::vector<SyslinuxLink> links_;
  /// The first item of the first menu cannot be chosen, so the menu moves on, as if somebody had touched a
  /// key.
  bool first_is_disabled_ = false;
};

}  // namespace pvhgrub::grubcfg
