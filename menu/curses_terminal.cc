// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/curses_terminal.h"

#include <curses.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cwchar>

#include "menu/main_screen.h"
#include "menu/shown_text.h"

namespace pvhgrub::menu {
namespace {

using std::chrono::milliseconds;

/// An Escape key is told from the begin of another key's bytes by the time after it.
constexpr int kEscapeMilliseconds = 100;
/// How often the terminal's size is asked for: no signal tells of a change.
constexpr milliseconds kSizeInterval{500};
/// The largest size that is drawn on, in cells.
constexpr int kMostRows = 300;
constexpr int kMostColumns = 500;

/// What terminals send beside what their entry in terminfo says: a VT100 has neither Home nor F10, but
/// whoever shows the console has.
struct KeySequence {
  const char* bytes;
  int code;
};
constexpr auto kSequences = std::to_array<KeySequence>({
    {"\x1B[A", KEY_UP},      {"\x1BOA", KEY_UP},     {"\x1B[B", KEY_DOWN},    {"\x1BOB", KEY_DOWN},
    {"\x1B[C", KEY_RIGHT},   {"\x1BOC", KEY_RIGHT},  {"\x1B[D", KEY_LEFT},    {"\x1BOD", KEY_LEFT},
    {"\x1B[H", KEY_HOME},    {"\x1BOH", KEY_HOME},   {"\x1B[1~", KEY_HOME},   {"\x1B[7~", KEY_HOME},
    {"\x1B[F", KEY_END},     {"\x1BOF", KEY_END},    {"\x1B[4~", KEY_END},    {"\x1B[8~", KEY_END},
    {"\x1B[5~", KEY_PPAGE},  {"\x1B[6~", KEY_NPAGE}, {"\x1B[3~", KEY_DC},     {"\x1BOP", KEY_F(1)},
    {"\x1BOQ", KEY_F(2)},    {"\x1BOR", KEY_F(3)},   {"\x1BOS", KEY_F(4)},    {"\x1B[11~", KEY_F(1)},
    {"\x1B[12~", KEY_F(2)},  {"\x1B[13~", KEY_F(3)}, {"\x1B[14~", KEY_F(4)},  {"\x1B[[B", KEY_F(2)},
    {"\x1B[[D", KEY_F(4)},   {"\x1B[15~", KEY_F(5)}, {"\x1B[17~", KEY_F(6)},  {"\x1B[18~", KEY_F(7)},
    {"\x1B[19~", KEY_F(8)},  {"\x1B[20~", KEY_F(9)}, {"\x1B[21~", KEY_F(10)}, {"\x1B[23~", KEY_F(11)},
    {"\x1B[24~", KEY_F(12)},
});

Key key_of_code(wint_t code) {
  using Kind = Key::Kind;
  switch (code) {
    case KEY_UP:
      return {Kind::kUp};
    case KEY_DOWN:
      return {Kind::kDown};
    case KEY_LEFT:
      return {Kind::kLeft};
    case KEY_RIGHT:
      return {Kind::kRight};
    case KEY_HOME:
      return {Kind::kHome};
    case KEY_END:
      return {Kind::kEnd};
    case KEY_PPAGE:
      return {Kind::kPageUp};
    case KEY_NPAGE:
      return {Kind::kPageDown};
    case KEY_DC:
      return {Kind::kDelete};
    case KEY_BACKSPACE:
      return {Kind::kBackspace};
    case KEY_ENTER:
      return {Kind::kEnter};
    case KEY_RESIZE:
      return {Kind::kResize};
    default:
      break;
  }
  for (char32_t number = 1; number <= 12; ++number)
    if (code == static_cast<wint_t>(KEY_F(static_cast<int>(number)))) return {Kind::kFunction, number};
  return {Kind::kUnknown};
}

Key key_of_character(wint_t character) {
  using Kind = Key::Kind;
  switch (character) {
    case '\r':
    case '\n':
      return {Kind::kEnter};
    case '\t':
      return {Kind::kTab};
    case 0x1B:
      return {Kind::kEscape};
    case 0x08:
    case 0x7F:
      return {Kind::kBackspace};
    default:
      break;
  }
  if (character >= 1 && character <= 26) return {Kind::kControl, static_cast<char32_t>('a' + character - 1)};
  if (character < 0x20 || character > 0x10FFFF) return {Kind::kUnknown};
  return {Kind::kCharacter, static_cast<char32_t>(character)};
}

class CursesTerminal final : public Terminal {
 public:
  CursesTerminal(int fd, bool utf8) : fd_(fd), utf8_(utf8) {}
  ~CursesTerminal() override { leave(); }

