// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/evaluator.h"

#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/lexer.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::uint64_t kMessageSteps = 50;

/// A line that is printed goes through frames to the broker, together with others, and takes as long there as
/// some five commands.
constexpr std::uint64_t kPrintSteps = 5;
constexpr std::string_view kPrinting = "printing what a boot configuration echoes";

/// Puts a member back when a run or a call ends, also by an error.
template <typename T>
class Restore {
 public:
  Restore(T& member, T value) : member_(member), old_(std::exchange(member, std::move(value))) {}
  explicit Restore(T& member) : member_(member), old_(member) {}
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
  ~Restore() { member_ = std::move(old_); }

 private:
  T& member_;
  T old_;
};

/// One or more levels of commands under execution, for as long as it lives.
class Recursion {
 public:
  explicit Recursion(unsigned& depth, unsigned levels = 1) : depth_(depth), levels_(levels) {
    depth_ += levels;
  }
  Recursion(const Recursion&) = delete;
  Recursion& operator=(const Recursion&) = delete;
  ~Recursion() { depth_ -= levels_; }
  void deepen() {
    ++depth_;
    ++levels_;
  }
  [[nodiscard]] bool too_deep() const { return depth_ >= limits::kRecursionDepth; }

 private:
  unsigned& depth_;
  unsigned levels_;
};

/// Names that assignment and `for` refuse: the positional parameters.
bool is_parameter_name(std::string_view name) {
  return (!name.empty() && name.front() >= '0' && name.front() <= '9') || name == "#" || name == "*" ||
         name == "@";
}

std::string place_in(const SourceText& source, std::uint32_t line) {
  return source.name().empty() ? std::string() : source.name() + ":" + std::to_string(line);
}

}  // namespace

Status Evaluator::raise(Status status, std::string message) {
  error_ = status;
  error_message_ = std::move(message);
  return status;
}

std::string Evaluator::where() const {
  return source_ != nullptr ? place_in(*source_, source_->line_at(offset_)) : std::string();
}

void Evaluator::notice(std::string message) {
  session_.diagnostics.notice(where(), std::move(message));
}

void Evaluator::print_error() {
  if (error_ == kStatusOk) return;
  // A message goes through the worker's channel, which takes as long as some fifty commands. The next charge
  // tells when that was too much.
  (void)session_.budget.charge_steps(kMessageSteps, "printing errors of a boot configuration");
  note_first_error(error_message_, where());
  notice("error: " + error_message_ + ".");
  error_ = kStatusOk;
}

void Evaluator::note_first_error(std::string_view message, std::string where) {
  if (!first_error_.empty()) return;
  first_error_ = message;
  first_error_where_ = std::move(where);
}

void Evaluator::print_syntax_error(const SourceText& source, const Parser& parser) {
  const std::string where = place_in(source, parser.error_line());
  had_syntax_error_ = true;
  note_first_error(parser.error(), where);
  session_.diagnostics.notice(where, "error: " + parser.error() + ".");
}

Result<void> Evaluator::print(std::string_view text) {
  PVHGRUB_TRY(session_.budget.charge_steps(kPrintSteps, kPrinting));
  PVHGRUB_TRY(session_.budget.charge_bytes(text.size(), kPrinting));
  return session_.diagnostics.echo(text);
}

void Evaluator::end(Ending ending, std::string_view command) {
  ending_ = ending;
  ending_command_ = command;
}

Result<void> Evaluator::add_entry(MenuEntry entry, EntryBody body) {
  if (++session_.menu_entries > limits::kMenuEntries)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kMenuEntries) + " menu entries",
                where());
  PVHGRUB_TRY(session_.budget.charge_bytes(sizeof(MenuEntry) + sizeof(EntryBody) + entry.title.size(),
                                           "making menu entries"));
  menu_.entries.push_back(std::move(entry));
  menu_.bodies.push_back(std::move(body));
  return {};
}

void Evaluator::define_functions(const std::vector<FunctionDefinition>& functions) {
  for (const FunctionDefinition& function : functions) state_.functions.assign(function.name, function.body);
}

