// SPDX-License-Identifier: LGPL-2.1-or-later
// A terminal that can put text anywhere: what all screens of the menu are drawn on.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "menu/key.h"

namespace pvhgrub::menu {

enum class Style : std::uint8_t {
  kPlain,
  kSelected,  ///< the entry that Enter boots
  kStrong,    ///< the head
};

/// In character cells.
struct Size {
  int rows = 24;
  int columns = 80;
  friend bool operator==(const Size&, const Size&) = default;
};

/// Rows and columns count from 0. What lies outside is cut off. Nothing is seen before show().
class Terminal {
 public:
  Terminal() = default;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  virtual ~Terminal() = default;

  [[nodiscard]] virtual Size size() const = 0;
  /// Whether it shows more than ASCII.
  [[nodiscard]] virtual bool utf8() const = 0;

  virtual void clear() = 0;
  /// `text`: as shown_text() makes it.
  virtual void put(int row, int column, std::u32string_view text, Style style) = 0;
  /// A box of lines; `rows` and `columns` count its own lines too.
  virtual void frame(int row, int column, int rows, int columns) = 0;
  /// Where the cursor stands after show(); nowhere after clear().
  virtual void place_cursor(int row, int column) = 0;
  /// Brings the screen up to date. A terminal that takes nothing just now is left behind rather than waited
  /// for.
  virtual void show() = 0;
  /// The same from nothing, for a screen that something else has written on.
  virtual void redraw() = 0;

  /// Leaves it empty and as it was found, for whoever writes there next; show() takes it again.
  virtual void leave() = 0;

  /// The next key, at most so long; no value: as long as it takes. kIo: nobody is there any more.
  [[nodiscard]] virtual Result<Key> read_key(std::optional<std::chrono::milliseconds> wait) = 0;
  /// Whether read_key() would not wait.
  [[nodiscard]] virtual bool key_waits() = 0;
};

}  // namespace pvhgrub::menu
