// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of GRUB's commands, which follow rules of their own: see parse_options().
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

struct OptionSpec {
  std::string_view long_name;  ///< without dashes; empty for none
  char short_name = '\0';
  bool takes_value = false;
  bool value_optional = false;
};

struct ParsedOptions {
  struct Option {
    bool set = false;
    std::vector<std::string> values;  ///< each given value, in order
    [[nodiscard]] const std::string* value() const { return values.empty() ? nullptr : &values.back(); }
  };
  std::vector<Option> options;         ///< one for each spec
  std::vector<std::string> arguments;  ///< what is no option
};

enum class OptionStyle : unsigned {
  kPlain = 0,
  kUnknownAreArguments = 1,  ///< what begins with a dash but is no option is an argument
  kOnlyAtStart = 2,          ///< after the first argument nothing is an option
};

/// Splits a command's arguments: "--name=value", "--name value" (where the value begins with no dash), "-n
/// value", short options joined, "--" ends them. False, with GRUB's error raised, where they are wrong;
/// --help and --usage are false without an error.
[[nodiscard]] bool parse_options(Evaluator& evaluator, std::span<const std::string> arguments,
                                 std::span<const OptionSpec> specs, unsigned style, ParsedOptions& parsed);

}  // namespace pvhgrub::grubcfg
