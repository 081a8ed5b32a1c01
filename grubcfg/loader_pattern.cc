// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/loader_pattern.h"

#include <cstddef>
#include <optional>

namespace pvhgrub::grubcfg {

namespace {

unsigned char byte(char c) {
  return static_cast<unsigned char>(c);
}

/// The length of the set that `pattern` begins with, if it has `c` in it; no value: it has not, or has no
/// end. The first character belongs to the set also where it is ']'; a range ends no other range.
std::optional<std::size_t> match_set(std::string_view pattern, char c) {
  bool found = false;
  bool may_begin_range = false;
  for (std::size_t i = 1; i < pattern.size(); ++i) {
    const bool is_first = i == 1;
    if (pattern[i] == ']' && !is_first) return found ? std::optional(i + 1) : std::nullopt;
    const bool is_range = pattern[i] == '-' && may_begin_range && !pattern.substr(i + 1).starts_with(']');
    if (is_range || pattern[i] == '\\') {
      const char low = pattern[i - 1];
      ++i;
      if (is_range && i < pattern.size() && pattern[i] == '\\') ++i;
      if (i >= pattern.size()) return std::nullopt;
      found = found || (is_range ? byte(low) <= byte(c) && byte(c) <= byte(pattern[i]) : pattern[i] == c);
      may_begin_range = !is_range;
      continue;
    }
    found = found || pattern[i] == c;
    may_begin_range = true;
  }
  return std::nullopt;
}

/// The length of what stands for one character at the beginning of `pattern`, if `c` matches it.
std::optional<std::size_t> match_one(std::string_view pattern, char c) {
  switch (pattern.front()) {
    case '?':
      return 1;
    case '[':
      return match_set(pattern, c);
    case '\\':
      return pattern.size() > 1 && pattern[1] == c ? std::optional<std::size_t>(2) : std::nullopt;
    default:
      return pattern.front() == c ? std::optional<std::size_t>(1) : std::nullopt;
  }
}

}  // namespace

bool matches_loader_pattern(std::string_view pattern, std::string_view id) {
  std::optional<std::string_view> after_star;  // the pattern behind the last '*'
  std::string_view id_at_star;                 // where that part was tried
  while (true) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      after_star = pattern;
      id_at_star = id;
      continue;
    }
    if (pattern.empty() && id.empty()) return true;
    if (!pattern.empty() && !id.empty()) {
      if (const std::optional<std::size_t> length = match_one(pattern, id.front())) {
        pattern.remove_prefix(*length);
        id.remove_prefix(1);
        continue;
      }
    }
    // The last '*' takes one character more.
    if (!after_star || id_at_star.empty()) return false;
    id_at_star.remove_prefix(1);
    id = id_at_star;
    pattern = *after_star;
  }
}

}  // namespace pvhgrub::grubcfg
