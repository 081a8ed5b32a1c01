// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/parser.h"

#include "base/limits.h"

namespace pvhgrub::grubcfg {

// Goes on when a step matched, else hands its failure up.
#define PVHGRUB_PARSE(step)                                         \
  do {                                                              \
    const Parsed pvhgrub_parsed = (step);                           \
    if (!pvhgrub_parsed || !*pvhgrub_parsed) return pvhgrub_parsed; \
  } while (false)

Parser::Parser(SourceRange range, bool is_file, Budget& budget)
    : range_(std::move(range)), lexer_(range_, is_file, budget) {
  tree_.source = range_.source;
}

Result<Parser::Outcome> Parser::next() {
  if (!lexer_.begin_statement()) return Outcome::kEnd;
  lookahead_.reset();
  tree_.commands.clear();
  tree_.words.clear();
  tree_.first = kNoCommand;
  functions_.clear();
  nesting_ = 0;
  inside_blocks_ = 0;
  PVHGRUB_TRY_ASSIGN(const bool matched, script());
  if (matched) return Outcome::kStatement;
  lexer_.abandon_statement();
  return Outcome::kSyntaxError;
}

Parser::Parsed Parser::script() {
  List statements;
  PVHGRUB_PARSE(skip_newlines());
  while (true) {
    PVHGRUB_TRY_ASSIGN(const Token token, peek());
    if (token.kind == TokenKind::kEnd) break;
    if (is_reserved(token, "function")) {
      PVHGRUB_PARSE(function());
    } else {
      std::uint32_t index = kNoCommand;
      PVHGRUB_PARSE(command(index));
      append(statements, index);
    }
    PVHGRUB_TRY_ASSIGN(const Token delimiter, peek());
    if (delimiter.kind != TokenKind::kSemicolon && delimiter.kind != TokenKind::kNewline)
      return unexpected(delimiter);
    consume();
    PVHGRUB_PARSE(skip_newlines());
  }
  tree_.first = statements.first;
  return true;
}

Parser::Parsed Parser::list(List& list) {
  PVHGRUB_PARSE(skip_newlines());
  while (true) {
    std::uint32_t index = kNoCommand;
    PVHGRUB_PARSE(command(index));
    append(list, index);
    PVHGRUB_TRY_ASSIGN(list.delimited, skip_delimiters());
    if (!list.delimited) return true;
    PVHGRUB_TRY_ASSIGN(const Token token, peek());
    if (!begins_command(token)) return true;
  }
}

Parser::Parsed Parser::command(std::uint32_t& index) {
  PVHGRUB_TRY_ASSIGN(const Token token, peek());
  if (token.kind == TokenKind::kName || token.kind == TokenKind::kWord) return simple_command(index);
  if (token.kind != TokenKind::kReserved) return unexpected(token);
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard,
                     DepthGuard::enter(nesting_, limits::kScriptNesting, "commands of a boot configuration"));
  if (is_reserved(token, "if")) return if_command(index);
  if (is_reserved(token, "for")) return for_command(index);
  if (is_reserved(token, "while")) return while_command(index, Command::Kind::kWhile);
  if (is_reserved(token, "until")) return while_command(index, Command::Kind::kUntil);
  return unexpected(token);
}

Parser::Parsed Parser::simple_command(std::uint32_t& index) {
  PVHGRUB_TRY_ASSIGN(Token token, peek());
  PVHGRUB_TRY_ASSIGN(index, add_command(Command::Kind::kSimple, token.begin));
  do {
    WordReference word;
    word.begin = token.begin;
    word.length = (token.end - token.begin) & 0x7fffffffU;
    PVHGRUB_TRY(add_word(index, word));
    consume();
    PVHGRUB_TRY_ASSIGN(token, peek());
  } while (token.kind == TokenKind::kName || token.kind == TokenKind::kWord ||
           token.kind == TokenKind::kReserved);
  if (token.kind != TokenKind::kLeftBrace) return true;
  WordReference word;
  PVHGRUB_PARSE(block(word));
  PVHGRUB_TRY(add_word(index, word));
  return true;
}

Parser::Parsed Parser::block(WordReference& word) {
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard,
                     DepthGuard::enter(nesting_, limits::kScriptNesting, "blocks of a boot configuration"));
  PVHGRUB_TRY_ASSIGN(const Token opening, peek());
  consume();
  lexer_.open_level();
  ++inside_blocks_;
  List commands;
  PVHGRUB_PARSE(list(commands));
  PVHGRUB_TRY_ASSIGN(const Token closing, peek());
  PVHGRUB_PARSE(expect(TokenKind::kRightBrace));
  --inside_blocks_;
  lexer_.close_level();
  word.begin = opening.end;
  word.length = (closing.begin - opening.end) & 0x7fffffffU;
  word.is_block = 1;
  return true;
}

