// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/options.h"

#include <algorithm>

namespace pvhgrub::grubcfg {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::size_t kHelp = static_cast<std::size_t>(-2);

class OptionParser {
 public:
  OptionParser(Evaluator& evaluator, std::span<const std::string> arguments,
               std::span<const OptionSpec> specs, unsigned style, ParsedOptions& parsed)
      : evaluator_(evaluator), arguments_(arguments), specs_(specs), style_(style), parsed_(parsed) {
    parsed_.options.assign(specs.size(), {});
    parsed_.arguments.clear();
  }

  bool parse();

 private:
  [[nodiscard]] bool has_style(OptionStyle style) const {
    return (style_ & static_cast<unsigned>(style)) != 0;
  }
  [[nodiscard]] std::size_t find_short(char name) const;
  [[nodiscard]] std::size_t find_long(std::string_view name) const;
  bool parse_short(const std::string& argument);
  bool parse_long(const std::string& argument);
  /// Records one option; `value` may be null.
  bool record(std::size_t spec, const std::string* value, const std::string& argument);
  bool wrong(std::string message) {
    evaluator_.raise(kStatusBadArgument, std::move(message));
    return false;
  }

  Evaluator& evaluator_;
  std::span<const std::string> arguments_;
  std::span<const OptionSpec> specs_;
  unsigned style_;
  ParsedOptions& parsed_;
  std::size_t position_ = 0;
};

std::size_t OptionParser::find_short(char name) const {
  const auto found = std::ranges::find(specs_, name, &OptionSpec::short_name);
  if (found != specs_.end()) return static_cast<std::size_t>(found - specs_.begin());
  return name == 'h' || name == 'u' ? kHelp : kNone;
}

std::size_t OptionParser::find_long(std::string_view name) const {
  const auto found = std::ranges::find_if(
      specs_, [&](const OptionSpec& spec) { return !spec.long_name.empty() && spec.long_name == name; });
  if (found != specs_.end()) return static_cast<std::size_t>(found - specs_.begin());
  return name == "help" || name == "usage" ? kHelp : kNone;
}

bool OptionParser::record(std::size_t index, const std::string* value, const std::string& argument) {
  const OptionSpec spec = index == kHelp ? OptionSpec{} : specs_[index];
  if (value == nullptr && spec.takes_value && !spec.value_optional)
    return wrong("missing mandatory option for `" + std::string(spec.long_name) + "'");
  if (value != nullptr && !spec.takes_value)
    return wrong("a value was assigned to the argument `" + argument +
                 "' while it doesn't require an argument");
  // --help prints and ends the command; what it prints is of no use to a boot.
  if (index == kHelp) return false;
  parsed_.options[index].set = true;
  if (value != nullptr) {
    parsed_.options[index].values.push_back(*value);
  } else {
    parsed_.options[index].values.clear();
  }
  // An error that an earlier command left (`!` alone) makes GRUB's parser of options give up.
  return evaluator_.error() == kStatusOk;
}

bool OptionParser::parse_short(const std::string& argument) {
  const std::string_view names = std::string_view(argument).substr(1);
  if (has_style(OptionStyle::kUnknownAreArguments) &&
      std::ranges::any_of(names, [this](char name) { return find_short(name) == kNone; })) {
    parsed_.arguments.push_back(argument);
    return true;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t index = find_short(names[i]);
    if (index == kNone) return wrong(std::string("unknown argument `-") + names[i] + "'");
    const bool takes_value = index != kHelp && specs_[index].takes_value;
    const bool optional = index != kHelp && specs_[index].value_optional;
    if (i + 1 < names.size()) {
      if (takes_value && !optional)
        return wrong("missing mandatory option for `" + std::string(specs_[index].long_name) + "'");
      if (!record(index, nullptr, argument)) return false;
      continue;
    }
    const std::string* value = nullptr;
    if (takes_value && position_ < arguments_.size()) {
      const std::string& next = arguments_[position_];
      if (!optional || next.size() < 2 || next.front() != '-') {
        value = &next;
        ++position_;
      }
    }
    return record(index, value, argument);
  }
  return true;
}

bool OptionParser::parse_long(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  const std::string_view name =
      std::string_view(argument).substr(2, equals == std::string::npos ? equals : equals - 2);
  const std::size_t index = find_long(name);
  std::string given;
  const std::string* value = nullptr;
  if (equals != std::string::npos) {
    given = argument.substr(equals + 1);
    value = &given;
  } else if (index < specs_.size() && specs_[index].takes_value && position_ < arguments_.size() &&
             !arguments_[position_].starts_with('-')) {
    value = &arguments_[position_++];
  }
  if (index != kNone) return record(index, value, argument);
  if (!has_style(OptionStyle::kUnknownAreArguments)) return wrong("unknown argument `" + argument + "'");
  parsed_.arguments.push_back(argument);
  return true;
}

bool OptionParser::parse() {
  while (position_ < arguments_.size()) {
    const std::string& argument = arguments_[position_++];
    const bool too_late = has_style(OptionStyle::kOnlyAtStart) && !parsed_.arguments.empty();
    if (too_late || argument.size() < 2 || argument.front() != '-') {
      parsed_.arguments.push_back(argument);
    } else if (argument[1] != '-') {
      if (!parse_short(argument)) return false;
    } else if (argument.size() == 2) {
      parsed_.arguments.insert(parsed_.arguments.end(),
                               arguments_.begin() + static_cast<std::ptrdiff_t>(position_), arguments_.end());
      return true;
    } else if (!parse_long(argument)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool parse_options(Evaluator& evaluator, std::span<const std::string> arguments,
                   std::span<const OptionSpec> specs, unsigned style, ParsedOptions& parsed) {
  return OptionParser(evaluator, arguments, specs, style, parsed).parse();
}

}  // namespace pvhgrub::grubcfg
