// SPDX-License-Identifier: LGPL-2.1-or-later
// From the words of a command as they stand in the script to its arguments: variables, quotes, splitting,
// wildcards.
#include <algorithm>

#include "grubcfg/argument_vector.h"
#include "grubcfg/evaluator.h"
#include "grubcfg/file_access.h"
#include "grubcfg/fragments.h"
#include "grubcfg/grub_flavour.h"
#include "grubcfg/lexer.h"
#include "grubcfg/number.h"
#include "grubcfg/wildcard.h"

namespace pvhgrub::grubcfg {

namespace {

bool is_parameter(std::string_view name) {
  return (!name.empty() && name.front() >= '0' && name.front() <= '9') || name == "#" || name == "*" ||
         name == "@";
}

/// The commands on whose words Red Hat's GRUB leaves \xHH alone.
bool may_pass_hex_escapes(std::string_view command) {
  return command.starts_with("linux") || command.starts_with("multiboot") || command.starts_with("module") ||
         command.starts_with("xen_");
}

/// The words of `text`, appended to the last of `values` and to new ones behind it.
void split_into(std::vector<std::string>& values, std::string_view text) {
  bool first = true;
  std::size_t i = 0;
  while (true) {
    while (i < text.size() && is_space(text[i])) ++i;
    if (i >= text.size()) return;
    const std::size_t begin = i;
    while (i < text.size() && !is_space(text[i])) ++i;
    if (!first) values.emplace_back();
    first = false;
    values.back() += text.substr(begin, i - begin);
  }
}

/// An unquoted variable's wildcards stay alive; only what a backslash in the value could hide is hidden
/// twice.
std::string escape_unquoted_value(std::string_view value) {
  std::string escaped;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      escaped += '\\';
      if (i + 1 < value.size() && (value[i + 1] == '?' || value[i + 1] == '*')) escaped += '\\';
    }
    escaped += value[i];
  }
  return escaped;
}

}  // namespace

// No value at all and one empty value differ: only the latter makes a word of its own.
std::vector<std::string> Evaluator::variable_values(std::string_view name, bool quoted) const {
  std::vector<std::string> values;
  const auto add = [&](std::string_view value, bool new_word) {
    if (!quoted) {
      if (value.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos) return;
      if (new_word || values.empty()) values.emplace_back();
      split_into(values, value);
    } else {
      if (new_word || values.empty()) values.emplace_back();
      values.back() += value;
    }
  };
  if (!is_parameter(name)) {
    const std::string* value = state_.environment.get(name);
    if (value != nullptr && !value->empty()) add(*value, true);
    return values;
  }
  if (scope_ == nullptr) return values;
  const std::span<const std::string> parameters = scope_->current();
  if (name == "#") {
    add(std::to_string(parameters.size()), true);
  } else if (name == "*" || name == "@") {
    const bool joined = name == "*" && quoted;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (joined && i > 0) add(" ", false);
      add(parameters[i], !joined);
    }
  } else {
    const std::uint64_t number = parse_number(name, 10).value;
    if (number > 0 && number <= parameters.size())
      add(parameters[static_cast<std::size_t>(number - 1)], true);
  }
  return values;
}

Result<void> Evaluator::expand_variable(std::string_view name, bool quoted, ArgumentVector& words) {
  bool first = true;
  for (const std::string& value : variable_values(name, quoted)) {
    if (!first) PVHGRUB_TRY(words.begin_word());
    first = false;
    PVHGRUB_TRY(words.append(quoted ? escape_wildcards(value) : escape_unquoted_value(value)));
  }
  return {};
}

