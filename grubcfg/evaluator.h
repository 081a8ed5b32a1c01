// SPDX-License-Identifier: LGPL-2.1-or-later
// Executes GRUB's language.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "grubcfg/grub_error.h"
#include "grubcfg/machine_state.h"
#include "grubcfg/parser.h"

namespace pvhgrub::grubcfg {

/// One call of a command.
struct CommandCall {
  std::string_view name;
  std::span<const std::string> arguments;  ///< a block among them as its text, in braces
  const SourceRange* block = nullptr;      ///< the block, for the commands that take one
};

/// Why an evaluation ended before its script did.
enum class Ending : std::uint8_t {
  kNone,      ///< it did not
  kBoot,      ///< `boot` with something loaded
  kShowMenu,  ///< a nested configuration made a menu, which GRUB shows at once
  kLeave,     ///< `exit`, `reboot`, `halt` and the like
};

/// Executes scripts over one MachineState. A Result's error is fatal (kLimit, or what the echo sink said);
/// what GRUB would report and go on from becomes a notice.
class Evaluator {
 public:
  Evaluator(Session& session, MachineState state) : session_(session), state_(std::move(state)) {}

  /// Runs a configuration file: after a syntax error it goes on with the next line.
  [[nodiscard]] Result<void> run_file(const SourceRange& script);
  /// Runs text, as `eval` and menu entries do: a syntax error ends it.
  [[nodiscard]] Result<Status> run_text(const SourceRange& script) { return run(script, false); }
  /// Runs an entry's body with its own $1, $2, ...
  [[nodiscard]] Result<void> run_body(const SourceRange& body, std::vector<std::string> arguments);

  // --- For the commands ---

  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] MachineState& state() { return state_; }
  [[nodiscard]] Environment& environment() { return state_.environment; }
  [[nodiscard]] MenuUnderConstruction& menu() { return menu_; }
  /// Appends to menu(), within the limits.
  [[nodiscard]] Result<void> add_entry(MenuEntry entry, EntryBody body);

  /// Sets GRUB's current error, which is printed after the command unless it is cleared or is
  /// kStatusTestFailure.
  Status raise(Status status, std::string message);
  void clear_error() { error_ = kStatusOk; }
  /// Tells GRUB's current error as a notice, and clears it.
  void print_error();
  [[nodiscard]] Status error() const { return error_; }
  /// What a command has to say: raw bytes with the newline. Charges the budget for the way that they take. An
  /// error ends the evaluation with it.
  [[nodiscard]] Result<void> print(std::string_view text);
  /// A notice with the current file and line.
  void notice(std::string message);
  /// "file:line" of the command under execution; empty for what a person types.
  [[nodiscard]] std::string where() const;
  [[nodiscard]] std::string_view script_name() const {
    return source_ != nullptr ? source_->name() : std::string_view();
  }

  [[nodiscard]] Result<void> set_variable(std::string_view name, std::string_view value) {
    return environment().set(name, value, session_.budget);
  }

  void end(Ending ending, std::string_view command);
  [[nodiscard]] Ending ending() const { return ending_; }
  [[nodiscard]] const std::string& ending_command() const { return ending_command_; }

  /// The first error that was printed; empty for none.
  [[nodiscard]] const std::string& first_error() const { return first_error_; }
  /// where() it was.
  [[nodiscard]] const std::string& first_error_where() const { return first_error_where_; }
  /// A syntax error ended a text before its end.
  [[nodiscard]] bool had_syntax_error() const { return had_syntax_error_; }

  /// What is evaluated is typed at a command line: `normal` alone leads back to the menu.
  void set_interactive() { interactive_ = true; }
  [[nodiscard]] bool is_interactive() const { return interactive_; }

  /// The configuration file whose menu is being made.
  [[nodiscard]] const ConfigurationSource& menu_source() const { return menu_source_; }
  void set_menu_source(ConfigurationSource source) { menu_source_ = std::move(source); }
  /// Swaps the menu under construction, for a new context.
  [[nodiscard]] MenuUnderConstruction exchange_menu(MenuUnderConstruction menu) {
    return std::exchange(menu_, std::move(menu));
  }

  // The commands of the language itself, which need the evaluator's inside.
  [[nodiscard]] Result<Status> set_parameters(std::span<const std::string> arguments);
  [[nodiscard]] Result<Status> shift_parameters(std::uint64_t count);
  [[nodiscard]] bool has_parameters() const { return scope_ != nullptr; }

 private:
  /// The positional parameters of a function call or an entry.
  struct Scope {
    std::vector<std::string> arguments;
    std::size_t shifted = 0;
    [[nodiscard]] std::span<const std::string> current() const {
      return std::span(arguments).subspan(shifted);
    }
  };

  [[nodiscard]] Result<Status> run(const SourceRange& script, bool is_file);
  void print_syntax_error(const SourceText& source, const Parser& parser);
  void note_first_error(std::string_view message, std::string where);
  void define_functions(const std::vector<FunctionDefinition>& functions);

  /// Runs a list and sets $?; kNoCommand does nothing.
  [[nodiscard]] Result<Status> execute_list(const SyntaxTree& tree, std::uint32_t first);
  [[nodiscard]] Result<Status> execute_command(const SyntaxTree& tree, std::uint32_t index);
  [[nodiscard]] Result<Status> execute_simple(const SyntaxTree& tree, const Command& command);
  [[nodiscard]] Result<Status> execute_if(const SyntaxTree& tree, const Command& command);
  [[nodiscard]] Result<Status> execute_for(const SyntaxTree& tree, const Command& command);
  [[nodiscard]] Result<Status> execute_while(const SyntaxTree& tree, const Command& command);
  [[nodiscard]] Result<Status> call(const std::vector<std::string>& words, bool inverted,
                                    const SourceRange* block);
  [[nodiscard]] Result<Status> call_function(const SyntaxTree& body, std::span<const std::string> arguments);
  [[nodiscard]] Result<void> assign(std::string_view word);
  Status fail_too_deep();

  // expansion.cc
  [[nodiscard]] Result<std::vector<std::string>> expand(const SyntaxTree& tree, std::uint32_t first_word,
                                                        std::uint32_t count);
  [[nodiscard]] Result<void> expand_word(std::string_view raw, class ArgumentVector& words);
  [[nodiscard]] Result<void> expand_variable(std::string_view name, bool quoted, class ArgumentVector& words);
  [[nodiscard]] std::vector<std::string> variable_values(std::string_view name, bool quoted) const;
  [[nodiscard]] std::string fill_in_translated(std::string_view text) const;

  Session& session_;
  MachineState state_;
  MenuUnderConstruction menu_;
  ConfigurationSource menu_source_;
  Scope* scope_ = nullptr;
  const SourceText* source_ = nullptr;  ///< of the command under execution
  std::uint32_t offset_ = 0;
  Status error_ = kStatusOk;
  std::string error_message_;
  std::string first_error_;
  std::string first_error_where_;
  bool had_syntax_error_ = false;
  bool interactive_ = false;
  Ending ending_ = Ending::kNone;
  std::string ending_command_;
};

/// The variables that GRUB itself sets and exports before it reads its configuration.
[[nodiscard]] Result<void> set_predefined_variables(Environment& environment, const GrubSettings& settings,
                                                    Budget& budget);

/// An evaluator as GRUB starts: `root`, `prefix` and `cmdpath` for a configuration on a device.
[[nodiscard]] Result<Evaluator> start_evaluator(Session& session, const ConfigurationSource& source);

}  // namespace pvhgrub::grubcfg