Parser::Parsed Parser::function() {
  consume();
  PVHGRUB_TRY_ASSIGN(const Token name, peek());
  PVHGRUB_PARSE(expect(TokenKind::kName));
  lexer_.open_level();
  PVHGRUB_PARSE(skip_newlines());
  PVHGRUB_PARSE(expect(TokenKind::kLeftBrace));
  SyntaxTree outer = std::move(tree_);
  tree_ = SyntaxTree();
  tree_.source = range_.source;
  List commands;
  Parsed matched = list(commands);
  if (matched && *matched) {
    PVHGRUB_TRY_ASSIGN(const Token closing, peek());
    matched = commands.delimited ? expect(TokenKind::kRightBrace) : unexpected(closing);
  }
  SyntaxTree body = std::exchange(tree_, std::move(outer));
  PVHGRUB_PARSE(matched);
  lexer_.close_level();
  body.first = commands.first;
  body.commands.shrink_to_fit();
  body.words.shrink_to_fit();
  functions_.push_back({std::string(lexer_.text(name)), std::make_shared<const SyntaxTree>(std::move(body))});
  return true;
}

Parser::Parsed Parser::delimited_list_until(std::string_view keyword, std::uint32_t& first) {
  List commands;
  PVHGRUB_PARSE(list(commands));
  PVHGRUB_TRY_ASSIGN(const Token token, peek());
  if (!commands.delimited || !is_reserved(token, keyword)) return unexpected(token);
  consume();
  first = commands.first;
  return true;
}

Parser::Parsed Parser::if_command(std::uint32_t& index) {
  lexer_.open_level();
  PVHGRUB_TRY_ASSIGN(const Token token, peek());
  PVHGRUB_TRY_ASSIGN(index, add_command(Command::Kind::kIf, token.begin));
  PVHGRUB_PARSE(if_branches(index));
  lexer_.close_level();
  return true;
}

// From the `if` of `index`, or the `elif` that continues it, to `fi`. An elif chain may be long: it is a loop
// here.
Parser::Parsed Parser::if_branches(std::uint32_t index) {
  while (true) {
    consume();
    std::uint32_t condition = kNoCommand;
    PVHGRUB_PARSE(delimited_list_until("then", condition));
    List body;
    PVHGRUB_PARSE(list(body));
    PVHGRUB_TRY_ASSIGN(const Token token, peek());
    if (!body.delimited) return unexpected(token);
    const bool recorded = index != kNoCommand;
    if (recorded) {
      tree_.commands[index].condition = condition;
      tree_.commands[index].body = body.first;
    }
    if (is_reserved(token, "fi")) {
      consume();
      return true;
    }
    if (is_reserved(token, "else")) {
      consume();
      std::uint32_t otherwise = kNoCommand;
      PVHGRUB_PARSE(delimited_list_until("fi", otherwise));
      if (recorded) tree_.commands[index].otherwise = otherwise;
      return true;
    }
    if (!is_reserved(token, "elif")) return unexpected(token);
    PVHGRUB_TRY_ASSIGN(const std::uint32_t elif, add_command(Command::Kind::kIf, token.begin));
    if (recorded) {
      tree_.commands[index].otherwise = elif;
      tree_.commands[index].else_is_elif = true;
    }
    index = elif;
  }
}

Parser::Parsed Parser::for_command(std::uint32_t& index) {
  PVHGRUB_TRY_ASSIGN(const Token keyword, peek());
  consume();
  PVHGRUB_TRY_ASSIGN(const Token name, peek());
  PVHGRUB_PARSE(expect(TokenKind::kName));
  lexer_.open_level();
  PVHGRUB_PARSE(expect_reserved("in"));
  PVHGRUB_TRY_ASSIGN(index, add_command(Command::Kind::kFor, keyword.begin));
  if (index != kNoCommand) {
    tree_.commands[index].variable.begin = name.begin;
    tree_.commands[index].variable.length = (name.end - name.begin) & 0x7fffffffU;
  }
  while (true) {
    PVHGRUB_TRY_ASSIGN(const Token token, peek());
    if (token.kind != TokenKind::kName && token.kind != TokenKind::kWord &&
        token.kind != TokenKind::kReserved)
      break;
    WordReference word;
    word.begin = token.begin;
    word.length = (token.end - token.begin) & 0x7fffffffU;
    PVHGRUB_TRY(add_word(index, word));
    consume();
  }
  PVHGRUB_TRY_ASSIGN(const bool delimited, skip_delimiters());
  PVHGRUB_TRY_ASSIGN(const Token token, peek());
  if (!delimited) return unexpected(token);
  PVHGRUB_PARSE(expect_reserved("do"));
  std::uint32_t body = kNoCommand;
  PVHGRUB_PARSE(delimited_list_until("done", body));
  if (index != kNoCommand) tree_.commands[index].body = body;
  lexer_.close_level();
  return true;
}

