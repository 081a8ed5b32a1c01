// SPDX-License-Identifier: LGPL-2.1-or-later
// What the menu needs of the program around it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "grubcfg/choice.h"
#include "menu/countdown.h"

namespace pvhgrub::menu {

/// Where the words of what is evaluated go.
enum class WordsTo : std::uint8_t {
  kCaller,  ///< on to whoever started the program
  kNobody,  ///< an entry is only looked at: they come again when it is booted
  kScreen,  ///< into words()
};

/// Who is at the terminal.
enum class Attendance : std::uint8_t {
  kClosed,    ///< no menu is shown
  kShown,     ///< one is, and nobody has touched a key
  kAttended,  ///< a person has, or the menu's own seconds run: no other time may run out
};

class MenuHost {
 public:
  MenuHost() = default;
  MenuHost(const MenuHost&) = delete;
  MenuHost& operator=(const MenuHost&) = delete;
  virtual ~MenuHost() = default;

  /// What a person asked for begins: it may take as much as a whole boot.
  virtual void begin_request() = 0;

  virtual void send_words(WordsTo where) = 0;
  /// What came since it was asked last; guest text, with newlines.
  [[nodiscard]] virtual std::string words() = 0;

  /// How the entry would be booted, and why, in words. Takes long (half a kernel is decompressed): gives up
  /// with an empty text as soon as `interrupted` says so.
  [[nodiscard]] virtual Result<std::string> boot_kind(const grubcfg::BootEntry& entry,
                                                      const std::function<bool()>& interrupted) = 0;

  /// An error, to be shown, where the choice can be seen not to boot without reading much of it.
  [[nodiscard]] virtual Result<void> check(const grubcfg::Choice& choice) = 0;

  virtual void attend(Attendance state) = 0;
  [[nodiscard]] virtual Countdown::Clock::time_point now() = 0;
  /// Milliseconds of processor time that this process has taken.
  [[nodiscard]] virtual std::uint64_t processor_milliseconds() = 0;
};

}  // namespace pvhgrub::menu
