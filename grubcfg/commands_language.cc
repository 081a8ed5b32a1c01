// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands of the language itself: control flow, tests, variables, output.
#include <algorithm>
#include <array>

#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/options.h"
#include "grubcfg/regular_expression.h"
#include "grubcfg/test_expression.h"

namespace pvhgrub::grubcfg {

namespace {

Result<Status> run_true(Evaluator&, const CommandCall&) {
  return kStatusOk;
}

Result<Status> run_false(Evaluator& evaluator, const CommandCall&) {
  return evaluator.raise(kStatusTestFailure, "false");
}

Result<Status> run_test(Evaluator& evaluator, const CommandCall& call) {
  std::span<const std::string> arguments = call.arguments;
  if (!arguments.empty() && arguments.back() == "]") arguments = arguments.first(arguments.size() - 1);
  FileAccess files(evaluator);
  PVHGRUB_TRY_ASSIGN(const bool holds, evaluate_test(arguments, files, evaluator.session().budget));
  return holds ? kStatusOk : evaluator.raise(kStatusTestFailure, "false");
}

// `break` and `continue`, which take the number of loops.
Result<Status> run_break(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() > 1) return evaluator.raise(kStatusBadArgument, "one argument expected");
  std::uint64_t count = 1;
  if (!call.arguments.empty()) {
    const ParsedNumber number = parse_number(call.arguments[0], 10);
    if (number.status != kStatusOk) return evaluator.raise(number.status, "unrecognized number");
    if (!number.rest.empty()) return evaluator.raise(kStatusBadArgument, "unrecognized number");
    if (number.value == 0) return evaluator.raise(kStatusBadArgument, "can't break 0 loops");
    count = number.value;
  }
  MachineState& state = evaluator.state();
  state.continues = call.name == "continue";
  state.active_breaks = std::min(count, state.active_loops);
  return kStatusOk;
}

Result<Status> run_return(Evaluator& evaluator, const CommandCall& call) {
  if (!evaluator.has_parameters() || call.arguments.size() > 1)
    return evaluator.raise(kStatusBadArgument, "not in function body");
  if (call.arguments.empty()) {
    evaluator.state().function_return = true;
    return static_cast<Status>(parse_number(evaluator.environment().value_or_empty("?"), 10).value);
  }
  const ParsedNumber number = parse_number(call.arguments[0], 10);
  if (number.status != kStatusOk) return evaluator.raise(number.status, "unrecognized number");
  if (!number.rest.empty()) return evaluator.raise(kStatusBadArgument, "unrecognized number");
  evaluator.state().function_return = true;
  const Status status = static_cast<Status>(number.value);
  return status == kStatusOk ? kStatusOk : evaluator.raise(status, "false");
}

Result<Status> run_shift(Evaluator& evaluator, const CommandCall& call) {
  if (!evaluator.has_parameters()) return kStatusOk;
  if (call.arguments.size() > 1) return kStatusBadArgument;
  std::uint64_t count = 1;
  if (!call.arguments.empty()) {
    const ParsedNumber number = parse_number(call.arguments[0], 10);
    if (number.status != kStatusOk) evaluator.raise(number.status, "unrecognized number");
    if (!number.rest.empty()) return kStatusBadArgument;
    count = number.value;
  }
  return evaluator.shift_parameters(count);
}

Result<Status> run_setparams(Evaluator& evaluator, const CommandCall& call) {
  return evaluator.set_parameters(call.arguments);
}

Result<Status> run_eval(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return kStatusOk;
  std::string text;
  for (const std::string& argument : call.arguments) {
    if (&argument != &call.arguments.front()) text += ' ';
    text += argument;
  }
  Session& session = evaluator.session();
  PVHGRUB_TRY(session.budget.charge_bytes(text.size(), "evaluating a boot configuration"));
  return evaluator.run_text(
      SourceRange::whole(SourceText::from_string(std::move(text), evaluator.where() + " (eval)", 1)));
}

Result<Status> run_set(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) {
    for (const auto& [name, value] : evaluator.environment().list())
      PVHGRUB_TRY(evaluator.print(name + "=" + value + "\n"));
    return kStatusOk;
  }
  const std::string_view word = call.arguments[0];
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return evaluator.raise(kStatusBadArgument, "not an assignment");
  PVHGRUB_TRY(evaluator.set_variable(word.substr(0, equals), word.substr(equals + 1)));
  return kStatusOk;
}

Result<Status> run_unset(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "one argument expected");
  PVHGRUB_TRY(evaluator.environment().unset(call.arguments[0], evaluator.session().budget));
  return kStatusOk;
}

Result<Status> run_export(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "one argument expected");
  for (const std::string& name : call.arguments)
    PVHGRUB_TRY(evaluator.environment().export_variable(name, evaluator.session().budget));
  return kStatusOk;
}

// Red Hat's `increment` and `decrement`, which count failed boots.
Result<Status> run_increment(Evaluator& evaluator, const CommandCall& call) {
  evaluator.state().is_red_hat = true;
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "no variable specified");
  if (call.arguments.size() > 1) return evaluator.raise(kStatusBadArgument, "too many arguments");
  const std::string& name = call.arguments[0];
  const std::string* old = evaluator.environment().get(name);
  if (old == nullptr) return evaluator.raise(kStatusFileNotFound, "No such variable \"" + name + "\"");
  const bool negative = old->starts_with('-');
  const ParsedNumber number = parse_number(std::string_view(*old).substr(negative ? 1 : 0), 0);
  if (number.status != kStatusOk) return evaluator.raise(number.status, "unrecognized number");
  const std::uint64_t step = call.name == "increment" ? 1 : ~std::uint64_t{0};
  const std::uint64_t value = (negative ? std::uint64_t{0} - number.value : number.value) + step;
  PVHGRUB_TRY(evaluator.set_variable(name, std::to_string(static_cast<std::int64_t>(value))));
  return kStatusOk;
}

