// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/menu_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/escape.h"
#include "base/limits.h"

namespace pvhgrub::menu {
namespace {

using grubcfg::BootEntry;
using grubcfg::Choice;

Step error_step(std::string message) {
  return {Step::Kind::kError, {}, std::move(message)};
}

// Errors that a person may go on from; what remains is the host's, or this program's.
bool can_go_on(ErrorCode code) {
  switch (code) {
    case ErrorCode::kSandbox:
    case ErrorCode::kProtocol:
    case ErrorCode::kInternal:
    case ErrorCode::kUsage:
      return false;
    case ErrorCode::kIo:  // of the disk; the terminal's own ends the menu elsewhere
    case ErrorCode::kNotFound:
    case ErrorCode::kWrongType:
    case ErrorCode::kDamaged:
    case ErrorCode::kUnsupported:
    case ErrorCode::kLimit:
    case ErrorCode::kSyntax:
    case ErrorCode::kNoEntry:
      break;
  }
  return true;
}

/// The step, or what to tell a person of the error.
Result<Step> told(Result<Step> step) {
  if (step || !can_go_on(step.error().code)) return step;
  return error_step(step.error().describe());
}

struct NamedKey {
  std::string_view name;
  Key key;
};
/// GRUB manual, "menuentry": names of keys that are no letter.
constexpr auto kNamedKeys = std::to_array<NamedKey>({
    {"backspace", {Key::Kind::kBackspace, 0}},
    {"tab", {Key::Kind::kTab, 0}},
    {"delete", {Key::Kind::kDelete, 0}},
    {"return", {Key::Kind::kEnter, 0}},
    {"escape", {Key::Kind::kEscape, 0}},
    {"home", {Key::Kind::kHome, 0}},
    {"end", {Key::Kind::kEnd, 0}},
    {"up", {Key::Kind::kUp, 0}},
    {"down", {Key::Kind::kDown, 0}},
    {"left", {Key::Kind::kLeft, 0}},
    {"right", {Key::Kind::kRight, 0}},
    {"pageup", {Key::Kind::kPageUp, 0}},
    {"pagedown", {Key::Kind::kPageDown, 0}},
});

bool is_hotkey(std::string_view name, const Key& key) {
  if (name.empty()) return false;
  if (key.is(Key::Kind::kCharacter)) {
    const CodePoint point = decode_utf8(name);
    return point.length == name.size() && point.value == key.character;
  }
  if (key.is(Key::Kind::kFunction)) return name == "f" + std::to_string(static_cast<unsigned>(key.character));
  const auto named = std::ranges::find(kNamedKeys, key, &NamedKey::key);
  return named != kNamedKeys.end() && name == named->name;
}

}  // namespace

MenuSession::MenuSession(grubcfg::Menu& root, MenuHost& host, grubcfg::Diagnostics& diagnostics)
    : host_(host), diagnostics_(diagnostics) {
  push(root, "", std::nullopt, nullptr);
}

void MenuSession::push(grubcfg::Menu& menu, std::string title, std::optional<std::size_t> index,
                       std::unique_ptr<grubcfg::Menu> owned) {
  Level level{&menu, std::move(title), index, {}, 0, std::move(owned)};
  for (std::size_t i = 0; i < menu.entries().size(); ++i)
    if (!menu.entries()[i].hidden) level.shown.push_back(i);
  const auto selected = std::ranges::find(level.shown, menu.default_index());
  if (selected != level.shown.end())
    level.selected = static_cast<std::size_t>(selected - level.shown.begin());
  levels_.push_back(std::move(level));
}

void MenuSession::select(std::size_t position) {
  Level& level = levels_.back();
  level.selected = level.shown.empty() ? 0 : std::min(position, level.shown.size() - 1);
}

std::vector<std::string> MenuSession::trail() const {
  std::vector<std::string> titles;
  for (std::size_t i = 1; i < levels_.size(); ++i) titles.push_back(levels_[i].title);
  return titles;
}

bool MenuSession::back() {
  if (levels_.size() == 1) return false;
  levels_.pop_back();
  return true;
}

void MenuSession::enter(std::unique_ptr<grubcfg::Menu> menu, std::string title) {
  grubcfg::Menu& entered = *menu;
  push(entered, std::move(title), std::nullopt, std::move(menu));
}

// A command's menu has no path that --entry could name: the way to its entry is then no way at all.
grubcfg::EntryPath MenuSession::path_to(std::size_t index) const {
  grubcfg::EntryPath path;
  for (std::size_t i = 1; i < levels_.size(); ++i) {
    if (!levels_[i].index) return {};
    path.push_back(*levels_[i].index);
  }
  path.push_back(index);
  return path;
}

Choice MenuSession::choice_of(std::size_t index, BootEntry entry, bool edited) const {
  const grubcfg::MenuEntry& shown = menu().entries()[index];
  return {path_to(index), shown.title, shown.id, std::move(entry), edited};
}

Result<Step> MenuSession::judge(Choice choice) {
  const BootEntry& entry = choice.entry;
  if (!entry.error.empty()) {
    menu().keep_environment_changes(entry.environment_changes);
    return error_step(entry.error);
  }
  if (entry.kind == BootEntry::Kind::kNone) return error_step("the entry loads nothing");
  if (const Result<void> checked = host_.check(choice); !checked)
    return told(std::unexpected(checked.error()));
  return Step{Step::Kind::kChosen, std::move(choice), {}};
}

Result<Step> MenuSession::open(std::size_t index) {
  grubcfg::Menu& here = menu();
  const grubcfg::MenuEntry& entry = here.entries()[index];
  if (!login_.may_boot(here, entry)) return Step{Step::Kind::kLogin, {}, {}};
  host_.begin_request();
  host_.send_words(WordsTo::kNobody);
  if (entry.is_submenu) {
    if (levels_.size() > limits::kSubmenuDepth)
      return error_step("submenus nested deeper than " + std::to_string(limits::kSubmenuDepth) + " levels");
    const Result<grubcfg::Menu*> submenu = here.submenu(index);
    if (!submenu) return told(std::unexpected(submenu.error()));
    push(**submenu, entry.title, index, nullptr);
    return Step{};
  }
  // What evaluating it has to say is the caller's, once it is booted.
  host_.send_words(WordsTo::kCaller);
  Result<BootEntry> evaluated = here.evaluate(index);
  if (!evaluated) return told(std::unexpected(std::move(evaluated).error()));
  return judge(choice_of(index, *std::move(evaluated), false));
}

Result<bool> MenuSession::default_needs_login() {
  grubcfg::Menu* here = levels_.front().menu;
  PVHGRUB_TRY_ASSIGN(const grubcfg::EntryPath path, grubcfg::default_path(*here));
  for (const std::size_t index : path) {
    if (index >= here->entries().size()) return false;
    if (!login_.may_boot(*here, here->entries()[index])) return true;
    if (!here->entries()[index].is_submenu) return false;
    const Result<grubcfg::Menu*> submenu = here->submenu(index);
    if (!submenu) return false;
    here = *submenu;
  }
  return false;
}

Result<Step> MenuSession::boot_default() {
  host_.begin_request();
  host_.send_words(WordsTo::kNobody);
  const Result<bool> locked = default_needs_login();
  if (!locked) return told(std::unexpected(locked.error()));
  if (*locked) return Step{Step::Kind::kLogin, {}, {}};
  host_.send_words(WordsTo::kCaller);
  Result<Choice> choice = grubcfg::choose_default(*levels_.front().menu, diagnostics_);
  if (!choice) return told(std::unexpected(std::move(choice).error()));
  return judge(*std::move(choice));
}

std::optional<std::size_t> MenuSession::entry_of_hotkey(const Key& key) const {
  const std::vector<grubcfg::MenuEntry>& entries = menu().entries();
  const auto found =
      std::ranges::find_if(entries, [&](const auto& entry) { return is_hotkey(entry.hotkey, key); });
  if (found == entries.end()) return std::nullopt;
  return static_cast<std::size_t>(found - entries.begin());
}

Result<bool> MenuSession::log_in(std::string_view user, std::string_view password, std::string& message) {
  if (wrong_passwords_ >= limits::kPasswordTries) {
    message = "too many wrong passwords: none is taken any more; start the domain again";
    return false;
  }
  Result<bool> matches = login_.log_in(menu(), user, password);
  if (!matches) {
    if (!can_go_on(matches.error().code)) return matches;
    message = matches.error().describe();
    return false;
  }
  if (*matches) return true;
  ++wrong_passwords_;
  message = "access denied";
  return false;
}

Result<Step> MenuSession::boot_edited(std::size_t index, std::string_view text) {
  host_.begin_request();
  host_.send_words(WordsTo::kCaller);
  Result<BootEntry> entry = menu().evaluate_edited(index, text);
  if (!entry) return told(std::unexpected(std::move(entry).error()));
  return judge(choice_of(index, *std::move(entry), true));
}

Result<std::optional<std::string>> MenuSession::command_line_of(std::size_t index, std::string& message) {
  host_.begin_request();
  host_.send_words(WordsTo::kNobody);
  Result<BootEntry> entry = menu().evaluate(index);
  if (!entry) {
    if (!can_go_on(entry.error().code)) return std::unexpected(std::move(entry).error());
    message = entry.error().describe();
    return std::nullopt;
  }
  if (!entry->bootable()) {
    message = entry->error.empty() ? "the entry loads no kernel that has a command line" : entry->error;
    return std::nullopt;
  }
  return std::move(entry->command_line);
}

Result<Step> MenuSession::boot_with_command_line(std::size_t index, std::string_view line) {
  host_.begin_request();
  host_.send_words(WordsTo::kCaller);
  Result<BootEntry> entry = menu().evaluate(index);
  if (!entry) return told(std::unexpected(std::move(entry).error()));
  if (entry->bootable()) entry->command_line = line;
  return judge(choice_of(index, *std::move(entry), true));
}

Result<std::unique_ptr<grubcfg::CommandLine>> MenuSession::command_line() {
  host_.begin_request();
  return menu().command_line();
}

Result<Step> MenuSession::boot_loaded(BootEntry entry) {
  const std::string kernel = entry.kernel.to_string();
  return judge({{}, "command line: " + kernel, "", std::move(entry), true});
}

}  // namespace pvhgrub::menu
