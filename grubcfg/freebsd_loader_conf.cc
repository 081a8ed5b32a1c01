// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/freebsd_loader_conf.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_of_word(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
}

std::string_view without_blanks_before(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\v\f"), text.size()));
  return text;
}

std::size_t word_length(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_of_word) - text.begin());
}

/// One setting as it is written.
struct Assignment {
  std::string_view key;
  std::string_view value;  ///< without the quotes around it, nothing resolved
  bool quoted = false;
};

/// The end of a value that begins behind a quote; no value where no quote ends it.
std::optional<std::size_t> closing_quote(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i;
    }
  }
  return std::nullopt;
}

/// `problem` tells what is wrong where there is no value.
std::optional<Assignment> parse_assignment(std::string_view line, std::string& problem) {
  const std::size_t key_length = word_length(line);
  std::string_view rest = without_blanks_before(line.substr(key_length));
  if (key_length == 0 || !rest.starts_with('=')) {
    problem = "a setting is written NAME=\"VALUE\"";
    return std::nullopt;
  }
  Assignment assignment;
  assignment.key = line.substr(0, key_length);
  rest = without_blanks_before(rest.substr(1));
  if (rest.starts_with('"')) {
    const std::optional<std::size_t> end = closing_quote(rest.substr(1));
    if (!end) {
      problem = "the value's closing quote is missing";
      return std::nullopt;
    }
    assignment.quoted = true;
    assignment.value = rest.substr(1, *end);
    rest.remove_prefix(*end + 2);
  } else {
    const std::size_t length = word_length(rest);
    if (length == 0) {
      problem = "a value stands in double quotes";
      return std::nullopt;
    }
    assignment.value = rest.substr(0, length);
    rest.remove_prefix(length);
  }
  rest = without_blanks_before(rest);
  if (rest.empty() || rest.starts_with('#')) return assignment;
  problem = "only a comment may follow a value";
  return std::nullopt;
}

class Reader {
 public:
  Reader(std::string_view name, FreebsdSettings& settings, Budget& budget, Diagnostics& diagnostics)
      : name_(name), settings_(settings), budget_(budget), diagnostics_(diagnostics) {}

  Result<void> read(std::string_view text);

 private:
  void read_line(std::string_view line);
  /// True where the setting is one of a module's.
  bool set_module(const Assignment& assignment);
  void set_variable(const Assignment& assignment);
  /// The value with backslashes and variables resolved; no value, with a notice, where that is impossible.
  std::optional<std::string> resolve(std::string_view value);
  /// The variable that begins at `value`[`at`], a '$'; moves `at` behind it. No value where no name follows.
  static std::optional<std::string> variable_name(std::string_view value, std::size_t& at);
  void left_out(const std::string& why) {
    diagnostics_.notice(std::string(name_) + ":" + std::to_string(number_), why + "; the line is left out");
  }

  std::string_view name_;
  FreebsdSettings& settings_;
  Budget& budget_;
  Diagnostics& diagnostics_;
  std::size_t number_ = 0;
};

Result<void> Reader::read(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    ++number_;
    PVHGRUB_TRY(budget_.charge_steps(1 + end / 16, "reading loader.conf"));
    const std::string_view line = without_blanks_before(text.substr(0, end));
    if (!line.empty() && !line.starts_with('#')) read_line(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

void Reader::read_line(std::string_view line) {
  std::string problem;
  const std::optional<Assignment> assignment = parse_assignment(line, problem);
  if (!assignment) return left_out(problem);
  if (assignment->key.size() > limits::kFreebsdNameBytes)
    return left_out("a name of more than " + std::to_string(limits::kFreebsdNameBytes) + " bytes");
  if (assignment->value.size() > limits::kFreebsdEnvironmentBytes)
    return left_out("a value of more than " + std::to_string(limits::kFreebsdEnvironmentBytes) + " bytes");
  if (assignment->key == "exec") {
    // The first line of defaults/loader.conf only prints the file's name.
    if (!assignment->value.starts_with("echo "))
      left_out("a command of FreeBSD's loader is not run: " + std::string(assignment->value));
    return;
  }
  if (set_module(*assignment)) return;
  set_variable(*assignment);
}

bool Reader::set_module(const Assignment& assignment) {
  if (assignment.key.find('.') != std::string_view::npos) return false;
  const std::size_t bar = assignment.key.rfind('_');
  if (bar == std::string_view::npos || bar == 0) return false;
  const std::string_view what = assignment.key.substr(bar + 1);
  constexpr std::array<std::string_view, 7> kSettings = {"load",   "name",  "type", "flags",
                                                         "before", "after", "error"};
  if (std::ranges::find(kSettings, what) == kSettings.end()) return false;
  const std::string module(assignment.key.substr(0, bar));
  if (!settings_.modules.contains(module) && settings_.modules.size() >= limits::kFreebsdVariables) {
    left_out("more than " + std::to_string(limits::kFreebsdVariables) + " modules");
    return true;
  }
  // Flags, and commands to run before and after, have no meaning where nothing is loaded.
  FreebsdModule& settings = settings_.modules[module];
  if (what == "load") settings.load = equal_ignoring_case(assignment.value, "yes");
  if (what == "name") settings.name = assignment.value;
  if (what == "type") settings.type = assignment.value;
  return true;
}

void Reader::set_variable(const Assignment& assignment) {
  if (!is_letter_or_digit(assignment.key.front())) return left_out("a variable's name begins with a letter");
  std::optional<std::string> value =
      assignment.quoted ? resolve(assignment.value) : std::string(assignment.value);
  if (!value) return;
  const std::string key(assignment.key);
  if (!settings_.has(key) && settings_.variables.size() >= limits::kFreebsdVariables)
    return left_out("more than " + std::to_string(limits::kFreebsdVariables) + " variables");
  settings_.variables.insert_or_assign(key, std::move(*value));
}

std::optional<std::string> Reader::variable_name(std::string_view value, std::size_t& at) {
  std::string_view rest = value.substr(at + 1);
  std::size_t length = 0;
  if (rest.starts_with('{')) {
    rest.remove_prefix(1);
    length = rest.find('}');
    if (length == std::string_view::npos || length == 0) return std::nullopt;
    at += length + 3;
  } else {
    if (rest.empty() || !is_letter_or_digit(rest.front())) return std::nullopt;
    length = word_length(rest);
    at += length + 1;
  }
  return std::string(rest.substr(0, length));
}

std::optional<std::string> Reader::resolve(std::string_view value) {
  std::string resolved;
  for (std::size_t i = 0; i < value.size();) {
    if (value[i] == '\\') {
      // The quote that ends the value is never escaped, so a character follows.
      resolved += value[i + 1];
      i += 2;
    } else if (value[i] == '$') {
      const std::optional<std::string> name = variable_name(value, i);
      if (!name) {
        left_out("a '$' without a variable's name behind it is written \\$");
        return std::nullopt;
      }
      resolved += settings_.get(*name);
    } else {
      resolved += value[i++];
    }
    if (resolved.size() > limits::kFreebsdEnvironmentBytes) {
      left_out("a value of more than " + std::to_string(limits::kFreebsdEnvironmentBytes) + " bytes");
      return std::nullopt;
    }
  }
  return resolved;
}

}  // namespace

Result<void> parse_freebsd_loader_conf(std::string_view text, std::string_view name,
                                       FreebsdSettings& settings, Budget& budget, Diagnostics& diagnostics) {
  return Reader(name, settings, budget, diagnostics).read(text);
}

}  // namespace pvhgrub::grubcfg