/// What one escape of `echo -e` stands for; empty for those that print nothing.
std::string_view echo_escape(char c) {
  switch (c) {
    case '\\':
      return "\\";
    case 'a':
      return "\a";
    case 'f':
      return "\f";
    case 'n':
      return "\n";
    case 'r':
      return "\r";
    case 't':
      return "\t";
    case 'v':
      return "\v";
    default:
      return {};
  }
}

Result<Status> run_echo(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 2> kOptions = {{{"", 'n', false, false}, {"", 'e', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions,
                     static_cast<unsigned>(OptionStyle::kUnknownAreArguments) |
                         static_cast<unsigned>(OptionStyle::kOnlyAtStart),
                     parsed))
    return evaluator.error();
  bool newline = !parsed.options[0].set;
  const bool escapes = parsed.options[1].set;
  std::string text;
  for (const std::string& argument : parsed.arguments) {
    if (&argument != &parsed.arguments.front()) text += ' ';
    for (std::size_t i = 0; i < argument.size(); ++i) {
      if (argument[i] != '\\' || !escapes) {
        text += argument[i];
      } else if (++i < argument.size()) {
        if (argument[i] == 'c') newline = false;
        text += echo_escape(argument[i]);
      }
    }
  }
  if (newline) text += '\n';
  PVHGRUB_TRY(evaluator.print(text));
  return kStatusOk;
}

/// Puts one group into the variable that "--set=NUMBER:NAME" names.
Result<Status> set_group(Evaluator& evaluator, const std::string& target, const RegexpMatch& match) {
  std::uint64_t group = 1;
  std::string_view name = target;
  if (const std::size_t colon = target.find(':'); colon != std::string::npos) {
    const ParsedNumber number = parse_number(target, 10);
    if (!number.rest.starts_with(':') || number.rest.data() != target.data() + colon)
      return evaluator.raise(kStatusBadArgument, "invalid variable name format " + target);
    group = number.value;
    name = name.substr(colon + 1);
  }
  if (group < match.groups.size() && match.groups[static_cast<std::size_t>(group)]) {
    PVHGRUB_TRY(evaluator.set_variable(name, *match.groups[static_cast<std::size_t>(group)]));
  } else {
    PVHGRUB_TRY(evaluator.environment().unset(name, evaluator.session().budget));
  }
  return kStatusOk;
}

Result<Status> run_regexp(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 1> kOptions = {{{"set", 's', true, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  if (parsed.arguments.size() != 2) return evaluator.raise(kStatusBadArgument, "two arguments expected");
  PVHGRUB_TRY_ASSIGN(const RegexpMatch match,
                     match_regexp(parsed.arguments[0], parsed.arguments[1], evaluator.session().budget));
  if (!match.matched) return evaluator.raise(kStatusTestFailure, match.reason);
  for (const std::string& target : parsed.options[0].values) {
    PVHGRUB_TRY_ASSIGN(const Status status, set_group(evaluator, target, match));
    if (status != kStatusOk) return status;
  }
  return kStatusOk;
}

// Nobody is there to wait: time stands still during an evaluation.
Result<Status> run_sleep(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 2> kOptions = {
      {{"verbose", 'v', false, false}, {"interruptible", 'i', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  if (parsed.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "one argument expected");
  const ParsedNumber number = parse_number(parsed.arguments[0], 10);
  // GRUB complains, sleeps not at all, and is content.
  if (number.status != kStatusOk) evaluator.raise(number.status, "unrecognized number");
  return kStatusOk;
}

// `read NAME` gets the empty line that a person who just presses return would give.
Result<Status> run_read(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 1> kOptions = {{{"silent", 's', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  if (!parsed.arguments.empty()) PVHGRUB_TRY(evaluator.set_variable(parsed.arguments[0], ""));
  return kStatusOk;
}

Result<Status> run_gettext(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "one argument expected");
  PVHGRUB_TRY(evaluator.print(call.arguments[0]));
  return kStatusOk;
}

constexpr Presence kEvery = Presence::kEveryBuild;
constexpr Presence kSome = Presence::kSomeBuilds;

constexpr std::array kCommands = {
    CommandEntry{"[", run_test, kEvery, false, true},
    CommandEntry{"test", run_test, kEvery, false, true},
    CommandEntry{"true", run_true},
    CommandEntry{"false", run_false},
    CommandEntry{"break", run_break},
    CommandEntry{"continue", run_break},
    CommandEntry{"return", run_return},
    CommandEntry{"shift", run_shift},
    CommandEntry{"setparams", run_setparams},
    CommandEntry{"eval", run_eval},
    CommandEntry{"set", run_set, kEvery, false, true},
    CommandEntry{"unset", run_unset},
    CommandEntry{"export", run_export},
    CommandEntry{"increment", run_increment, kSome},
    CommandEntry{"decrement", run_increment, kSome},
    CommandEntry{"echo", run_echo},
    CommandEntry{"regexp", run_regexp},
    CommandEntry{"sleep", run_sleep},
    CommandEntry{"read", run_read},
    CommandEntry{"gettext", run_gettext},
};

}  // namespace

std::span<const CommandEntry> language_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
