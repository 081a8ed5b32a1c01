// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/boot_menu.h"

#include <algorithm>

#include "menu/command_screen.h"
#include "menu/edit_screen.h"
#include "menu/prompt.h"

namespace pvhgrub::menu {
namespace {

using std::chrono::milliseconds;

/// After so long without a key the selected entry is looked into.
constexpr milliseconds kIdle{250};
/// So long an error of the automatic choice stands before the menu comes: GRUB's own time.
constexpr milliseconds kUnattendedMessage{10'000};

}  // namespace

Result<grubcfg::Choice> BootMenu::choose() {
  Result<Chosen> chosen = begin();
  if (chosen && !*chosen) chosen = ask();
  terminal_.leave();
  attendance_.closed();
  if (!chosen) return std::unexpected(std::move(chosen).error());
  return **std::move(chosen);
}

// GRUB manual, "timeout", "timeout_style": what happens before a menu is seen, if it is.
Result<BootMenu::Chosen> BootMenu::begin() {
  if (!rejected_.empty()) {
    attendance_.shown(countdown_.running());
    PVHGRUB_TRY(tell(std::exchange(rejected_, {})));
    return Chosen();
  }
  if (std::exchange(begun_, true)) return Chosen();
  const grubcfg::Menu& menu = session_.menu();
  countdown_ = Countdown(menu.timeout(), host_.now());
  if (!menu.timeout()) return Chosen();
  if (menu.timeout_style() != grubcfg::TimeoutStyle::kMenu)
    return wait_hidden(menu.timeout_style() == grubcfg::TimeoutStyle::kCountdown);
  return *menu.timeout() == 0 ? boot_default() : Result<Chosen>();
}

// Esc and F4 show the menu, as in GRUB where there is no Shift key to ask.
Result<BootMenu::Chosen> BootMenu::wait_hidden(bool shows_seconds) {
  // Nothing is written where there is nothing to wait for.
  if (countdown_.over(host_.now()) && !terminal_.key_waits()) return boot_default();
  attendance_.shown(countdown_.running());
  for (;;) {
    const auto now = host_.now();
    const bool over = countdown_.over(now);
    terminal_.clear();
    if (shows_seconds) view_.draw_status(status() + " Esc shows the menu.");
    terminal_.show();
    PVHGRUB_TRY_ASSIGN(const Key key,
                       terminal_.read_key(over ? milliseconds(0) : *countdown_.next_tick(now)));
    if (!key.is_event()) attendance_.touched();
    if (key.is(Key::Kind::kEscape) || key.is_function(4)) {
      countdown_.stop();
      return Chosen();
    }
    if (const auto entry = session_.entry_of_hotkey(key)) {
      countdown_.stop();
      return open(*entry);
    }
    if (over && key.is(Key::Kind::kTimeout)) return boot_default();
  }
}

Result<BootMenu::Chosen> BootMenu::boot_default() {
  countdown_.stop();
  PVHGRUB_TRY_ASSIGN(Step step, session_.boot_default());
  if (step.kind == Step::Kind::kLogin) {
    attendance_.shown(countdown_.running());
    PVHGRUB_TRY_ASSIGN(const bool logged_in, log_in());
    if (!logged_in) return Chosen();
    PVHGRUB_TRY_ASSIGN(step, session_.boot_default());
  }
  if (step.kind == Step::Kind::kChosen) return Chosen(std::move(step.choice));
  attendance_.shown(countdown_.running());
  if (step.kind == Step::Kind::kError) PVHGRUB_TRY(show_message(terminal_, step.message, kUnattendedMessage));
  return Chosen();
}

Result<BootMenu::Chosen> BootMenu::ask() {
  for (;;) {
    attendance_.shown(countdown_.running());
    draw();
    PVHGRUB_TRY_ASSIGN(const Key key, next_key());
    if (key.is(Key::Kind::kTimeout)) {
      PVHGRUB_TRY_ASSIGN(Chosen chosen, boot_default());
      if (chosen) return chosen;
      continue;
    }
    PVHGRUB_TRY_ASSIGN(Chosen chosen, act(key));
    if (chosen) return chosen;
  }
}

std::string BootMenu::status() {
  if (!countdown_.running()) return {};
  const std::uint64_t seconds = countdown_.seconds_left(host_.now());
  return "The selected entry boots in " + std::to_string(seconds) + " s.";
}

bool BootMenu::wants_look_up() const {
  if (session_.shown().empty() || !session_.may_edit()) return false;
  const EntryDetails* const details = details_.find(session_.menu(), selected_index());
  if (details == nullptr) return true;
  // Half a kernel is decompressed for the rest: not while the seconds run.
  return !details->complete && !countdown_.running();
}

Result<void> BootMenu::look_up() {
  PVHGRUB_TRY(details_.look_up(session_.menu(), selected_index(), [this] { return terminal_.key_waits(); }));
  draw();
  return {};
}

// A key, or kTimeout when the countdown is over.
Result<Key> BootMenu::next_key() {
  for (;;) {
    const auto now = host_.now();
    if (countdown_.over(now)) return Key{};
    std::optional<milliseconds> wait = countdown_.next_tick(now);
    const bool curious = wants_look_up();
    if (curious) wait = std::min(wait.value_or(kIdle), kIdle);
    PVHGRUB_TRY_ASSIGN(const Key key, terminal_.read_key(wait));
    if (key.is(Key::Kind::kResize)) {
      draw();
    } else if (!key.is(Key::Kind::kTimeout)) {
      // Any key ends it, as in GRUB.
      countdown_.stop();
      attendance_.touched();
      return key;
    } else if (curious) {
      PVHGRUB_TRY(look_up());
    } else if (countdown_.running()) {
      view_.draw_status(status());
    }
  }
}

void BootMenu::draw() {
  const grubcfg::Menu& menu = session_.menu();
  MenuPicture picture;
  picture.head = head_;
  const grubcfg::ConfigurationSource& source = menu.source();
  picture.source = grubcfg::FileReference{source.device, source.path}.to_string() + " (" + source.kind + ")";
  picture.trail = session_.trail();
  for (const std::size_t index : session_.shown()) {
    picture.titles.push_back(menu.entries()[index].title);
    picture.submenus.push_back(menu.entries()[index].is_submenu);
  }
  picture.selected = session_.selected();
  picture.may_edit = session_.may_edit();
  if (!session_.shown().empty() && picture.may_edit) picture.details = details_.find(menu, selected_index());
  picture.status = status();
  view_.draw(picture);
}

// GRUB's keys: those of Emacs, and '^' and 'v'.
bool BootMenu::move(const Key& key) {
  using Kind = Key::Kind;
  const std::size_t at = session_.selected();
  const std::size_t page = view_.page();
  if (key.is(Kind::kUp) || key.is_control('p') || key.is_character('^')) {
    session_.select(at > 0 ? at - 1 : 0);
  } else if (key.is(Kind::kDown) || key.is_control('n') || key.is_character('v')) {
    session_.select(at + 1);
  } else if (key.is(Kind::kHome) || key.is_control('a')) {
    session_.select(0);
  } else if (key.is(Kind::kEnd) || key.is_control('e')) {
    session_.select(session_.shown().size());
  } else if (key.is(Kind::kPageUp) || key.is_control('g')) {
    session_.select(at - std::min(at, page));
  } else if (key.is(Kind::kPageDown) || key.is_control('c')) {
    session_.select(at + page);
  } else {
    return false;
  }
  return true;
}

Result<BootMenu::Chosen> BootMenu::act(const Key& key) {
  using Kind = Key::Kind;
  const bool empty = session_.shown().empty();
  if (move(key)) return Chosen();
  if (key.is(Kind::kEnter) || key.is(Kind::kRight) || key.is_control('f'))
    return empty ? Result<Chosen>() : open(selected_index());
  if (key.is(Kind::kEscape) || key.is(Kind::kLeft) || key.is_control('b')) {
    (void)session_.back();
    return Chosen();
  }
  if (key.is_control('l')) terminal_.redraw();
  if (key.is_character('e') && !empty) return edit();
  if (key.is_character('a') && !empty) return edit_command_line();
  if (key.is_character('c')) return command_prompt();
  if (key.is_character('q')) {
    PVHGRUB_TRY_ASSIGN(const bool sure, ask_yes(terminal_, "Boot nothing? y: yes, any other key: no"));
    if (sure) return fail(ErrorCode::kNoEntry, "given up at the menu: nothing is booted");
    return Chosen();
  }
  if (const auto entry = session_.entry_of_hotkey(key)) return open(*entry);
  return Chosen();
}

Result<void> BootMenu::tell(std::string_view message) {
  return show_message(terminal_, message, std::nullopt);
}

Result<BootMenu::Chosen> BootMenu::follow(Step step) {
  if (step.kind == Step::Kind::kChosen) return Chosen(std::move(step.choice));
  if (step.kind == Step::Kind::kError) PVHGRUB_TRY(tell(step.message));
  return Chosen();
}

Result<BootMenu::Chosen> BootMenu::open(std::size_t index) {
  PVHGRUB_TRY_ASSIGN(Step step, session_.open(index));
  if (step.kind == Step::Kind::kLogin) {
    PVHGRUB_TRY_ASSIGN(const bool logged_in, log_in());
    if (!logged_in) return Chosen();
    PVHGRUB_TRY_ASSIGN(step, session_.open(index));
    if (step.kind == Step::Kind::kLogin) {
      PVHGRUB_TRY(tell("This user may not boot this entry."));
      return Chosen();
    }
  }
  return follow(std::move(step));
}

Result<bool> BootMenu::log_in() {
  std::optional<std::string> user = "";
  if (session_.asks_for_name()) {
    PVHGRUB_TRY_ASSIGN(user, ask_line(terminal_, {}, "User name: ", "", false));
    if (!user) return false;
  }
  PVHGRUB_TRY_ASSIGN(const auto password, ask_line(terminal_, {}, "Password: ", "", true));
  if (!password) return false;
  std::string message;
  PVHGRUB_TRY_ASSIGN(const bool matches, session_.log_in(*user, *password, message));
  if (!matches) PVHGRUB_TRY(tell(message));
  return matches;
}

Result<bool> BootMenu::unlock() {
  if (session_.may_edit()) return true;
  PVHGRUB_TRY_ASSIGN(const bool logged_in, log_in());
  if (logged_in && !session_.may_edit()) PVHGRUB_TRY(tell("This user may not edit."));
  return logged_in && session_.may_edit();
}

Result<BootMenu::Chosen> BootMenu::edit() {
  PVHGRUB_TRY_ASSIGN(const bool may, unlock());
  const std::size_t index = selected_index();
  const grubcfg::MenuEntry& entry = session_.menu().entries()[index];
  if (!may) return Chosen();
  PVHGRUB_TRY_ASSIGN(const std::string text, session_.editable_text(index));
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<grubcfg::CommandLine> completer, session_.command_line());
  EditScreen screen(terminal_, entry.title, text, *completer);
  for (;;) {
    PVHGRUB_TRY_ASSIGN(const EditScreen::Wish wish, screen.run());
    switch (wish) {
      case EditScreen::Wish::kDiscard:
        return Chosen();
      case EditScreen::Wish::kCommandLine: {
        const grubcfg::Menu* const here = &session_.menu();
        PVHGRUB_TRY_ASSIGN(Chosen chosen, command_prompt());
        if (chosen || &session_.menu() != here) return chosen;
        break;
      }
      case EditScreen::Wish::kBoot: {
        PVHGRUB_TRY_ASSIGN(Step step, session_.boot_edited(index, screen.text()));
        PVHGRUB_TRY_ASSIGN(Chosen chosen, follow(std::move(step)));
        if (chosen) return chosen;
        break;
      }
    }
  }
}

Result<BootMenu::Chosen> BootMenu::edit_command_line() {
  const std::size_t index = selected_index();
  if (session_.menu().entries()[index].is_submenu) return Chosen();
  PVHGRUB_TRY_ASSIGN(const bool may, unlock());
  if (!may) return Chosen();
  std::string message;
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> line, session_.command_line_of(index, message));
  if (!line) {
    PVHGRUB_TRY(tell(message));
    return Chosen();
  }
  const std::vector<std::string> explanation = {
      "The command line of \"" + session_.menu().entries()[index].title + "\", for this boot.",
      "Enter boots it, Esc discards what was changed."};
  PVHGRUB_TRY_ASSIGN(const auto edited, ask_line(terminal_, explanation, "> ", *line, false));
  if (!edited) return Chosen();
  PVHGRUB_TRY_ASSIGN(Step step, session_.boot_with_command_line(index, *edited));
  return follow(std::move(step));
}

Result<BootMenu::Chosen> BootMenu::command_prompt() {
  PVHGRUB_TRY_ASSIGN(const bool may, unlock());
  if (!may) return Chosen();
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<grubcfg::CommandLine> line, session_.command_line());
  CommandScreen screen(terminal_, session_, host_, *line, history_);
  PVHGRUB_TRY_ASSIGN(const CommandDialogue::Wish wish, screen.run());
  details_.forget();
  if (wish == CommandDialogue::Wish::kBoot) return Chosen(screen.take_choice());
  return Chosen();
}

}  // namespace pvhgrub::menu
