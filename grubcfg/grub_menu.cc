// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/grub_menu.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "grubcfg/choice.h"
#include "grubcfg/command_line.h"
#include "grubcfg/editable_entry.h"
#include "grubcfg/entry_number.h"
#include "grubcfg/grub_flavour.h"
#include "grubcfg/loaded_entry.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// The menu of a script that boots without one: a single entry that boots what is already loaded, at once.
Result<void> make_boot_at_once_menu(Evaluator& evaluator) {
  MenuUnderConstruction menu;
  MenuEntry entry;
  entry.title = evaluator.menu_source().path;
  entry.id = entry.title;
  menu.entries.push_back(std::move(entry));
  menu.bodies.push_back(
      {SourceRange::whole(SourceText::from_string("", evaluator.menu_source().path, 1)), {}});
  (void)evaluator.exchange_menu(std::move(menu));
  PVHGRUB_TRY(evaluator.set_variable("timeout", "0"));
  for (const std::string_view name : {"default", "fallback"})
    PVHGRUB_TRY(evaluator.environment().unset(name, evaluator.session().budget));
  return {};
}

std::string doubled_angles(std::string_view id) {
  std::string doubled;
  for (const char c : id) {
    if (c == '>') doubled += '>';
    doubled += c;
  }
  return doubled;
}

}  // namespace

GrubMenu::GrubMenu(std::shared_ptr<Session> session, MachineState state, MenuUnderConstruction menu,
                   ConfigurationSource source)
    : session_(std::move(session)),
      state_(std::move(state)),
      menu_(std::move(menu)),
      source_(std::move(source)) {
  state_.environment.share();
}

Result<std::unique_ptr<GrubMenu>> GrubMenu::from_evaluation(std::shared_ptr<Session> session,
                                                            Evaluator evaluator) {
  const std::string where =
      FileReference{evaluator.menu_source().device, evaluator.menu_source().path}.to_string();
  switch (evaluator.ending()) {
    case Ending::kBoot:
      PVHGRUB_TRY(make_boot_at_once_menu(evaluator));
      break;
    case Ending::kLeave:
      return fail(ErrorCode::kNoEntry,
                  "the boot configuration ends with `" + evaluator.ending_command() + "' instead of a menu",
                  where);
    case Ending::kNone:
    case Ending::kShowMenu:
      break;
  }
  if (evaluator.menu().entries.empty())
    return fail(ErrorCode::kNoEntry, "the boot configuration has no menu entry", where);
  MenuUnderConstruction menu = evaluator.exchange_menu({});
  std::unique_ptr<GrubMenu> made(new GrubMenu(std::move(session), std::move(evaluator.state()),
                                              std::move(menu), evaluator.menu_source()));
  PVHGRUB_TRY(made->read_settings());
  return made;
}

Result<void> GrubMenu::read_default() {
  const Environment& environment = state_.environment;
  const std::string fallback(environment.value_or_empty("fallback"));
  // An empty `default` names the entry with the empty title; one that is not set names none.
  const std::string* const wanted = environment.get("default");
  const auto find_default = [&](bool names_first) -> std::optional<std::size_t> {
    return wanted != nullptr ? find_entry(menu_.entries, *wanted, names_first) : std::nullopt;
  };
  std::optional<std::size_t> index = find_default(false);
  fallback_ = find_fallback(menu_.entries, fallback, false);
  // Only where it makes a difference the guest is asked whose GRUB it has.
  std::vector<std::size_t> named_fallback = find_fallback(menu_.entries, fallback, true);
  if (find_default(true) != index || named_fallback != fallback_) {
    PVHGRUB_TRY_ASSIGN(const GrubFlavour flavour, find_flavour(*session_, state_, source_, {}));
    if (flavour.names_before_numbers) {
      index = find_default(true);
      fallback_ = std::move(named_fallback);
    }
  }
  default_index_ = index.value_or(0);
  return {};
}

