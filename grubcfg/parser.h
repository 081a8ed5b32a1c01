// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's grammar (GRUB manual, "Shell-like scripting"). The unit is the statement with the lines it needs: a
// syntax error loses that unit and nothing else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/lexer.h"
#include "grubcfg/syntax_tree.h"

namespace pvhgrub::grubcfg {

class Parser {
 public:
  enum class Outcome : std::uint8_t {
    kStatement,    ///< tree() holds what to execute
    kSyntaxError,  ///< error() tells why; the lines read so far are lost
    kEnd,          ///< no lines left
  };

  /// `is_file`: see Lexer.
  Parser(SourceRange range, bool is_file, Budget& budget);

  /// Reads the next statement. The error is kLimit (nesting, size, budget).
  [[nodiscard]] Result<Outcome> next();

  [[nodiscard]] const SyntaxTree& tree() const { return tree_; }
  /// The functions that the last statement defined, also one with a syntax error after them: GRUB defines a
  /// function when it has read it, not when it executes it.
  [[nodiscard]] const std::vector<FunctionDefinition>& functions() const { return functions_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::uint32_t error_line() const { return error_line_; }
  /// The syntax error is that the text ended: with more lines it may become a statement.
  [[nodiscard]] bool needs_more() const { return lexer_.ended_too_early(); }

 private:
  /// A parse step's answer: true when it matched; false for a syntax error.
  using Parsed = Result<bool>;
  struct List {
    std::uint32_t first = kNoCommand;
    std::uint32_t last = kNoCommand;
    bool delimited = false;  ///< a ';' or newline follows the last command
  };

  [[nodiscard]] Parsed script();
  [[nodiscard]] Parsed list(List& list);
  [[nodiscard]] Parsed command(std::uint32_t& index);
  [[nodiscard]] Parsed simple_command(std::uint32_t& index);
  [[nodiscard]] Parsed block(WordReference& word);
  [[nodiscard]] Parsed function();
  [[nodiscard]] Parsed if_command(std::uint32_t& index);
  [[nodiscard]] Parsed if_branches(std::uint32_t index);
  [[nodiscard]] Parsed for_command(std::uint32_t& index);
  [[nodiscard]] Parsed while_command(std::uint32_t& index, Command::Kind kind);
  [[nodiscard]] Parsed delimited_list_until(std::string_view keyword, std::uint32_t& first);

  [[nodiscard]] Result<Token> peek();
  void consume() { lookahead_.reset(); }
  [[nodiscard]] Parsed skip_newlines();
  /// Consumes a ';' or newline and the newlines after it; false where there is none.
  [[nodiscard]] Parsed skip_delimiters();
  [[nodiscard]] Parsed expect(TokenKind kind);
  [[nodiscard]] Parsed expect_reserved(std::string_view word);
  [[nodiscard]] Parsed unexpected(const Token& token);
  [[nodiscard]] bool is_reserved(const Token& token, std::string_view word) const;
  [[nodiscard]] bool begins_command(const Token& token) const;

  [[nodiscard]] Result<std::uint32_t> add_command(Command::Kind kind, std::uint32_t offset);
  [[nodiscard]] Result<void> add_word(std::uint32_t command, WordReference word);
  void append(List& list, std::uint32_t index);

  SourceRange range_;
  Lexer lexer_;
  std::optional<Token> lookahead_;
  SyntaxTree tree_;
  std::vector<FunctionDefinition> functions_;
  unsigned nesting_ = 0;
  unsigned inside_blocks_ = 0;  ///< inside a block commands are only checked, not recorded
  std::string error_;
  std::uint32_t error_line_ = 0;
};

}  // namespace pvhgrub::grubcfg
