// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/command_line.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/command_completion.h"
#include "grubcfg/grub_menu.h"
#include "grubcfg/loaded_entry.h"
#include "grubcfg/parser.h"

namespace pvhgrub::grubcfg {

namespace {

/// Whether all that is wrong with the text is that it ends inside a statement.
Result<bool> is_incomplete(const SourceRange& text, Budget& budget) {
  Parser parser(text, true, budget);
  while (true) {
    PVHGRUB_TRY_ASSIGN(const Parser::Outcome outcome, parser.next());
    if (outcome == Parser::Outcome::kEnd) return false;
    if (outcome == Parser::Outcome::kSyntaxError) return parser.needs_more();
  }
}

}  // namespace

CommandLine::CommandLine(std::shared_ptr<Session> session, MachineState state, ConfigurationSource source)
    : session_(std::move(session)), state_(std::move(state)), source_(std::move(source)) {}

Result<CommandOutcome> CommandLine::run(std::string_view text) {
  if (text.size() > limits::kWordBytes)
    return fail(ErrorCode::kLimit, "commands of " + std::to_string(text.size()) + " bytes");
  PVHGRUB_TRY(session_->budget.charge_bytes(text.size(), "reading commands"));
  const SourceRange script = SourceRange::whole(SourceText::from_string(std::string(text), "", 1));
  CommandOutcome outcome;
  PVHGRUB_TRY_ASSIGN(const bool incomplete, is_incomplete(script, session_->budget));
  if (incomplete) {
    outcome.kind = CommandOutcome::Kind::kIncomplete;
    return outcome;
  }
  // A configuration that typed commands lead to may lead to itself.
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard, DepthGuard::enter(session_->menu_depth, limits::kSubmenuDepth,
                                                               "menus of a boot configuration"));
  Evaluator evaluator(*session_, state_);
  evaluator.set_menu_source(source_);
  evaluator.set_interactive();
  PVHGRUB_TRY(evaluator.run_file(script));
  return finish(std::move(evaluator));
}

Result<Completion> CommandLine::complete(std::string_view line) {
  if (line.size() > limits::kWordBytes)
    return fail(ErrorCode::kLimit, "a line of " + std::to_string(line.size()) + " bytes");
  PVHGRUB_TRY(session_->budget.charge_bytes(line.size(), "completing a line"));
  Evaluator evaluator(*session_, state_);
  evaluator.set_menu_source(source_);
  return complete_line(evaluator, line);
}

Result<CommandOutcome> CommandLine::finish(Evaluator evaluator) {
  CommandOutcome outcome;
  outcome.command = evaluator.ending_command();
  switch (evaluator.ending()) {
    case Ending::kNone:
      if (!evaluator.menu().entries.empty()) return make_menu(std::move(evaluator));
      break;
    case Ending::kBoot: {
      MachineState state = evaluator.state();
      PVHGRUB_TRY_ASSIGN(outcome.entry, take_loaded_entry(evaluator));
      outcome.kind = CommandOutcome::Kind::kBoot;
      state_ = std::move(state);
      return outcome;
    }
    case Ending::kShowMenu:
      return make_menu(std::move(evaluator));
    case Ending::kLeave: {
      constexpr std::array<std::string_view, 3> kBackToMenu = {"normal", "normal_exit", "exit"};
      outcome.kind = std::ranges::find(kBackToMenu, outcome.command) != kBackToMenu.end()
                         ? CommandOutcome::Kind::kLeave
                         : CommandOutcome::Kind::kNothingToDo;
      break;
    }
  }
  state_ = std::move(evaluator.state());
  return outcome;
}

// What `configfile` and the like do to the variables is the new menu's: here all is as before. Entries that
// were typed, or that `source` read, are a menu of their own.
Result<CommandOutcome> CommandLine::make_menu(Evaluator evaluator) {
  MachineState state = evaluator.ending() == Ending::kNone ? evaluator.state() : state_;
  CommandOutcome outcome;
  outcome.command = evaluator.ending_command();
  Result<std::unique_ptr<GrubMenu>> menu = GrubMenu::from_evaluation(session_, std::move(evaluator));
  if (!menu && menu.error().code == ErrorCode::kNoEntry) {
    session_->diagnostics.notice(menu.error().where, "error: " + menu.error().message + ".");
    return outcome;
  }
  if (!menu) return std::unexpected(std::move(menu).error());
  state_ = std::move(state);
  outcome.kind = CommandOutcome::Kind::kMenu;
  outcome.menu = std::move(*menu);
  return outcome;
}

}  // namespace pvhgrub::grubcfg