  [[nodiscard]] Size size() const override { return {getmaxy(stdscr), getmaxx(stdscr)}; }
  [[nodiscard]] bool utf8() const override { return utf8_; }

  void clear() override {
    (void)erase();
    cursor_ = false;
  }

  void put(int row, int column, std::u32string_view text, Style style) override {
    const Size cells = size();
    if (row < 0 || row >= cells.rows || column < 0 || column >= cells.columns) return;
    const std::u32string cut = cut_to_width(text, cells.columns - column);
    std::wstring wide(cut.begin(), cut.end());
    if (style == Style::kSelected) (void)attron(A_REVERSE);
    if (style == Style::kStrong) (void)attron(A_BOLD);
    (void)mvaddnwstr(row, column, wide.data(), static_cast<int>(wide.size()));
    (void)attrset(A_NORMAL);
  }

  void frame(int row, int column, int rows, int columns) override {
    if (rows < 2 || columns < 2) return;
    // Some terminals that take UTF-8 know no other character set (Linux's console).
    if (utf8_) return draw_frame(row, column, rows, columns);
    (void)mvhline(row, column, ACS_HLINE, columns);
    (void)mvhline(row + rows - 1, column, ACS_HLINE, columns);
    (void)mvvline(row, column, ACS_VLINE, rows);
    (void)mvvline(row, column + columns - 1, ACS_VLINE, rows);
    (void)mvaddch(row, column, ACS_ULCORNER);
    (void)mvaddch(row, column + columns - 1, ACS_URCORNER);
    (void)mvaddch(row + rows - 1, column, ACS_LLCORNER);
    (void)mvaddch(row + rows - 1, column + columns - 1, ACS_LRCORNER);
  }

  void place_cursor(int row, int column) override {
    cursor_ = true;
    cursor_row_ = row;
    cursor_column_ = column;
  }

  void show() override {
    take();
    if (!writable()) return;
    (void)curs_set(cursor_ ? 1 : 0);
    if (cursor_)
      (void)::move(cursor_row_, cursor_column_);
    else
      (void)::move(size().rows - 1, 0);
    (void)refresh();
  }

  void redraw() override {
    (void)clearok(stdscr, TRUE);
    show();
  }

  void leave() override {
    if (!taken_) return;
    taken_ = false;
    (void)erase();
    (void)attrset(A_NORMAL);
    if (writable()) {
      (void)curs_set(1);
      (void)::move(0, 0);
      (void)refresh();
    }
    (void)endwin();
    // endwin(3) goes to the last line; whoever comes next begins at the top.
    if (const std::string home = home_sequence(); writable()) {
      [[maybe_unused]] const ssize_t written = write(fd_, home.data(), home.size());
    }
  }

  [[nodiscard]] Result<Key> read_key(std::optional<milliseconds> wait) override {
    take();
    for (;;) {
      ::timeout(0);
      wint_t character = 0;
      const int kind = get_wch(&character);
      if (kind == KEY_CODE_YES || kind == OK) {
        empty_reads_ = 0;
        return kind == OK ? key_of_character(character) : key_of_code(character);
      }
      const milliseconds slice = wait ? std::min(*wait, kSizeInterval) : kSizeInterval;
      PVHGRUB_TRY_ASSIGN(const bool ready, wait_for_input(static_cast<int>(slice.count())));
      if (take_size()) return Key{Key::Kind::kResize};
      if (ready) continue;
      if (wait) {
        *wait -= slice;
        if (wait->count() <= 0) return Key{};
      }
    }
  }

  [[nodiscard]] bool key_waits() override {
    pollfd state{fd_, POLLIN, 0};
    return poll(&state, 1, 0) > 0;
  }

 private:
  void take() {
    if (taken_) return;
    taken_ = true;
    (void)raw();
    (void)noecho();
    (void)nonl();
    (void)intrflush(stdscr, FALSE);
    (void)keypad(stdscr, TRUE);
    (void)take_size();
    (void)clearok(stdscr, TRUE);
  }

