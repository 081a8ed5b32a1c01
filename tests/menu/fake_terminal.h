// SPDX-License-Identifier: LGPL-2.1-or-later
// A terminal in memory, keys that a test types, and a program around the menu that boots nothing.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "grubcfg/configuration.h"
#include "menu/menu_host.h"
#include "menu/shown_text.h"
#include "menu/terminal.h"

namespace pvhgrub::menu::test {

using Kind = Key::Kind;

inline Key typed(char32_t character) {
  return {Kind::kCharacter, character};
}
inline Key control(char32_t letter) {
  return {Kind::kControl, letter};
}

/// Time passes only while it waits for keys.
class FakeTerminal final : public Terminal {
 public:
  explicit FakeTerminal(Size size = {24, 80}) : size_(size) { clear(); }

  [[nodiscard]] Size size() const override { return size_; }
  [[nodiscard]] bool utf8() const override { return false; }
  void clear() override {
    cells_.assign(static_cast<std::size_t>(size_.rows),
                  std::u32string(static_cast<std::size_t>(size_.columns), U' '));
    cursor_ = {-1, -1};
  }
  void put(int row, int column, std::u32string_view text, Style) override {
    if (row < 0 || row >= size_.rows) return;
    for (const char32_t character : text) {
      if (column >= 0 && column < size_.columns)
        cells_[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] = character;
      ++column;
    }
  }
  void frame(int, int, int, int) override {}
  void place_cursor(int row, int column) override { cursor_ = {row, column}; }
  void show() override { ++shows; }
  void redraw() override { ++shows; }
  void leave() override { left = true; }

  [[nodiscard]] Result<Key> read_key(std::optional<std::chrono::milliseconds> wait) override {
    if (on_read) on_read();
    if (wait && keys.empty()) {
      now += *wait;
      return Key{};
    }
    if (keys.empty()) return fail(ErrorCode::kIo, "no more keys");
    const Key key = keys.front();
    keys.pop_front();
    if (key.is(Kind::kTimeout)) now += wait.value_or(std::chrono::milliseconds(0));
    return key;
  }
  [[nodiscard]] bool key_waits() override { return !keys.empty(); }

  void type(std::string_view text) {
    for (const char character : text)
      keys.push_back(character == '\n' ? Key{Kind::kEnter}
                                       : typed(static_cast<char32_t>(static_cast<unsigned char>(character))));
  }
  void resize(Size size) {
    size_ = size;
    clear();
  }

  /// Without blanks at the ends of lines.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const std::u32string& row : cells_) {
      std::string line;
      for (const char32_t character : row) append_utf8(line, character);
      line.erase(line.find_last_not_of(' ') + 1);
      all.push_back(line);
    }
    return all;
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& line : lines()) all += line + "\n";
    return all;
  }
  [[nodiscard]] std::pair<int, int> cursor() const { return cursor_; }

  std::deque<Key> keys;
  std::function<void()> on_read;
  Countdown::Clock::time_point now;
  unsigned shows = 0;
  bool left = false;

 private:
  Size size_;
  std::vector<std::u32string> cells_;
  std::pair<int, int> cursor_;
};

class FakeHost final : public MenuHost {
 public:
  FakeHost(FakeTerminal& terminal, Budget& budget) : terminal_(terminal), budget_(budget), whole_(budget) {}

  void begin_request() override { budget_ = whole_; }
  void send_words(WordsTo where) override { words_to = where; }
  std::string words() override { return std::exchange(text, {}); }
  Result<std::string> boot_kind(const grubcfg::BootEntry&,
                                const std::function<bool()>& interrupted) override {
    ++boot_kinds;
    return interrupted() ? std::string() : std::string("direct, since a test says so");
  }
  Result<void> check(const grubcfg::Choice& choice) override {
    if (refuses == choice.title) return fail(ErrorCode::kNoEntry, "the host refuses it");
    return {};
  }
  void attend(Attendance state) override { attendances.push_back(state); }
  Countdown::Clock::time_point now() override { return terminal_.now; }
  std::uint64_t processor_milliseconds() override { return 0; }

  WordsTo words_to = WordsTo::kCaller;
  std::string text;
  std::string refuses;
  unsigned boot_kinds = 0;
  std::vector<Attendance> attendances;

 private:
  FakeTerminal& terminal_;
  Budget& budget_;
  Budget whole_;
};

/// Gathers words for the host's screen.
class FakeWords final : public grubcfg::Diagnostics {
 public:
  explicit FakeWords(FakeHost& host) : host_(host) {}
  void notice(std::string, std::string message) override {
    if (host_.words_to == WordsTo::kScreen) host_.text += message + "\n";
    if (host_.words_to == WordsTo::kCaller) told.push_back(std::move(message));
  }
  void explain(std::string) override {}
  Result<void> echo(std::string_view text) override {
    if (host_.words_to == WordsTo::kScreen) host_.text += text;
    return {};
  }
  std::vector<std::string> told;

 private:
  FakeHost& host_;
};

}  // namespace pvhgrub::menu::test