Result<void> GrubMenu::read_settings() {
  PVHGRUB_TRY(read_default());
  const Environment& environment = state_.environment;
  const ParsedNumber seconds = parse_number(environment.value_or_empty("timeout"), 0);
  // GRUB keeps it in an int; what is negative there means no timeout.
  const auto narrowed = static_cast<std::int32_t>(static_cast<std::uint32_t>(seconds.value));
  if (seconds.status == kStatusOk && narrowed >= 0) timeout_ = static_cast<std::uint32_t>(narrowed);
  const std::string_view style = environment.value_or_empty("timeout_style");
  // Without a timeout GRUB shows the menu whatever the style.
  if (timeout_ && style == "countdown") timeout_style_ = TimeoutStyle::kCountdown;
  if (timeout_ && style == "hidden") timeout_style_ = TimeoutStyle::kHidden;
  if (const std::string* superusers = environment.get("superusers")) superusers_ = *superusers;
  if (!superusers_)
    for (MenuEntry& entry : menu_.entries) entry.restricted = false;
  return {};
}

std::string_view GrubMenu::entry_source(std::size_t index) const {
  return index < menu_.bodies.size() ? menu_.bodies[index].range.text() : std::string_view();
}

Result<Evaluator> GrubMenu::begin_entry(std::size_t index, bool new_context) const {
  Budget& budget = session_->budget;
  Evaluator evaluator(*session_, state_);
  evaluator.set_menu_source(source_);
  const Environment& outer = state_.environment;
  Environment& environment = evaluator.environment();
  if (new_context) {
    environment = outer.exported_copy();
    // Nobody touched a key on the way to the default: nobody is asked in the submenu either.
    if (index == default_index_ || std::ranges::find(fallback_, index) != fallback_.end())
      PVHGRUB_TRY(environment.set("timeout", "0", budget));
  } else if (index != default_index_) {
    // Only the first attempt sees the menu's timeout: a key, or a failure, has taken it away before any
    // other.
    PVHGRUB_TRY(environment.unset("timeout", budget));
  }
  std::string chosen;
  if (const std::string* before = outer.get("chosen")) chosen = *before + ">";
  chosen += doubled_angles(menu_.entries[index].id);
  PVHGRUB_TRY(environment.set("chosen", chosen, budget));
  PVHGRUB_TRY(environment.export_variable("chosen", budget));
  const std::string rest(rest_of_path(outer.value_or_empty("default")));
  if (rest.empty()) {
    PVHGRUB_TRY(environment.unset("default", budget));
  } else {
    PVHGRUB_TRY(environment.set("default", rest, budget));
  }
  return evaluator;
}

Result<void> GrubMenu::run_entry(Evaluator& evaluator, std::size_t index, const SourceRange& body) const {
  std::vector<std::string> arguments = {menu_.entries[index].title};
  const std::vector<std::string>& more = menu_.bodies[index].more_arguments;
  arguments.insert(arguments.end(), more.begin(), more.end());
  return evaluator.run_body(body, std::move(arguments));
}

std::vector<EnvironmentBlockChange> GrubMenu::environment_changes() const {
  return changes_to_write(*session_, state_);
}

void GrubMenu::keep_environment_changes(const std::vector<EnvironmentBlockChange>& changes) {
  restore_environment_changes(state_, session_->environment_blocks, changes);
}

Result<BootEntry> GrubMenu::outcome(Evaluator evaluator) {
  if (evaluator.ending() == Ending::kShowMenu) {
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<GrubMenu> nested,
                       from_evaluation(session_, std::move(evaluator)));
    session_->diagnostics.explain("the entry leads to the menu of " +
                                  FileReference{nested->source().device, nested->source().path}.to_string());
    Result<Choice> choice = choose_default(*nested, session_->diagnostics);
    if (choice) return std::move(choice->entry);
    if (choice.error().code != ErrorCode::kNoEntry) return std::unexpected(std::move(choice).error());
    BootEntry entry;
    entry.error = choice.error().message;
    entry.environment_changes = nested->environment_changes();
    return entry;
  }
  if (evaluator.ending() == Ending::kLeave) {
    BootEntry entry;
    entry.error = "the entry runs `" + evaluator.ending_command() + "', which boots nothing";
    entry.environment_changes = changes_to_write(*session_, evaluator.state());
    return entry;
  }
  return take_loaded_entry(evaluator);
}