Result<Status> Evaluator::run(const SourceRange& script, bool is_file) {
  const Restore source(source_);
  const Restore offset(offset_);
  Parser parser(script, is_file, session_.budget);
  Status status = kStatusOk;
  while (ending_ == Ending::kNone) {
    Result<Parser::Outcome> parsed = parser.next();
    if (!parsed) {
      if (parsed.error().where.empty()) parsed.error().where = script.source->name();
      return std::unexpected(std::move(parsed).error());
    }
    const Parser::Outcome outcome = *parsed;
    if (outcome == Parser::Outcome::kEnd) break;
    define_functions(parser.functions());
    if (outcome == Parser::Outcome::kSyntaxError) {
      print_syntax_error(*script.source, parser);
      status = kStatusOk;
      if (is_file) continue;
      break;
    }
    // An empty line leaves $? as it is.
    if (parser.tree().first == kNoCommand) {
      status = kStatusOk;
      continue;
    }
    PVHGRUB_TRY_ASSIGN(status, execute_list(parser.tree(), parser.tree().first));
    if (is_file) print_error();
  }
  return status;
}

Result<void> Evaluator::run_file(const SourceRange& script) {
  PVHGRUB_TRY(run(script, true));
  return {};
}

Result<void> Evaluator::run_body(const SourceRange& body, std::vector<std::string> arguments) {
  Scope scope;
  scope.arguments = std::move(arguments);
  const Restore outer(scope_, &scope);
  PVHGRUB_TRY(run_text(body));
  return {};
}

Status Evaluator::fail_too_deep() {
  state_.environment.set_status(kStatusRecursionDepth);
  return raise(kStatusRecursionDepth, "maximum recursion depth exceeded");
}

Result<Status> Evaluator::execute_list(const SyntaxTree& tree, std::uint32_t first) {
  if (first == kNoCommand) return kStatusOk;
  const Recursion level(state_.recursion_depth);
  if (level.too_deep()) return fail_too_deep();
  Status status = kStatusOk;
  for (std::uint32_t index = first; index != kNoCommand; index = tree.commands[index].next) {
    if (state_.active_breaks > 0) break;
    PVHGRUB_TRY_ASSIGN(status, execute_command(tree, index));
    if (state_.function_return || ending_ != Ending::kNone) break;
  }
  state_.environment.set_status(status);
  return status;
}

Result<Status> Evaluator::execute_command(const SyntaxTree& tree, std::uint32_t index) {
  PVHGRUB_TRY(session_.budget.charge_steps(1, "evaluating a boot configuration"));
  const Command& command = tree.commands[index];
  source_ = tree.source.get();
  offset_ = command.offset;
  const Recursion level(state_.recursion_depth);
  if (level.too_deep()) return fail_too_deep();
  Result<Status> status = kStatusOk;
  switch (command.kind) {
    case Command::Kind::kSimple:
      status = execute_simple(tree, command);
      break;
    case Command::Kind::kIf:
      status = execute_if(tree, command);
      break;
    case Command::Kind::kFor:
      status = execute_for(tree, command);
      break;
    case Command::Kind::kWhile:
    case Command::Kind::kUntil:
      status = execute_while(tree, command);
      break;
  }
  if (!status) {
    if (status.error().where.empty()) status.error().where = where();
    return status;
  }
  state_.environment.set_status(*status);
  return status;
}

Result<Status> Evaluator::execute_simple(const SyntaxTree& tree, const Command& command) {
  PVHGRUB_TRY_ASSIGN(std::vector<std::string> words, expand(tree, command.first_word, command.word_count));
  if (words.empty()) return error_;
  const bool inverted = words.front() == "!";
  if (inverted && words.size() < 2) return raise(kStatusBadArgument, "no command is specified");
  const WordReference& last = tree.words[command.first_word + command.word_count - 1];
  if (last.is_block == 0) return call(words, inverted, nullptr);
  const SourceRange block{tree.source, last.begin, last.begin + last.length};
  // Only for a command that does not take blocks the text becomes a word: a submenu's block may be the whole
  // file.
  const CommandEntry* entry = find_command(words[inverted ? 1 : 0]);
  if (entry == nullptr || !entry->takes_block) {
    if (last.length > limits::kWordBytes)
      return fail(ErrorCode::kLimit, "a word of more than " + std::to_string(limits::kWordBytes) + " bytes");
    PVHGRUB_TRY(session_.budget.charge_bytes(last.length, "evaluating a boot configuration"));
    words.back() = "{" + std::string(block.text()) + "}";
  }
  return call(words, inverted, &block);
}

