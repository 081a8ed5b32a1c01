// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/numbered_menu.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/escape.h"
#include "base/limits.h"
#include "menu/command_screen.h"
#include "menu/shown_text.h"

namespace pvhgrub::menu {
namespace {

constexpr int kTabWidth = 4;

std::string escaped(std::string_view text, bool utf8, int tab_width = 0) {
  std::string out;
  for (const char32_t character : shown_text(text, utf8, tab_width)) append_utf8(out, character);
  return out;
}

}  // namespace

Result<void> NumberedMenu::tell(std::string_view text) {
  while (!text.empty())
    PVHGRUB_TRY(teletype_.write(escaped(take_line(text), teletype_.utf8(), kTabWidth) + "\n"));
  return {};
}

Result<grubcfg::Choice> NumberedMenu::choose() {
  Result<Chosen> chosen = begin();
  if (chosen && !*chosen) chosen = ask();
  teletype_.leave();
  attendance_.closed();
  if (!chosen) return std::unexpected(std::move(chosen).error());
  return **std::move(chosen);
}

Result<NumberedMenu::Chosen> NumberedMenu::begin() {
  if (!rejected_.empty()) {
    attendance_.shown(countdown_.running());
    PVHGRUB_TRY(tell(std::exchange(rejected_, {})));
    return Chosen();
  }
  if (std::exchange(begun_, true)) return Chosen();
  countdown_ = Countdown(session_.menu().timeout(), host_.now());
  const bool hidden = session_.menu().timeout_style() != grubcfg::TimeoutStyle::kMenu;
  if (!session_.menu().timeout()) return Chosen();
  if (*session_.menu().timeout() == 0 && !(hidden && teletype_.key_waits())) return boot_default();
  if (!hidden) return Chosen();
  attendance_.shown(countdown_.running());
  PVHGRUB_TRY_ASSIGN(const Key key, next_key("Esc shows the menu."));
  if (key.is(Key::Kind::kTimeout)) return boot_default();
  PVHGRUB_TRY(teletype_.write("\n"));
  return Chosen();
}

std::string NumberedMenu::seconds() {
  return countdown_.running() ? " (boots in " + std::to_string(countdown_.seconds_left(host_.now())) + " s)"
                              : "";
}

// A key, or kTimeout when the countdown is over; any key ends that. The label is written anew with each
// second.
Result<Key> NumberedMenu::next_key(std::string_view label) {
  while (countdown_.running()) {
    const auto now = host_.now();
    PVHGRUB_TRY(teletype_.write("\r" + std::string(label) + seconds() + " "));
    PVHGRUB_TRY_ASSIGN(const Key key, teletype_.read_key(countdown_.next_tick(now)));
    if (!key.is(Key::Kind::kTimeout)) {
      countdown_.stop();
      attendance_.touched();
      PVHGRUB_TRY(teletype_.write("\n" + std::string(label)));
      return key;
    }
    if (countdown_.over(host_.now())) {
      PVHGRUB_TRY(teletype_.write("\n"));
      return key;
    }
  }
  PVHGRUB_TRY_ASSIGN(const Key key, teletype_.read_key(std::nullopt));
  if (!key.is_event()) attendance_.touched();
  return key;
}

Result<NumberedMenu::Line> NumberedMenu::read_line(std::string_view label, std::string_view text,
                                                   bool secret) {
  TextEdit edit(text, true);
  PVHGRUB_TRY(teletype_.write(std::string(label) + escaped(text, teletype_.utf8())));
  for (;;) {
    PVHGRUB_TRY_ASSIGN(const Key key, next_key(label));
    if (key.is(Key::Kind::kTimeout)) return Line();
    if (key.is(Key::Kind::kEscape)) {
      PVHGRUB_TRY(teletype_.write("\n"));
      return Line();
    }
    if (key.is(Key::Kind::kEnter)) {
      PVHGRUB_TRY(teletype_.write("\n"));
      return edit.text();
    }
    const bool backwards = key.is(Key::Kind::kBackspace) || key.is_control('u') || key.is_control('w');
    if (!key.is(Key::Kind::kCharacter) && !backwards) continue;
    const std::string before = escaped(edit.text(), teletype_.utf8());
    (void)edit.apply(key);
    const std::string after = escaped(edit.text(), teletype_.utf8());
    if (secret || before == after) continue;
    if (after.starts_with(before)) {
      PVHGRUB_TRY(teletype_.write(after.substr(before.size())));
    } else if (before.starts_with(after)) {
      // Only at its end can the line be changed.
      std::string rubout;
      const int cells = width_of(shown_text(std::string_view(before).substr(after.size()), true));
      for (int i = 0; i < cells; ++i) rubout += "\b \b";
      PVHGRUB_TRY(teletype_.write(rubout));
    }
  }
}

Result<void> NumberedMenu::list() {
  const grubcfg::Menu& menu = session_.menu();
  const grubcfg::ConfigurationSource& source = menu.source();
  PVHGRUB_TRY(tell("\n" + head_ + ": " + grubcfg::FileReference{source.device, source.path}.to_string()));
  for (const std::string& title : session_.trail()) PVHGRUB_TRY(tell("> " + title));
  for (std::size_t i = 0; i < session_.shown().size(); ++i) {
    const grubcfg::MenuEntry& entry = menu.entries()[session_.shown()[i]];
    const bool selected = i == session_.selected();
    PVHGRUB_TRY(teletype_.write((selected ? "* " : "  ") + std::to_string(i) + "  " +
                                escaped(entry.title, teletype_.utf8()) + (entry.is_submenu ? " >" : "") +
                                "\n"));
  }
  return tell(
      "NUMBER boots that entry, Enter the marked one. a NUMBER: change its command line. c: command prompt." +
      std::string(session_.trail().empty() ? "" : " b: back.") + " l: list again. q: boot nothing.");
}

Result<NumberedMenu::Chosen> NumberedMenu::ask() {
  bool listed = false;
  const grubcfg::Menu* here = nullptr;
  for (;;) {
    attendance_.shown(countdown_.running());
    if (!listed || here != &session_.menu()) PVHGRUB_TRY(list());
    listed = true;
    here = &session_.menu();
    const bool counting = countdown_.running();
    PVHGRUB_TRY_ASSIGN(const Line line, read_line("Entry? ", "", false));
    Chosen chosen;
    if (line) {
      if (*line == "l") listed = false;
      PVHGRUB_TRY_ASSIGN(chosen, obey(*line));
    } else if (counting && countdown_.over(host_.now())) {
      PVHGRUB_TRY_ASSIGN(chosen, boot_default());
    } else if (session_.back()) {
      continue;
    }
    if (chosen) return chosen;
  }
}

Result<NumberedMenu::Chosen> NumberedMenu::obey(std::string_view line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  while (line.ends_with(' ')) line.remove_suffix(1);
  if (line.empty())
    return session_.shown().empty() ? Result<Chosen>() : open(session_.shown()[session_.selected()]);
  if (line == "l") return Chosen();
  if (line == "b") {
    (void)session_.back();
    return Chosen();
  }
  if (line == "c") return command_prompt();
  if (line == "q") return fail(ErrorCode::kNoEntry, "given up at the menu: nothing is booted");
  if (line.starts_with("a ")) return obey_number(line.substr(2), true);
  return obey_number(line, false);
}

Result<NumberedMenu::Chosen> NumberedMenu::obey_number(std::string_view number, bool arguments) {
  std::size_t position = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), position);
  if (error != std::errc() || end != number.data() + number.size() || position >= session_.shown().size()) {
    PVHGRUB_TRY(tell("There is no such entry."));
    return Chosen();
  }
  session_.select(position);
  const std::size_t index = session_.shown()[position];
  return arguments ? change_arguments(index) : open(index);
}