  void draw_frame(int row, int column, int rows, int columns) {
    const std::u32string line(static_cast<std::size_t>(columns - 2), U'\u2500');
    put(row, column, U"\u250C" + line + U"\u2510", Style::kPlain);
    put(row + rows - 1, column, U"\u2514" + line + U"\u2518", Style::kPlain);
    for (int side = row + 1; side < row + rows - 1; ++side) {
      put(side, column, U"\u2502", Style::kPlain);
      put(side, column + columns - 1, U"\u2502", Style::kPlain);
    }
  }

  [[nodiscard]] bool writable() const {
    pollfd state{fd_, POLLOUT, 0};
    return poll(&state, 1, 0) > 0 && (state.revents & POLLOUT) != 0;
  }

  // False: the time was over. A terminal that can be read but gives nothing has been hung up.
  [[nodiscard]] Result<bool> wait_for_input(int milliseconds_at_most) {
    pollfd state{fd_, POLLIN, 0};
    const int ready = poll(&state, 1, milliseconds_at_most);
    if (ready <= 0) return false;
    if ((state.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 || ++empty_reads_ > kEmptyReads)
      return fail(ErrorCode::kIo, "the terminal that the menu was on is gone");
    return true;
  }

  // True when the terminal's size has changed. One without a size is left at what terminfo says (libxl's
  // pty).
  bool take_size() {
    winsize now = {};
    if (ioctl(fd_, TIOCGWINSZ, &now) != 0 || now.ws_row == 0 || now.ws_col == 0) return false;
    const Size wanted{std::min<int>(now.ws_row, kMostRows), std::min<int>(now.ws_col, kMostColumns)};
    if (wanted == size()) return false;
    (void)resize_term(wanted.rows, wanted.columns);
    (void)clearok(stdscr, TRUE);
    return true;
  }

  /// poll(2) may say that there is something which get_wch(3) took as part of a key and does not give yet.
  static constexpr int kEmptyReads = 100;

  int fd_;
  bool utf8_;
  bool taken_ = false;
  bool cursor_ = false;
  int cursor_row_ = 0;
  int cursor_column_ = 0;
  int empty_reads_ = 0;
};

// newterm(3) sets its own for these; nobody sends them to a confined worker, which may not return from a
// handler.
void reset_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGTSTP, SIGWINCH}) std::signal(number, SIG_DFL);
}

}  // namespace

OpenedTerminal open_terminal(int fd, const std::string& type, bool utf8) {
  const bool wide = utf8 && std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
  // Both streams stay open for as long as the process lives, as ncurses needs.
  // NOLINTBEGIN(clang-analyzer-unix.Stream)
  FILE* const in = fdopen(fd, "r");
  FILE* const out = fdopen(fd, "w");
  if (in == nullptr || out == nullptr) return {nullptr, std::make_unique<DescriptorTeletype>(fd, wide)};
  // newterm(3) changes the mode at once, and remembers the one that it found for endwin(3).
  termios found = {};
  const bool has_mode = tcgetattr(fd, &found) == 0;
  SCREEN* const screen = newterm(type.empty() ? "vt100" : type.c_str(), out, in);
  if (has_mode) (void)tcsetattr(fd, TCSANOW, &found);
  if (screen == nullptr) return {nullptr, std::make_unique<DescriptorTeletype>(fd, wide)};
  reset_signals();
  if (!use_main_screen()) return {nullptr, std::make_unique<DescriptorTeletype>(fd, wide)};
  (void)set_escdelay(kEscapeMilliseconds);
  for (const KeySequence& sequence : kSequences) (void)define_key(sequence.bytes, sequence.code);
  // The C library loads its tables for characters at their first use.
  if (wide) {
    std::mbstate_t state = {};
    wchar_t character = 0;
    std::array<char, MB_LEN_MAX> bytes{};
    (void)std::mbrtowc(&character, "\xC3\xA9", 2, &state);
    [[maybe_unused]] const std::size_t length = std::wcrtomb(bytes.data(), character, &state);
    (void)wcwidth(character);
  }
  return {std::make_unique<CursesTerminal>(fd, wide), nullptr};
}
// NOLINTEND(clang-analyzer-unix.Stream)

}  // namespace pvhgrub::menu