Result<Status> Evaluator::call(const std::vector<std::string>& words, bool inverted,
                               const SourceRange* block) {
  const std::size_t first = inverted ? 1 : 0;
  const std::string_view name = words[first];
  const CommandCall called{name, std::span(words).subspan(first + 1), block};
  const CommandEntry* command = find_command(name);
  const std::shared_ptr<const SyntaxTree>* function = nullptr;
  // A function is called where no command has its name; of the commands that not every GRUB has, it goes
  // first.
  if (command == nullptr || command->presence == Presence::kSomeBuilds)
    function = state_.functions.find(name);
  Status status = kStatusOk;
  if (function != nullptr) {
    const std::shared_ptr<const SyntaxTree> body = *function;
    PVHGRUB_TRY_ASSIGN(status, call_function(*body, called.arguments));
  } else if (command != nullptr && state_.extractor_level > 0 && !command->in_extractor) {
    status = raise(kStatusExtractor, std::string(name) + " isn't allowed to execute in an extractor");
  } else if (command != nullptr) {
    PVHGRUB_TRY_ASSIGN(status, command->run(*this, called));
  } else {
    PVHGRUB_TRY(assign(name));
    return kStatusOk;
  }
  if (inverted) {
    if (status == kStatusTestFailure) {
      status = error_ = kStatusOk;
    } else if (status == kStatusOk) {
      status = raise(kStatusTestFailure, "false");
    } else {
      print_error();
      status = kStatusOk;
    }
  }
  if (error_ == kStatusTestFailure) error_ = kStatusOk;
  print_error();
  return status;
}

// The last resort for a word that is no command: NAME=VALUE. GRUB goes on with status 0 also where it is not.
Result<void> Evaluator::assign(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    raise(kStatusUnknownCommand, "can't find command `" + std::string(word) + "'");
  } else if (is_parameter_name(word.substr(0, equals))) {
    raise(kStatusBadArgument, "invalid variable name `" + std::string(word.substr(0, equals)) + "'");
  } else {
    PVHGRUB_TRY(set_variable(word.substr(0, equals), word.substr(equals + 1)));
  }
  print_error();
  return {};
}

Result<Status> Evaluator::call_function(const SyntaxTree& body, std::span<const std::string> arguments) {
  Scope scope;
  scope.arguments.assign(arguments.begin(), arguments.end());
  const Restore outer(scope_, &scope);
  const Restore<std::uint64_t> loops(state_.active_loops, 0);
  const Restore source(source_);
  const Restore offset(offset_);
  const Result<Status> status = execute_list(body, body.first);
  state_.function_return = false;
  return status;
}

Result<Status> Evaluator::execute_if(const SyntaxTree& tree, const Command& first) {
  // To GRUB an elif is an if inside the else of another.
  Recursion level(state_.recursion_depth, 0);
  const Command* command = &first;
  while (true) {
    PVHGRUB_TRY_ASSIGN(const Status status, execute_list(tree, command->condition));
    if (state_.function_return || ending_ != Ending::kNone) return status;
    clear_error();
    if (environment().value_or_empty("?") == "0") return execute_list(tree, command->body);
    if (!command->else_is_elif) return execute_list(tree, command->otherwise);
    PVHGRUB_TRY(session_.budget.charge_steps(1, "evaluating a boot configuration"));
    command = &tree.commands[command->otherwise];
    offset_ = command->offset;
    level.deepen();
    if (level.too_deep()) return fail_too_deep();
  }
}

Result<Status> Evaluator::execute_for(const SyntaxTree& tree, const Command& command) {
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> words,
                     expand(tree, command.first_word, command.word_count));
  ++state_.active_loops;
  Status status = kStatusOk;
  for (const std::string& word : words) {
    PVHGRUB_TRY(session_.budget.charge_steps(1, "evaluating a loop of a boot configuration"));
    if (state_.continues && state_.active_breaks == 1) state_.active_breaks = 0;
    if (state_.active_breaks > 0) continue;
    PVHGRUB_TRY(set_variable(tree.text(command.variable), word));
    PVHGRUB_TRY_ASSIGN(status, execute_list(tree, command.body));
    if (state_.function_return || ending_ != Ending::kNone) break;
  }
  if (state_.active_breaks > 0) --state_.active_breaks;
  --state_.active_loops;
  return status;
}

