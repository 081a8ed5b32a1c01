// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines of a key and a value, as systemd-boot reads them: its loader.conf and entries, and the os-release and
// profile texts of unified kernel images.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pvhgrub::grubcfg {

struct KeyValueLine {
  std::string_view key;
  /// Without the quotes, ' or ", that stand around all of it. No value: the line has no separator.
  std::optional<std::string_view> value;
  std::size_t number = 0;  ///< from 1
};

/// Goes through a text line by line. Blanks and tabs around a line are no part of it; empty lines and those
/// that begin with '#' are left out; a NUL ends the text. Nothing is unescaped.
class KeyValueLines {
 public:
  /// `separators`: the characters of which one or more stand between key and value. The text must outlive
  /// what next() tells.
  KeyValueLines(std::string_view text, std::string_view separators);

  [[nodiscard]] std::optional<KeyValueLine> next();

 private:
  std::string_view text_;  ///< what is not read yet
  std::string_view separators_;
  std::size_t number_ = 0;
};

}  // namespace pvhgrub::grubcfg
