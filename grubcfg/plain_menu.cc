// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/plain_menu.h"

#include <utility>

#include "grubcfg/command_line.h"
#include "grubcfg/editable_entry.h"
#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

Result<std::unique_ptr<CommandLine>> PlainCommandLine::open(const MenuContext& context,
                                                            const ConfigurationSource& source) {
  if (!session_)
    session_ = std::make_shared<Session>(
        Session{context.devices, context.settings, context.budget, context.diagnostics});
  if (!state_) {
    PVHGRUB_TRY_ASSIGN(Evaluator evaluator, start_evaluator(*session_, source));
    state_ = std::move(evaluator.state());
    state_->environment.share();
  }
  return std::make_unique<CommandLine>(session_, *state_, source);
}

void PlainCommandLine::keep(const CommandLine& command_line) {
  state_ = command_line.state();
  state_->environment.share();
}

PlainMenu::PlainMenu(const MenuContext& context, ConfigurationSource source, std::vector<PlainEntry> entries,
                     PlainMenuSettings settings)
    : context_(context),
      source_(std::move(source)),
      entries_(std::move(entries)),
      settings_(std::move(settings)) {
  shown_.reserve(entries_.size());
  for (PlainEntry& entry : entries_) shown_.push_back(std::move(entry.shown));
}

Result<void> PlainMenu::check_index(std::size_t index) const {
  if (index < entries_.size() && !shown_[index].is_submenu) return {};
  return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is none that can be booted");
}

Result<BootEntry> PlainMenu::evaluate(std::size_t index) {
  PVHGRUB_TRY(check_index(index));
  BootEntry entry = entries_[index].boot;
  if (!entry.error.empty()) return entry;
  if (entry.kind == BootEntry::Kind::kNone) {
    entry.error = "the entry loads nothing";
    return entry;
  }
  PVHGRUB_TRY(check_files_of(entry, context_.files()));
  return entry;
}

Result<std::string> PlainMenu::editable_text(std::size_t index) {
  PVHGRUB_TRY(check_index(index));
  return make_editable_text(entries_[index].boot, entries_[index].source);
}

Result<BootEntry> PlainMenu::evaluate_edited(std::size_t index, std::string_view text) {
  PVHGRUB_TRY_ASSIGN(const std::string unedited, editable_text(index));
  if (is_unchanged(text, unedited)) return evaluate(index);
  return read_edited_entry(entries_[index].boot, text, source_.device, context_.files(), context_.devices,
                           context_.budget);
}

Result<std::unique_ptr<CommandLine>> PlainMenu::command_line() {
  return command_line_.open(context_, source_);
}

Result<Menu*> PlainMenu::submenu(std::size_t index) {
  if (index >= entries_.size() || !entries_[index].submenu)
    return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is no submenu");
  return entries_[index].submenu.get();
}

std::string_view PlainMenu::entry_source(std::size_t index) const {
  return index < entries_.size() ? std::string_view(entries_[index].source) : std::string_view();
}

}  // namespace pvhgrub::grubcfg