Result<void> GrubMenu::check_index(std::size_t index) const {
  if (index < menu_.entries.size() && !menu_.entries[index].is_submenu) return {};
  return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is none that can be booted");
}

Result<BootEntry> GrubMenu::evaluate(std::size_t index) {
  PVHGRUB_TRY(check_index(index));
  // An entry that runs `configfile` on its own file would go on for ever.
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard, DepthGuard::enter(session_->menu_depth, limits::kSubmenuDepth,
                                                               "menus of a boot configuration"));
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, begin_entry(index, false));
  PVHGRUB_TRY(run_entry(evaluator, index, menu_.bodies[index].range));
  return outcome(std::move(evaluator));
}

Result<std::string> GrubMenu::editable_text(std::size_t index) {
  PVHGRUB_TRY(check_index(index));
  return make_editable_script(menu_.bodies[index].range.text());
}

Result<BootEntry> GrubMenu::evaluate_edited(std::size_t index, std::string_view text) {
  PVHGRUB_TRY(check_index(index));
  if (text.size() > limits::kScriptBytes)
    return fail(ErrorCode::kLimit, "an edited entry of " + std::to_string(text.size()) + " bytes");
  PVHGRUB_TRY(session_->budget.charge_bytes(text.size(), "evaluating an edited entry"));
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard, DepthGuard::enter(session_->menu_depth, limits::kSubmenuDepth,
                                                               "menus of a boot configuration"));
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, begin_entry(index, false));
  const SourceRange body = SourceRange::whole(SourceText::from_string(std::string(text), "edited entry", 1));
  PVHGRUB_TRY(run_entry(evaluator, index, body));
  const bool had_syntax_error = evaluator.had_syntax_error();
  std::string error = evaluator.first_error();
  if (!evaluator.first_error_where().empty()) error = evaluator.first_error_where() + ": " + error;
  PVHGRUB_TRY_ASSIGN(BootEntry entry, outcome(std::move(evaluator)));
  // A person who mistyped wants to hear of it, even where GRUB would boot what stands in front of the
  // mistake.
  const bool loads_nothing = entry.kind == BootEntry::Kind::kNone && !entry.error.empty();
  if (!error.empty() && (had_syntax_error || loads_nothing)) entry.error = std::move(error);
  return entry;
}

// A key was pressed: GRUB forgets what it would have done without one.
Result<std::unique_ptr<CommandLine>> GrubMenu::command_line() {
  MachineState state = state_;
  for (const std::string_view name : {"timeout", "fallback"})
    PVHGRUB_TRY(state.environment.unset(name, session_->budget));
  return std::make_unique<CommandLine>(session_, std::move(state), source_);
}

void GrubMenu::continue_from(const CommandLine& command_line) {
  state_ = command_line.state();
  state_.environment.share();
  const std::string* const superusers = state_.environment.get("superusers");
  superusers_ = superusers != nullptr ? std::optional(*superusers) : std::nullopt;
}

Result<Menu*> GrubMenu::submenu(std::size_t index) {
  if (const auto known = submenus_.find(index); known != submenus_.end()) return known->second.get();
  if (index >= menu_.entries.size() || !menu_.entries[index].is_submenu)
    return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is no submenu");
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, begin_entry(index, true));
  PVHGRUB_TRY(run_entry(evaluator, index, menu_.bodies[index].range));
  // With something loaded GRUB boots it before it shows any menu.
  if (evaluator.ending() == Ending::kNone && evaluator.state().loaded.entry.kind != BootEntry::Kind::kNone)
    evaluator.end(Ending::kBoot, "boot");
  const std::vector<EnvironmentBlockChange> changes = changes_to_write(*session_, evaluator.state());
  Result<std::unique_ptr<GrubMenu>> menu = from_evaluation(session_, std::move(evaluator));
  if (!menu) {
    keep_environment_changes(changes);
    return std::unexpected(std::move(menu).error());
  }
  Menu* const made = menu->get();
  submenus_.emplace(index, std::move(*menu));
  return made;
}

}  // namespace pvhgrub::grubcfg
