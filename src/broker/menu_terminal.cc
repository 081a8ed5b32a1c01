// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/menu_terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace pvhgrub::broker {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value != nullptr ? value : std::string_view();
}

// A program in the background of its terminal would be stopped by SIGTTOU when it changes the mode.
void set_mode(int fd, const termios& mode) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTTOU);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  (void)tcsetattr(fd, TCSANOW, &mode);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

bool takes_escape_sequences(std::string_view type) {
  return !type.empty() && type != "dumb" && type != "unknown";
}

}  // namespace

bool can_ask_a_person() {
  // In the background of a shell the keys are somebody else's. libxl makes its pty the controlling terminal.
  const pid_t foreground = tcgetpgrp(STDIN_FILENO);
  if (foreground >= 0 && foreground != getpgrp()) return false;
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 &&
         (fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_RDWR;
}

Result<MenuTerminal> MenuTerminal::open() {
  termios mode = {};
  if (tcgetattr(STDIN_FILENO, &mode) != 0)
    return fail(ErrorCode::kUsage, "standard input is no terminal, so nobody can be asked; leave -i out",
                "--interactive");
  if ((fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) != O_RDWR)
    return fail(ErrorCode::kUsage,
                "standard input is a terminal that is open for reading only, so no menu can be shown there",
                "--interactive");
  return MenuTerminal(STDIN_FILENO, mode);
}

MenuTerminal::MenuTerminal(MenuTerminal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      mode_(other.mode_),
      menu_open_(std::exchange(other.menu_open_, false)) {}

MenuTerminal::~MenuTerminal() {
  if (fd_ < 0) return;
  if (menu_open_) {
    // Character set, attributes and keypad as terminals have them at first (ECMA-48, DEC STD 070), then a
    // line of its own for whatever comes next. Never waits: nobody may be reading on the other side.
    const bool escapes = takes_escape_sequences(environment("TERM"));
    const std::string_view text = escapes ? "\x0F\x1B[m\x1B[?1l\x1B>\r\n" : "\r\n";
    const int flags = fcntl(fd_, F_GETFL);
    if (flags >= 0 && fcntl(fd_, F_SETFL, flags | O_NONBLOCK) == 0) {
      [[maybe_unused]] const ssize_t written = write(fd_, text.data(), text.size());
      (void)fcntl(fd_, F_SETFL, flags);
    }
  }
  set_mode(fd_, mode_);
}

protocol::RequestTerminal MenuTerminal::describe(std::string title) {
  constexpr std::size_t kLongestType = 64;
  std::string type(environment("TERM"));
  if (type.size() > kLongestType) type.clear();
  return {std::move(type), locale_is_utf8(), std::move(title)};
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value(environment(name));
    if (value.empty()) continue;
    std::ranges::transform(value, value.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return value.find("UTF-8") != std::string::npos || value.find("UTF8") != std::string::npos;
  }
  return false;
}

}  // namespace pvhgrub::broker
