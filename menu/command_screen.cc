// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/command_screen.h"

#include <algorithm>

#include "base/limits.h"
#include "menu/edit_screen.h"
#include "menu/prompt.h"
#include "menu/shown_text.h"

namespace pvhgrub::menu {

namespace {

constexpr int kTabWidth = 4;

}  // namespace

using Wish = CommandDialogue::Wish;
using Outcome = grubcfg::CommandOutcome;

Result<Wish> CommandDialogue::follow(Outcome outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kDone:
      break;
    case Outcome::Kind::kIncomplete:
      return Wish::kGoOn;
    case Outcome::Kind::kBoot: {
      PVHGRUB_TRY_ASSIGN(Step step, session_.boot_loaded(std::move(outcome.entry)));
      if (step.kind == Step::Kind::kChosen) {
        choice_ = std::move(step.choice);
        return Wish::kBoot;
      }
      output_ += step.message + "\n";
      break;
    }
    case Outcome::Kind::kMenu:
      session_.keep(line_);
      session_.enter(std::move(outcome.menu), "command prompt");
      return Wish::kLeave;
    case Outcome::Kind::kLeave:
      session_.keep(line_);
      return Wish::kLeave;
    case Outcome::Kind::kNothingToDo:
      output_ += "`" + outcome.command + "' is the toolstack's to do: there is no machine here yet\n";
      break;
  }
  return Wish::kGoOn;
}

Result<Wish> CommandDialogue::run(std::string_view typed) {
  const std::string text = begun_ + std::string(typed);
  host_.begin_request();
  host_.send_words(WordsTo::kScreen);
  auto outcome = line_.run(text);
  output_ += host_.words();
  begun_.clear();
  if (!outcome) {
    if (outcome.error().code == ErrorCode::kInternal) return std::unexpected(std::move(outcome).error());
    output_ += outcome.error().describe() + "\n";
    return Wish::kGoOn;
  }
  if (outcome->kind == Outcome::Kind::kIncomplete && text.size() < limits::kEditedTextBytes)
    begun_ = text + "\n";
  auto wish = follow(*std::move(outcome));
  output_ += host_.words();
  return wish;
}

std::string_view CommandScreen::prompt() const {
  return dialogue_.incomplete() ? "> " : "grub> ";
}

void CommandScreen::print(std::string_view guest_text) {
  while (!guest_text.empty()) {
    lines_.emplace_back(take_line(guest_text));
    if (lines_.size() > limits::kScreenLines) lines_.pop_front();
  }
}

void CommandScreen::draw() {
  const Size size = terminal_.size();
  terminal_.clear();
  const auto height = static_cast<std::size_t>(std::max(0, size.rows - 1));
  // From the end, as many lines as fill the screen and what is scrolled over.
  std::vector<std::u32string> rows;  // the last first
  for (auto line = lines_.rbegin(); line != lines_.rend() && rows.size() < height + scrolled_; ++line) {
    auto parts = wrap(shown_text(*line, terminal_.utf8(), kTabWidth), size.columns, limits::kScreenLines);
    rows.insert(rows.end(), std::make_move_iterator(parts.rbegin()), std::make_move_iterator(parts.rend()));
  }
  scrolled_ = std::min(scrolled_, rows.size() - std::min(rows.size(), height));
  const std::size_t seen = std::min(height, rows.size() - std::min(rows.size(), scrolled_));
  for (std::size_t i = 0; i < seen; ++i)
    terminal_.put(static_cast<int>(seen - 1 - i), 0, rows[scrolled_ + i], Style::kPlain);
  const int row = static_cast<int>(seen);
  if (scrolled_ > 0) {
    terminal_.put(row, 0, U"(PageDown for what follows)", Style::kStrong);
  } else {
    const std::u32string label = shown_text(prompt(), terminal_.utf8());
    const LinePicture picture = line_picture(edit_, size.columns - width_of(label) - 1, terminal_.utf8());
    terminal_.put(row, 0, label, Style::kStrong);
    terminal_.put(row, width_of(label), picture.shown, Style::kPlain);
    terminal_.place_cursor(row, width_of(label) + picture.cursor);
  }
  terminal_.show();
}

bool CommandScreen::recall(const Key& key) {
  const bool up = key.is(Key::Kind::kUp) || key.is_control('p');
  const bool down = key.is(Key::Kind::kDown) || key.is_control('n');
  if (!up && !down) return false;
  if (up && recalled_ == 0) return true;
  if (down && recalled_ >= history_.size()) return true;
  if (recalled_ == history_.size()) typed_ = edit_.text();
  recalled_ = up ? recalled_ - 1 : recalled_ + 1;
  edit_.assign(recalled_ == history_.size() ? typed_ : history_[recalled_]);
  return true;
}

bool CommandScreen::scroll(const Key& key) {
  const auto page = static_cast<std::size_t>(std::max(1, terminal_.size().rows - 2));
  if (key.is(Key::Kind::kPageUp)) {
    scrolled_ += page;
  } else if (key.is(Key::Kind::kPageDown)) {
    scrolled_ -= std::min(scrolled_, page);
  } else {
    return false;
  }
  return true;
}

Result<void> CommandScreen::complete() {
  PVHGRUB_TRY_ASSIGN(const grubcfg::Completion completion, line_.complete(edit_.before_cursor()));
  if (const std::string text = candidates_text(completion); !text.empty()) {
    print(std::string(prompt()) + edit_.text());
    print(text);
  }
  edit_.insert(completion.addition);
  return {};
}

Result<Wish> CommandScreen::enter() {
  const std::string typed = edit_.text();
  print(std::string(prompt()) + typed);
  edit_.assign("");
  if (typed.find_first_not_of(' ') != std::string::npos && (history_.empty() || history_.back() != typed)) {
    if (history_.size() >= limits::kCommandHistory) history_.erase(history_.begin());
    history_.push_back(typed);
  }
  recalled_ = history_.size();
  if (typed == "clear") {
    lines_.clear();
    return Wish::kGoOn;
  }
  auto wish = dialogue_.run(typed);
  print(dialogue_.output());
  return wish;
}

Result<Wish> CommandScreen::run() {
  recalled_ = history_.size();
  print(
      "GRUB's commands, on this guest's disk. `help' lists them, Tab completes, Esc goes back to the menu.");
  for (;;) {
    draw();
    PVHGRUB_TRY_ASSIGN(const Key key, terminal_.read_key(std::nullopt));
    if (key.is_event() || scroll(key)) continue;
    scrolled_ = 0;
    if (key.is(Key::Kind::kEscape) || key.is_control('c')) {
      if (!dialogue_.incomplete()) {
        dialogue_.leave();
        return Wish::kLeave;
      }
      dialogue_.forget_begun();
      edit_.assign("");
    } else if (key.is(Key::Kind::kEnter)) {
      PVHGRUB_TRY_ASSIGN(const Wish wish, enter());
      if (wish != Wish::kGoOn) return wish;
    } else if (key.is(Key::Kind::kTab)) {
      PVHGRUB_TRY(complete());
    } else if (key.is_control('l')) {
      terminal_.redraw();
    } else if (!recall(key)) {
      (void)edit_.apply(key);
    }
  }
}

}  // namespace pvhgrub::menu