Result<Status> Evaluator::execute_while(const SyntaxTree& tree, const Command& command) {
  ++state_.active_loops;
  Status status = kStatusOk;
  while (true) {
    PVHGRUB_TRY(session_.budget.charge_steps(1, "evaluating a loop of a boot configuration"));
    PVHGRUB_TRY_ASSIGN(status, execute_list(tree, command.condition));
    if (state_.function_return || ending_ != Ending::kNone) break;
    if ((command.kind == Command::Kind::kUntil) == (status == kStatusOk)) break;
    PVHGRUB_TRY_ASSIGN(status, execute_list(tree, command.body));
    if (state_.function_return || ending_ != Ending::kNone) break;
    if (state_.active_breaks == 1 && state_.continues) state_.active_breaks = 0;
    if (state_.active_breaks > 0) break;
  }
  if (state_.active_breaks > 0) --state_.active_breaks;
  --state_.active_loops;
  return status;
}

Result<Status> Evaluator::set_parameters(std::span<const std::string> arguments) {
  if (scope_ == nullptr) return kStatusInvalidCommand;
  scope_->arguments = std::vector<std::string>(arguments.begin(), arguments.end());
  scope_->shifted = 0;
  return kStatusOk;
}

Result<Status> Evaluator::shift_parameters(std::uint64_t count) {
  if (scope_ == nullptr) return kStatusOk;
  if (count > scope_->current().size()) return kStatusBadArgument;
  scope_->shifted += static_cast<std::size_t>(count);
  return kStatusOk;
}

Result<void> set_predefined_variables(Environment& environment, const GrubSettings& settings,
                                      Budget& budget) {
  // grub-core/normal/main.c of GRUB 2.06 sets these; what they say is what our evaluator can do as well.
  constexpr std::array<std::string_view, 10> kFeatures = {"feature_200_final",
                                                          "feature_all_video_module",
                                                          "feature_chainloader_bpb",
                                                          "feature_default_font_path",
                                                          "feature_menuentry_id",
                                                          "feature_menuentry_options",
                                                          "feature_nativedisk_cmd",
                                                          "feature_ntldr",
                                                          "feature_platform_search_hint",
                                                          "feature_timeout_style"};
  const auto define = [&](std::string_view name, std::string_view value) -> Result<void> {
    PVHGRUB_TRY(environment.set(name, value, budget));
    return environment.export_variable(name, budget);
  };
  for (const std::string_view feature : kFeatures) PVHGRUB_TRY(define(feature, "y"));
  PVHGRUB_TRY(define("grub_cpu", settings.cpu));
  PVHGRUB_TRY(define("grub_platform", settings.platform));
  PVHGRUB_TRY(define("color_normal", "light-gray/black"));
  PVHGRUB_TRY(define("color_highlight", "black/light-gray"));
  for (const std::string_view name : {"lang", "locale_dir", "pager", "secondary_locale_dir"})
    PVHGRUB_TRY(define(name, ""));
  for (const auto& [name, value] : settings.variables) PVHGRUB_TRY(define(name, value));
  return {};
}

Result<Evaluator> start_evaluator(Session& session, const ConfigurationSource& source) {
  Evaluator evaluator(session, MachineState());
  evaluator.set_menu_source(source);
  Environment& environment = evaluator.environment();
  const auto define = [&](std::string_view name, std::string_view value) -> Result<void> {
    PVHGRUB_TRY(environment.set(name, value, session.budget));
    return environment.export_variable(name, session.budget);
  };
  if (!source.device.empty()) {
    const std::string directory = source.path.substr(0, source.path.rfind('/'));
    const std::string prefix = "(" + source.device + ")" + directory;
    PVHGRUB_TRY(define("root", source.device));
    PVHGRUB_TRY(define("prefix", prefix));
    PVHGRUB_TRY(define("cmdpath", prefix));
  }
  PVHGRUB_TRY(set_predefined_variables(environment, session.settings, session.budget));
  return evaluator;
}

}  // namespace pvhgrub::grubcfg