Result<NumberedMenu::Chosen> NumberedMenu::follow(Step step) {
  if (step.kind == Step::Kind::kChosen) return Chosen(std::move(step.choice));
  if (step.kind == Step::Kind::kError) PVHGRUB_TRY(tell(step.message));
  return Chosen();
}

Result<NumberedMenu::Chosen> NumberedMenu::boot_default() {
  countdown_.stop();
  PVHGRUB_TRY_ASSIGN(Step step, session_.boot_default());
  if (step.kind == Step::Kind::kLogin) {
    attendance_.shown(countdown_.running());
    PVHGRUB_TRY_ASSIGN(const bool logged_in, log_in());
    if (!logged_in) return Chosen();
    PVHGRUB_TRY_ASSIGN(step, session_.boot_default());
  }
  if (step.kind != Step::Kind::kChosen) attendance_.shown(countdown_.running());
  return follow(std::move(step));
}

Result<NumberedMenu::Chosen> NumberedMenu::open(std::size_t index) {
  PVHGRUB_TRY_ASSIGN(Step step, session_.open(index));
  if (step.kind == Step::Kind::kLogin) {
    PVHGRUB_TRY_ASSIGN(const bool logged_in, log_in());
    if (!logged_in) return Chosen();
    PVHGRUB_TRY_ASSIGN(step, session_.open(index));
    if (step.kind == Step::Kind::kLogin) PVHGRUB_TRY(tell("This user may not boot this entry."));
  }
  return follow(std::move(step));
}

