// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/lexer.h"

#include <algorithm>
#include <array>

#include "grubcfg/fragments.h"

namespace pvhgrub::grubcfg {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_character(char c) {
  return is_name_start(c) || is_digit(c);
}
bool is_special_variable(char c) {
  return c == '?' || c == '#' || c == '*' || c == '@';
}

/// What may stand in a word without a backslash or quotes.
bool is_word_character(char c) {
  return std::string_view("{}|&$;<> \t\n'\"\\").find(c) == std::string_view::npos;
}

constexpr std::array<std::string_view, 15> kReservedWords = {"case", "do",     "done", "elif",     "else",
                                                             "esac", "fi",     "for",  "function", "if",
                                                             "in",   "select", "then", "until",    "while"};

TokenKind classify_word(std::string_view text) {
  if (text == "[[" || text == "]]") return TokenKind::kOther;
  if (std::ranges::find(kReservedWords, text) != kReservedWords.end()) return TokenKind::kReserved;
  return is_name(text) ? TokenKind::kName : TokenKind::kWord;
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && is_name_start(text.front()) && std::ranges::all_of(text, is_name_character);
}

std::size_t variable_reference_length(std::string_view after_dollar) {
  const bool braced = after_dollar.starts_with('{');
  const std::string_view inner = after_dollar.substr(braced ? 1 : 0);
  std::size_t length = 0;
  if (inner.empty()) return 0;
  if (is_special_variable(inner.front())) {
    length = 1;
  } else if (is_digit(inner.front())) {
    while (length < inner.size() && is_digit(inner[length])) ++length;
  } else if (is_name_start(inner.front())) {
    while (length < inner.size() && is_name_character(inner[length])) ++length;
  }
  if (length == 0 || !braced) return length;
  return length < inner.size() && inner[length] == '}' ? length + 2 : 0;
}

Lexer::Lexer(const SourceRange& range, bool is_file, Budget& budget)
    : range_(range),
      has_empty_line_(!is_file && range.text().ends_with('\n')),
      budget_(budget),
      position_(range.begin),
      line_end_(range.begin) {}

bool Lexer::read_line() {
  if (line_end_ >= range_.end) {
    if (!has_empty_line_) return false;
    has_empty_line_ = false;
    line_end_ = range_.end + 1;
    return true;
  }
  const std::size_t newline = range_.source->text().find('\n', line_end_);
  // One past the end stands for the newline that a last line lacks.
  line_end_ = newline == std::string::npos || newline >= range_.end ? range_.end + 1
                                                                    : static_cast<std::uint32_t>(newline) + 1;
  return true;
}

bool Lexer::begin_statement() {
  levels_ = 0;
  ended_ = false;
  position_ = line_end_;
  return read_line();
}

Token Lexer::bad(std::string_view reason) {
  bad_reason_ = reason;
  return {TokenKind::kBad, position_, position_};
}

void Lexer::skip_blanks_and_comment() {
  while (position_ < line_end_ && (at(position_) == ' ' || at(position_) == '\t')) ++position_;
  if (position_ < line_end_ && at(position_) == '#')
    while (at(position_) != '\n') ++position_;
}

Token Lexer::symbol() {
  const char first = at(position_);
  const std::uint32_t begin = position_++;
  const bool doubled =
      position_ < line_end_ && at(position_) == first && (first == '|' || first == '&' || first == ';');
  if (doubled) ++position_;
  TokenKind kind = TokenKind::kOther;
  if (first == '\n') kind = TokenKind::kNewline;
  if (first == ';' && !doubled) kind = TokenKind::kSemicolon;
  if (first == '{') kind = TokenKind::kLeftBrace;
  if (first == '}') kind = TokenKind::kRightBrace;
  return {kind, begin, position_};
}

std::uint32_t Lexer::variable_length(std::uint32_t position) const {
  const std::uint32_t end = std::min(line_end_, range_.end);
  return static_cast<std::uint32_t>(variable_reference_length(
      std::string_view(range_.source->text()).substr(position, end > position ? end - position : 0)));
}

// Moves `cursor` from the opening quote past the closing one; false where the lines end before it.
bool Lexer::scan_quoted(std::uint32_t& cursor, char quote) {
  for (++cursor;; ++cursor) {
    while (cursor >= line_end_)
      if (!read_line()) return false;
    if (at(cursor) == quote) break;
    // A backslash hides the next character, also a newline, but not in single quotes.
    if (at(cursor) == '\\' && quote == '"') {
      ++cursor;
      if (cursor >= line_end_ && !read_line()) return false;
    }
  }
  ++cursor;
  return true;
}

std::uint32_t Lexer::scan_word(bool& unfinished) {
  std::uint32_t cursor = position_;
  while (cursor < line_end_) {
    const char c = at(cursor);
    if (c == '\'' || c == '"' || (c == '$' && cursor + 1 < line_end_ && at(cursor + 1) == '"')) {
      if (c == '$') ++cursor;
      if (!scan_quoted(cursor, at(cursor))) {
        unfinished = true;
        return cursor;
      }
    } else if (c == '\\') {
      // A backslash at the end of the line goes on with the next one.
      const bool continues = at(cursor + 1) == '\n' && cursor + 2 >= line_end_;
      cursor += 2;
      if (continues && !read_line()) {
        unfinished = true;
        return cursor;
      }
    } else if (c == '$') {
      const std::uint32_t length = variable_length(cursor + 1);
      if (length == 0) break;
      cursor += 1 + length;
    } else if (is_word_character(c)) {
      ++cursor;
    } else {
      break;
    }
  }
  return cursor;
}

Result<Token> Lexer::next() {
  if (ended_) return Token{TokenKind::kEnd, position_, position_};
  PVHGRUB_TRY(budget_.charge_steps(1, "reading a boot configuration"));
  while (true) {
    skip_blanks_and_comment();
    if (position_ < line_end_) break;
    if (levels_ == 0) {
      ended_ = true;
      return Token{TokenKind::kEnd, position_, position_};
    }
    if (!read_line()) {
      ended_too_early_ = true;
      return bad("unexpected end of file");
    }
  }
  bool unfinished = false;
  const std::uint32_t end = scan_word(unfinished);
  PVHGRUB_TRY(budget_.charge_steps((end - position_) / 64, "reading a boot configuration"));
  if (unfinished) {
    position_ = line_end_;
    ended_too_early_ = true;
    return bad("unexpected end of file in a string or after a backslash");
  }
  if (end == position_) {
    if (at(position_) == '$') return bad("`$' names no variable");
    return symbol();
  }
  const Token token{TokenKind::kWord, position_, end};
  position_ = end;
  const std::string_view word = text(token);
  // Inside double quotes anything follows a '$' as far as the word's end goes, but it must name a variable.
  if (word.find('"') != std::string_view::npos && word.find('$') != std::string_view::npos &&
      !are_fragments_valid(word))
    return bad("`$' names no variable");
  return Token{classify_word(word), token.begin, token.end};
}

std::string_view Lexer::text(const Token& token) const {
  const std::uint32_t end = std::min(token.end, range_.end);
  const std::uint32_t begin = std::min(token.begin, end);
  return std::string_view(range_.source->text()).substr(begin, end - begin);
}

}  // namespace pvhgrub::grubcfg
