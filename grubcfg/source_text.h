// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pvhgrub::grubcfg {

/// The text of one script, cut into the lines that GRUB's reader hands to its parser. Immutable once made:
/// syntax trees and menu entries point into it.
class SourceText {
 public:
  /// A file, read as GRUB reads a configuration file: carriage returns vanish, a line ends at a NUL, and
  /// lines whose first character is '#' are dropped before the lexer sees them, even inside a quoted string.
  [[nodiscard]] static std::shared_ptr<const SourceText> from_file(std::string_view bytes, std::string name);

  /// Text that was made while evaluating (`eval`): only cut at newlines. Messages tell it as `name`:`line`.
  [[nodiscard]] static std::shared_ptr<const SourceText> from_string(std::string text, std::string name,
                                                                     std::uint32_t line);

  /// Text that was made of the lines of a file, one by one. Messages tell each line's number there.
  struct MadeLine {
    std::string text;  ///< without its newline
    std::uint32_t number = 0;
  };
  [[nodiscard]] static std::shared_ptr<const SourceText> from_lines(std::span<const MadeLine> lines,
                                                                    std::string name);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// The line number in the original file, from 1, of the byte at `offset` of text().
  [[nodiscard]] std::uint32_t line_at(std::size_t offset) const;

 private:
  struct LineBreak {
    std::uint32_t offset;   ///< in text_, where a line begins whose number is not the previous one's plus one
    std::uint32_t ordinal;  ///< how many lines of text_ precede it
    std::uint32_t number;   ///< its number in the original
  };

  void index_lines();

  std::string text_;
  std::string name_;
  std::vector<LineBreak> breaks_;  ///< ascending; the first is at offset 0
  std::vector<std::uint32_t>
      every_256th_line_;  ///< offsets of lines 0, 256, 512, ... of text_, to count from
};

/// A piece of a script: an entry's body, a whole file.
struct SourceRange {
  std::shared_ptr<const SourceText> source;
  std::uint32_t begin = 0;  ///< bytes in source->text()
  std::uint32_t end = 0;
  [[nodiscard]] std::string_view text() const {
    return std::string_view(source->text()).substr(begin, end - begin);
  }
  [[nodiscard]] static SourceRange whole(std::shared_ptr<const SourceText> source);
};

}  // namespace pvhgrub::grubcfg