Result<bool> NumberedMenu::log_in() {
  Line user = "";
  if (session_.asks_for_name()) {
    PVHGRUB_TRY_ASSIGN(user, read_line("User name: ", "", false));
    if (!user) return false;
  }
  PVHGRUB_TRY_ASSIGN(const Line password, read_line("Password: ", "", true));
  if (!password) return false;
  std::string message;
  PVHGRUB_TRY_ASSIGN(const bool matches, session_.log_in(*user, *password, message));
  if (!matches) PVHGRUB_TRY(tell(message));
  return matches;
}

Result<bool> NumberedMenu::unlock() {
  if (session_.may_edit()) return true;
  PVHGRUB_TRY_ASSIGN(const bool logged_in, log_in());
  if (logged_in && !session_.may_edit()) PVHGRUB_TRY(tell("This user may not edit."));
  return logged_in && session_.may_edit();
}

Result<NumberedMenu::Chosen> NumberedMenu::change_arguments(std::size_t index) {
  if (session_.menu().entries()[index].is_submenu) return Chosen();
  PVHGRUB_TRY_ASSIGN(const bool may, unlock());
  if (!may) return Chosen();
  std::string message;
  PVHGRUB_TRY_ASSIGN(const auto line, session_.command_line_of(index, message));
  if (!line) {
    PVHGRUB_TRY(tell(message));
    return Chosen();
  }
  PVHGRUB_TRY_ASSIGN(const Line edited, read_line("Command line: ", *line, false));
  if (!edited) return Chosen();
  PVHGRUB_TRY_ASSIGN(Step step, session_.boot_with_command_line(index, *edited));
  return follow(std::move(step));
}

Result<NumberedMenu::Chosen> NumberedMenu::command_prompt() {
  PVHGRUB_TRY_ASSIGN(const bool may, unlock());
  if (!may) return Chosen();
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<grubcfg::CommandLine> line, session_.command_line());
  CommandDialogue dialogue(session_, host_, *line);
  PVHGRUB_TRY(tell("GRUB's commands; `exit' goes back to the menu."));
  for (;;) {
    PVHGRUB_TRY_ASSIGN(const Line typed, read_line(dialogue.incomplete() ? "> " : "grub> ", "", false));
    if (!typed) {
      dialogue.leave();
      return Chosen();
    }
    PVHGRUB_TRY_ASSIGN(const CommandDialogue::Wish wish, dialogue.run(*typed));
    PVHGRUB_TRY(tell(dialogue.output()));
    if (wish == CommandDialogue::Wish::kBoot) return Chosen(dialogue.take_choice());
    if (wish == CommandDialogue::Wish::kLeave) return Chosen();
  }
}

}  // namespace pvhgrub::menu
