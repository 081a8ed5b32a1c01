// SPDX-License-Identifier: LGPL-2.1-or-later
// A menu that GRUB's language made, with the state in which its entries run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grubcfg/evaluator.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

class GrubMenu : public Menu {
 public:
  /// The menu that a finished evaluation leads to: the one it made, or the one entry of a script that ends
  /// with `boot`. kNoEntry where it leads to none.
  [[nodiscard]] static Result<std::unique_ptr<GrubMenu>> from_evaluation(std::shared_ptr<Session> session,
                                                                         Evaluator evaluator);

  [[nodiscard]] const std::vector<MenuEntry>& entries() const override { return menu_.entries; }
  [[nodiscard]] Result<BootEntry> evaluate(std::size_t index) override;
  [[nodiscard]] Result<Menu*> submenu(std::size_t index) override;
  [[nodiscard]] std::size_t default_index() const override { return default_index_; }
  [[nodiscard]] std::optional<std::uint32_t> timeout() const override { return timeout_; }
  [[nodiscard]] TimeoutStyle timeout_style() const override { return timeout_style_; }
  [[nodiscard]] const std::vector<std::size_t>& fallback() const override { return fallback_; }
  [[nodiscard]] const ConfigurationSource& source() const override { return source_; }
  [[nodiscard]] std::string_view entry_source(std::size_t index) const override;
  [[nodiscard]] Result<std::string> editable_text(std::size_t index) override;
  [[nodiscard]] Result<BootEntry> evaluate_edited(std::size_t index, std::string_view text) override;
  [[nodiscard]] Result<std::unique_ptr<CommandLine>> command_line() override;
  void continue_from(const CommandLine& command_line) override;
  [[nodiscard]] const std::optional<std::string>& superusers() const override { return superusers_; }
  [[nodiscard]] const std::vector<MenuPassword>& passwords() const override { return state_.passwords; }

  [[nodiscard]] std::vector<EnvironmentBlockChange> environment_changes() const override;
  void keep_environment_changes(const std::vector<EnvironmentBlockChange>& changes) override;

 private:
  GrubMenu(std::shared_ptr<Session> session, MachineState state, MenuUnderConstruction menu,
           ConfigurationSource source);

  [[nodiscard]] Result<void> read_settings();
  [[nodiscard]] Result<void> read_default();
  /// An evaluator in the state in which entry `index` begins, $chosen and the rest of $default set.
  [[nodiscard]] Result<Evaluator> begin_entry(std::size_t index, bool new_context) const;
  [[nodiscard]] Result<void> run_entry(Evaluator& evaluator, std::size_t index,
                                       const SourceRange& body) const;
  [[nodiscard]] Result<BootEntry> outcome(Evaluator evaluator);
  [[nodiscard]] Result<void> check_index(std::size_t index) const;

  std::shared_ptr<Session> session_;
  MachineState state_;
  MenuUnderConstruction menu_;
  ConfigurationSource source_;
  std::size_t default_index_ = 0;
  std::optional<std::uint32_t> timeout_;
  TimeoutStyle timeout_style_ = TimeoutStyle::kMenu;
  std::vector<std::size_t> fallback_;
  std::optional<std::string> superusers_;
  std::map<std::size_t, std::unique_ptr<GrubMenu>> submenus_;
};

}  // namespace pvhgrub::grubcfg