// Variables in $"..." are filled in after the translation, in which GRUB could have moved them.
std::string Evaluator::fill_in_translated(std::string_view text) const {
  std::string filled;
  bool escaped = false;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '\\') {
      escaped = !escaped;
      if (!escaped) filled += c;
      ++i;
      continue;
    }
    const bool hidden = std::exchange(escaped, false);
    if (c != '$' || hidden) {
      if (hidden && c != '$') filled += '\\';
      filled += c;
      ++i;
      continue;
    }
    const std::string_view rest = text.substr(i + 1);
    std::size_t length = variable_reference_length(rest);
    std::string_view name = rest.substr(0, length);
    if (rest.starts_with('{')) {
      const std::size_t brace = rest.find('}');
      if (brace == std::string_view::npos) break;
      length = brace + 1;
      name = rest.substr(1, brace - 1);
    } else if (rest.starts_with('*') || rest.starts_with('@')) {
      length = 0;
    }
    i += 1 + length;
    if (length == 0) {
      filled += '$';
    } else if (name == "#" && scope_ != nullptr) {
      filled += std::to_string(scope_->current().size());
    } else {
      filled += state_.environment.value_or_empty(name);
    }
  }
  return filled;
}

Result<void> Evaluator::expand_word(std::string_view raw, ArgumentVector& words) {
  if (is_plain_word(raw)) return words.append(raw);
  FragmentReader reader(raw);
  FragmentKind kind{};
  std::string text;
  while (reader.next(kind, text)) {
    switch (kind) {
      case FragmentKind::kText:
        if (!text.empty()) PVHGRUB_TRY(words.append(text));
        break;
      case FragmentKind::kVariable:
        PVHGRUB_TRY(expand_variable(text, false, words));
        break;
      case FragmentKind::kQuotedVariable:
        PVHGRUB_TRY(expand_variable(text, true, words));
        break;
      case FragmentKind::kTranslated:
        PVHGRUB_TRY(words.append(escape_wildcards(fill_in_translated(text))));
        break;
      case FragmentKind::kSingleQuoted:
      case FragmentKind::kDoubleQuoted:
        PVHGRUB_TRY(words.append(escape_wildcards(text)));
        break;
    }
  }
  return {};
}

Result<std::vector<std::string>> Evaluator::expand(const SyntaxTree& tree, std::uint32_t first_word,
                                                   std::uint32_t count) {
  ArgumentVector words;
  for (std::uint32_t i = first_word; i < first_word + count; ++i) {
    const WordReference& word = tree.words[i];
    PVHGRUB_TRY(words.begin_word());
    if (word.is_block != 0) {
      // Stands for the block, which the caller puts in where it is wanted as text.
      PVHGRUB_TRY(words.append("{}"));
    } else {
      PVHGRUB_TRY(expand_word(tree.text(word), words));
    }
  }
  const std::size_t bytes = words.bytes();
  std::vector<std::string> escaped = words.take();
  PVHGRUB_TRY(session_.budget.charge_steps(std::max<std::size_t>(count, escaped.size()) + bytes / 64,
                                           "expanding words of a boot configuration"));
  std::vector<std::string> expanded;
  expanded.reserve(escaped.size());
  FileAccess files(*this);
  bool keeps_hex_escapes = false;
  for (std::string& word : escaped) {
    if (expanded.size() == 1 && may_pass_hex_escapes(expanded.front())) {
      PVHGRUB_TRY_ASSIGN(keeps_hex_escapes, passes_hex_escapes(*this, escaped));
    }
    PVHGRUB_TRY_ASSIGN(std::vector<std::string> matches,
                       expand_wildcards(word, files, keeps_hex_escapes, session_.budget));
    if (!matches.empty()) {
      std::move(matches.begin(), matches.end(), std::back_inserter(expanded));
    } else if (word.find('\\') == std::string::npos) {
      expanded.push_back(std::move(word));
    } else {
      expanded.push_back(unescape_wildcards(word, keeps_hex_escapes));
    }
    if (expanded.size() > limits::kWords)
      return fail(ErrorCode::kLimit, "a command of more than " + std::to_string(limits::kWords) + " words");
  }
  return expanded;
}

}  // namespace pvhgrub::grubcfg
