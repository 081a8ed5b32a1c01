// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts a script into tokens as GRUB does (GRUB manual, "Shell-like scripting: Quoting, Words"): longest match
// first, one line at a time, reading a further line only inside a block, a quoted string or after a
// backslash-newline.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/source_text.h"

namespace pvhgrub::grubcfg {

enum class TokenKind : std::uint8_t {
  kEnd,  ///< of the statement's last line
  kBad,  ///< no token: the statement is given up
  kNewline,
  kSemicolon,
  kLeftBrace,
  kRightBrace,
  kOther,     ///< && || ;; | & < > [[ ]]: tokens that no rule of the grammar takes
  kReserved,  ///< if, then, ...; also an argument
  kName,      ///< a word that is a plain name
  kWord,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::uint32_t begin = 0;  ///< bytes in the source's text
  std::uint32_t end = 0;
};

class Lexer {
 public:
  /// Reads `range`, which must stay alive. Nothing is read before begin_statement(). `is_file`: else the text
  /// is an entry's or `eval`'s, where GRUB sees one more, empty line behind a last newline.
  Lexer(const SourceRange& range, bool is_file, Budget& budget);

  /// Takes the next line as the start of a new statement; false when there is none.
  [[nodiscard]] bool begin_statement();
  /// Gives up the rest of the lines read so far.
  void abandon_statement() { position_ = line_end_; }

  /// While at least one level is open, the end of a line is not the end of the statement.
  void open_level() { ++levels_; }
  void close_level() { --levels_; }

  /// The next token. The error is kLimit; what is not a token is kBad, with the reason in bad_reason().
  [[nodiscard]] Result<Token> next();

  [[nodiscard]] std::string_view text(const Token& token) const;
  [[nodiscard]] std::string_view bad_reason() const { return bad_reason_; }
  /// The last kBad came because the text ended inside a statement, a string or after a backslash.
  [[nodiscard]] bool ended_too_early() const { return ended_too_early_; }
  [[nodiscard]] std::uint32_t position() const { return position_; }
  [[nodiscard]] std::uint32_t line() const { return range_.source->line_at(position_); }

 private:
  /// The character at a position inside the lines read so far; a last line without a newline gets one.
  [[nodiscard]] char at(std::uint32_t position) const {
    return position < range_.end ? range_.source->text()[position] : '\n';
  }
  [[nodiscard]] bool read_line();
  void skip_blanks_and_comment();
  [[nodiscard]] Token symbol();
  [[nodiscard]] Token bad(std::string_view reason);
  /// The end of the word that starts at position_, or position_ where none does. Sets `unfinished` where the
  /// text ends inside a string or after a backslash-newline.
  [[nodiscard]] std::uint32_t scan_word(bool& unfinished);
  [[nodiscard]] bool scan_quoted(std::uint32_t& cursor, char quote);
  [[nodiscard]] std::uint32_t variable_length(std::uint32_t position) const;

  const SourceRange& range_;
  bool has_empty_line_;  ///< the empty line behind the last newline is still to be read
  Budget& budget_;
  std::uint32_t position_;
  std::uint32_t line_end_;
  unsigned levels_ = 0;
  bool ended_ = false;
  bool ended_too_early_ = false;
  std::string_view bad_reason_;
};

/// The bytes of a variable reference after its '$' ("name", "{name}", "12", "?"), 0 where it is none.
[[nodiscard]] std::size_t variable_reference_length(std::string_view after_dollar);

/// True for [A-Za-z_][A-Za-z0-9_]*.
[[nodiscard]] bool is_name(std::string_view text);

}  // namespace pvhgrub::grubcfg
