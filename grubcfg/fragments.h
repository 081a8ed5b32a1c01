// SPDX-License-Identifier: LGPL-2.1-or-later
// A word's inside: runs of plain, quoted and variable text, which expand by different rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pvhgrub::grubcfg {

enum class FragmentKind : std::uint8_t {
  kText,            ///< unquoted, backslashes still in it
  kVariable,        ///< $name outside quotes: splits into words
  kQuotedVariable,  ///< $name in double quotes
  kSingleQuoted,
  kDoubleQuoted,  ///< text of double quotes, escapes resolved
  kTranslated,    ///< text of $"...": variables in it are still to be filled in
};

/// Cuts the raw text of one word into fragments, in order.
class FragmentReader {
 public:
  explicit FragmentReader(std::string_view raw) : raw_(raw) {}

  /// Sets `kind` and `text` to the next fragment and is true; false at the word's end or, with failed(), at a
  /// '$' that names no variable.
  [[nodiscard]] bool next(FragmentKind& kind, std::string& text);
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  enum class State : std::uint8_t { kPlain, kDouble, kTranslated };

  [[nodiscard]] bool read_plain(FragmentKind& kind, std::string& text);
  [[nodiscard]] bool read_double(FragmentKind& kind, std::string& text);
  [[nodiscard]] bool read_translated(FragmentKind& kind, std::string& text);
  [[nodiscard]] bool read_variable(FragmentKind& kind, std::string& text);
  void read_single(FragmentKind& kind, std::string& text);

  std::string_view raw_;
  std::size_t position_ = 0;
  State state_ = State::kPlain;
  bool variable_pending_ = false;
  bool single_pending_ = false;
  bool failed_ = false;
};

/// False where a '$' in double quotes names no variable.
[[nodiscard]] bool are_fragments_valid(std::string_view raw);

/// True for a word that expands to itself: no quotes, variables, backslashes, wildcards or leading device or
/// path.
[[nodiscard]] bool is_plain_word(std::string_view raw);

}  // namespace pvhgrub::grubcfg
