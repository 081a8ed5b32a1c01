// SPDX-License-Identifier: LGPL-2.1-or-later
// A menu whose entries are all known once it is read: what every syntax but GRUB's language makes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grubcfg/diagnostics.h"
#include "grubcfg/grub_settings.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/machine_state.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// What the reader of a configuration works with. All that is referred to outlives the menus.
struct MenuContext {
  fs::Devices* devices = nullptr;  ///< null: a bare configuration, files are taken to be there
  GrubSettings settings;
  Budget& budget;
  Diagnostics& diagnostics;
  [[nodiscard]] GuestFiles files() const { return {devices, budget}; }
};

class PlainMenu;

struct PlainEntry {
  MenuEntry shown;
  BootEntry boot;      ///< as configured; whether its files are there is looked up when it is evaluated
  std::string source;  ///< the entry's text as it stands in the configuration
  std::unique_ptr<PlainMenu> submenu;  ///< of an entry that is one (MenuEntry::is_submenu)
};

/// How a menu behaves when nobody touches a key.
struct PlainMenuSettings {
  std::size_t default_index = 0;         ///< below the number of entries, or 0
  std::optional<std::uint32_t> timeout;  ///< seconds; no value: wait for ever
  TimeoutStyle timeout_style = TimeoutStyle::kMenu;
  std::vector<std::size_t> fallback;      ///< each below the number of entries
  std::optional<std::string> superusers;  ///< as Menu::superusers
  std::vector<MenuPassword> passwords;
};

/// The command line of a menu that has no evaluator of its own. What was done there is still so when it is
/// opened again.
class PlainCommandLine {
 public:
  [[nodiscard]] Result<std::unique_ptr<CommandLine>> open(const MenuContext& context,
                                                          const ConfigurationSource& source);
  void keep(const CommandLine& command_line);

 private:
  std::shared_ptr<Session> session_;
  std::optional<MachineState> state_;
};

class PlainMenu final : public Menu {
 public:
  /// A configuration without entries is no menu: check before.
  PlainMenu(const MenuContext& context, ConfigurationSource source, std::vector<PlainEntry> entries,
            PlainMenuSettings settings);

  [[nodiscard]] const std::vector<MenuEntry>& entries() const override { return shown_; }
  [[nodiscard]] Result<BootEntry> evaluate(std::size_t index) override;
  [[nodiscard]] Result<Menu*> submenu(std::size_t index) override;
  [[nodiscard]] std::size_t default_index() const override { return settings_.default_index; }
  [[nodiscard]] std::optional<std::uint32_t> timeout() const override { return settings_.timeout; }
  [[nodiscard]] TimeoutStyle timeout_style() const override { return settings_.timeout_style; }
  [[nodiscard]] const std::vector<std::size_t>& fallback() const override { return settings_.fallback; }
  [[nodiscard]] const ConfigurationSource& source() const override { return source_; }
  [[nodiscard]] std::string_view entry_source(std::size_t index) const override;
  [[nodiscard]] Result<std::string> editable_text(std::size_t index) override;
  [[nodiscard]] Result<BootEntry> evaluate_edited(std::size_t index, std::string_view text) override;
  [[nodiscard]] Result<std::unique_ptr<CommandLine>> command_line() override;
  void continue_from(const CommandLine& command_line) override { command_line_.keep(command_line); }
  [[nodiscard]] const std::optional<std::string>& superusers() const override { return settings_.superusers; }
  [[nodiscard]] const std::vector<MenuPassword>& passwords() const override { return settings_.passwords; }

 private:
  [[nodiscard]] Result<void> check_index(std::size_t index) const;

  MenuContext context_;
  ConfigurationSource source_;
  std::vector<MenuEntry> shown_;  ///< of entries_, in the same order
  std::vector<PlainEntry> entries_;
  PlainMenuSettings settings_;
  PlainCommandLine command_line_;
};

}  // namespace pvhgrub::grubcfg
