// SPDX-License-Identifier: LGPL-2.1-or-later
// The menu of GRUB Legacy. Its entries are run when they are asked for.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grubcfg/legacy_entry.h"
#include "grubcfg/legacy_grub.h"
#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// What the menus that `configfile` leads to share with the first.
struct LegacyFamily {
  explicit LegacyFamily(const MenuContext& menu_context)
      : context(menu_context), listed(menu_context.devices) {}
  MenuContext context;
  ListedDevices listed;
  std::string home_device;  ///< the first menu's file system
  std::vector<FileReference> open_menus;
  std::size_t text_bytes = 0;  ///< of the open menus
};

class LegacyMenu final : public Menu {
 public:
  /// kNoEntry: the text has no entry.
  [[nodiscard]] static Result<std::unique_ptr<LegacyMenu>> make(std::shared_ptr<LegacyFamily> family,
                                                                ConfigurationSource source, std::string text);
  /// The same of the file that `source` names; kNotFound where it cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<LegacyMenu>> read(std::shared_ptr<LegacyFamily> family,
                                                                ConfigurationSource source);
  LegacyMenu(const LegacyMenu&) = delete;
  LegacyMenu& operator=(const LegacyMenu&) = delete;
  ~LegacyMenu() override;

  [[nodiscard]] const std::vector<MenuEntry>& entries() const override { return shown_; }
  [[nodiscard]] Result<BootEntry> evaluate(std::size_t index) override;
  [[nodiscard]] Result<Menu*> submenu(std::size_t index) override;
  [[nodiscard]] std::size_t default_index() const override { return settings_.default_index; }
  [[nodiscard]] std::optional<std::uint32_t> timeout() const override { return settings_.timeout; }
  [[nodiscard]] TimeoutStyle timeout_style() const override { return settings_.timeout_style; }
  [[nodiscard]] const std::vector<std::size_t>& fallback() const override { return settings_.fallback; }
  [[nodiscard]] std::string unattended_obstacle(std::size_t index) const override;
  [[nodiscard]] const ConfigurationSource& source() const override { return source_; }
  [[nodiscard]] std::string_view entry_source(std::size_t index) const override;
  [[nodiscard]] Result<std::string> editable_text(std::size_t index) override;
  [[nodiscard]] Result<BootEntry> evaluate_edited(std::size_t index, std::string_view text) override;
  [[nodiscard]] Result<std::unique_ptr<CommandLine>> command_line() override;
  void continue_from(const CommandLine& command_line) override { command_line_.keep(command_line); }
  [[nodiscard]] const std::optional<std::string>& superusers() const override { return settings_.superusers; }
  [[nodiscard]] const std::vector<MenuPassword>& passwords() const override { return settings_.passwords; }

 private:
  /// The file that the menu's password leads to.
  struct PasswordMenu {
    std::string name;  ///< as written
    std::uint32_t line = 0;
  };

  LegacyMenu(std::shared_ptr<LegacyFamily> family, ConfigurationSource source,
             LegacyConfiguration configuration);

  [[nodiscard]] Result<void> read_header();
  void read_password(std::string_view argument, std::uint32_t line);
  /// Where there is no entry `wanted`, the first fallback takes its place, else entry 0.
  void settle_default(std::uint32_t wanted);
  void make_entries();
  void restrict_entry(std::size_t index);
  void notice(std::uint32_t line, std::string message);
  /// What the default entry of another menu boots.
  [[nodiscard]] Result<BootEntry> follow(const FileReference& configuration);

  std::shared_ptr<LegacyFamily> family_;
  ConfigurationSource source_;
  LegacyConfiguration configuration_;
  std::size_t text_bytes_;
  std::vector<MenuEntry> shown_;
  /// By entry, the command that stops it where no password is typed.
  std::map<std::size_t, LegacyStatement> guards_;
  PlainMenuSettings settings_;
  std::optional<PasswordMenu> password_menu_;
  std::optional<std::uint32_t> saved_default_;  ///< set where `default saved` is in force
  std::unique_ptr<LegacySurroundings> surroundings_;
  PlainCommandLine command_line_;
};

}  // namespace pvhgrub::grubcfg