Parser::Parsed Parser::while_command(std::uint32_t& index, Command::Kind kind) {
  PVHGRUB_TRY_ASSIGN(const Token keyword, peek());
  consume();
  lexer_.open_level();
  PVHGRUB_TRY_ASSIGN(index, add_command(kind, keyword.begin));
  std::uint32_t condition = kNoCommand;
  std::uint32_t body = kNoCommand;
  PVHGRUB_PARSE(delimited_list_until("do", condition));
  PVHGRUB_PARSE(delimited_list_until("done", body));
  if (index != kNoCommand) {
    tree_.commands[index].condition = condition;
    tree_.commands[index].body = body;
  }
  lexer_.close_level();
  return true;
}

Result<Token> Parser::peek() {
  if (!lookahead_) {
    PVHGRUB_TRY_ASSIGN(lookahead_, lexer_.next());
  }
  return *lookahead_;
}

Parser::Parsed Parser::skip_newlines() {
  while (true) {
    PVHGRUB_TRY_ASSIGN(const Token token, peek());
    if (token.kind != TokenKind::kNewline) return true;
    consume();
  }
}

Parser::Parsed Parser::skip_delimiters() {
  PVHGRUB_TRY_ASSIGN(const Token token, peek());
  if (token.kind != TokenKind::kSemicolon && token.kind != TokenKind::kNewline) return false;
  consume();
  return skip_newlines();
}

Parser::Parsed Parser::expect(TokenKind kind) {
  PVHGRUB_TRY_ASSIGN(const Token token, peek());
  if (token.kind != kind) return unexpected(token);
  consume();
  return true;
}

Parser::Parsed Parser::expect_reserved(std::string_view word) {
  PVHGRUB_TRY_ASSIGN(const Token token, peek());
  if (!is_reserved(token, word)) return unexpected(token);
  consume();
  return true;
}

Parser::Parsed Parser::unexpected(const Token& token) {
  error_line_ = range_.source->line_at(token.begin);
  error_ = "syntax error";
  if (token.kind == TokenKind::kBad) {
    error_ += ": " + std::string(lexer_.bad_reason());
  } else if (token.kind == TokenKind::kNewline || token.kind == TokenKind::kEnd) {
    error_ += " at the end of the line";
  } else {
    error_ += " at `" + std::string(lexer_.text(token)) + "'";
  }
  return false;
}

bool Parser::is_reserved(const Token& token, std::string_view word) const {
  return token.kind == TokenKind::kReserved && lexer_.text(token) == word;
}

bool Parser::begins_command(const Token& token) const {
  return token.kind == TokenKind::kName || token.kind == TokenKind::kWord || is_reserved(token, "if") ||
         is_reserved(token, "for") || is_reserved(token, "while") || is_reserved(token, "until");
}

Result<std::uint32_t> Parser::add_command(Command::Kind kind, std::uint32_t offset) {
  if (inside_blocks_ > 0) return kNoCommand;
  if (tree_.commands.size() >= limits::kStatementCommands)
    return fail(ErrorCode::kLimit,
                "a statement of more than " + std::to_string(limits::kStatementCommands) + " commands",
                range_.source->name() + ":" + std::to_string(range_.source->line_at(offset)));
  Command command;
  command.kind = kind;
  command.offset = offset;
  command.first_word = static_cast<std::uint32_t>(tree_.words.size());
  tree_.commands.push_back(command);
  return static_cast<std::uint32_t>(tree_.commands.size() - 1);
}

Result<void> Parser::add_word(std::uint32_t command, WordReference word) {
  if (command == kNoCommand) return {};
  if (tree_.words.size() >= limits::kStatementWords)
    return fail(ErrorCode::kLimit,
                "a statement of more than " + std::to_string(limits::kStatementWords) + " words",
                range_.source->name() + ":" + std::to_string(range_.source->line_at(word.begin)));
  tree_.words.push_back(word);
  ++tree_.commands[command].word_count;
  return {};
}

void Parser::append(List& list, std::uint32_t index) {
  if (index == kNoCommand) return;
  if (list.first == kNoCommand) {
    list.first = index;
  } else {
    tree_.commands[list.last].next = index;
  }
  list.last = index;
}

#undef PVHGRUB_PARSE

}  // namespace pvhgrub::grubcfg
