// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace pvhgrub::menu {

/// What a person did, or that nothing came.
struct Key {
  enum class Kind : std::uint8_t {
    kCharacter,  ///< `character`
    kControl,    ///< with the Ctrl key: `character` is the small letter
    kEnter,
    kEscape,
    kTab,
    kBackspace,
    kDelete,
    kUp,
    kDown,
    kLeft,
    kRight,
    kHome,
    kEnd,
    kPageUp,
    kPageDown,
    kFunction,  ///< `character` is the number, 1 to 12
    kResize,    ///< the terminal has another size now
    kTimeout,   ///< the time was over
    kUnknown,   ///< a key that nothing is bound to
  };
  Kind kind = Kind::kTimeout;
  char32_t character = 0;

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
  [[nodiscard]] bool is_character(char32_t wanted) const {
    return kind == Kind::kCharacter && character == wanted;
  }
  [[nodiscard]] bool is_control(char32_t letter) const {
    return kind == Kind::kControl && character == letter;
  }
  [[nodiscard]] bool is_function(char32_t number) const {
    return kind == Kind::kFunction && character == number;
  }
  /// Neither a key: a time that was over, another size.
  [[nodiscard]] bool is_event() const { return kind == Kind::kResize || kind == Kind::kTimeout; }
  friend bool operator==(const Key&, const Key&) = default;
};

}  // namespace pvhgrub::menu
