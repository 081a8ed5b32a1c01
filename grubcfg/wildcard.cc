// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/wildcard.h"

#include <algorithm>

#include "base/limits.h"
#include "grubcfg/loader_command_line.h"
#include "grubcfg/regular_expression.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::size_t kHexEscapeBytes = 4;

/// One pattern character: its own value, or a wildcard.
struct PatternUnit {
  char character = 0;
  bool any_one = false;
  bool any_run = false;
  std::size_t length = 0;
};

PatternUnit unit_at(std::string_view pattern, std::size_t position) {
  const char c = pattern[position];
  if (c == '*') return {c, false, true, 1};
  if (c == '?') return {c, true, false, 1};
  if (c == '\\' && position + 1 < pattern.size()) return {pattern[position + 1], false, false, 2};
  return {c, false, false, 1};
}

/// The next piece of a path that is matched at once: up to the '/' behind its first wildcard.
struct Piece {
  std::size_t literal_end = 0;  ///< where the part without wildcards ends (behind a '/')
  std::size_t end = 0;
  bool has_wildcard = false;
};

Piece piece_of(std::string_view path) {
  Piece piece;
  std::size_t i = 0;
  for (; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 1 < path.size()) {
      ++i;
    } else if (path[i] == '*' || path[i] == '?') {
      piece.has_wildcard = true;
    } else if (path[i] == '/') {
      if (piece.has_wildcard) break;
      piece.literal_end = i + 1;
    }
  }
  piece.end = std::min(i, path.size());
  if (!piece.has_wildcard) piece.literal_end = piece.end;
  return piece;
}

/// GRUB matches by a regular expression that it makes of the pattern without hiding everything that has a
/// meaning in one: anchors and, behind a backslash, GNU's operators and back-references stay alive.
bool is_regular_expression(std::string_view pattern) {
  if (pattern.find_first_of("^$") != std::string_view::npos) return true;
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    ++i;
    if (std::string_view("wWsSbB<>`'123456789").find(pattern[i]) != std::string_view::npos) return true;
  }
  return false;
}

std::string regular_expression_of(std::string_view pattern) {
  std::string expression = "^";
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '*') {
      expression += ".*";
    } else if (c == '?') {
      expression += '.';
    } else if (c == '\\' && i + 1 < pattern.size()) {
      expression += c;
      expression += pattern[++i];
    } else {
      if (std::string_view(".()@+|{}[]").find(c) != std::string_view::npos) expression += '\\';
      expression += c;
    }
  }
  return expression + "$";
}

class Expansion {
 public:
  Expansion(WildcardFiles& files, bool keep_hex_escapes, Budget& budget)
      : files_(files), keep_hex_escapes_(keep_hex_escapes), budget_(budget) {}

  Result<std::vector<std::string>> expand(std::string_view word);

 private:
  Result<void> append_literal(std::string_view literal, bool behind_wildcard);
  Result<void> match_devices(std::string_view pattern, bool whole_disks_only);
  Result<void> match_files(std::string_view directory, std::string_view pattern);
  Result<bool> exists(const std::string& path);
  Result<bool> matches(std::string_view pattern, const std::string& name);

  WildcardFiles& files_;
  bool keep_hex_escapes_;
  Budget& budget_;
  std::vector<std::string> paths_;
};

Result<bool> Expansion::matches(std::string_view pattern, const std::string& name) {
  PVHGRUB_TRY(budget_.charge_steps(1 + pattern.size() * name.size() / 8, "matching wildcards"));
  if (!is_regular_expression(pattern)) return matches_wildcard(pattern, name);
  PVHGRUB_TRY_ASSIGN(const RegexpMatch match, match_regexp(regular_expression_of(pattern), name, budget_));
  return match.matched;
}

Result<void> Expansion::match_devices(std::string_view pattern, bool whole_disks_only) {
  for (const std::string& device : files_.device_names()) {
    if (whole_disks_only && device.find(',') != std::string::npos) continue;
    std::string name = "(" + device + ")";
    PVHGRUB_TRY_ASSIGN(const bool matched, matches(pattern, name));
    if (matched) paths_.push_back(std::move(name));
  }
  return {};
}

// Replaces the paths found so far by what matches in `directory` under each of them.
Result<void> Expansion::match_files(std::string_view directory, std::string_view pattern) {
  std::vector<std::string> bases = std::move(paths_);
  paths_.clear();
  if (bases.empty()) bases.emplace_back();
  for (const std::string& base : bases) {
    const std::string in = base + unescape_wildcards(directory, keep_hex_escapes_);
    PVHGRUB_TRY_ASSIGN(const auto names, files_.names_in(in));
    if (!names) continue;
    for (const std::string& name : *names) {
      PVHGRUB_TRY_ASSIGN(const bool matched, matches(pattern, name));
      if (!matched) continue;
      PVHGRUB_TRY(budget_.charge_bytes(in.size() + name.size(), "matching wildcards"));
      if (paths_.size() >= limits::kWords)
        return fail(ErrorCode::kLimit,
                    "a wildcard that matches more than " + std::to_string(limits::kWords) + " files");
      paths_.push_back(in + name);
    }
  }
  return {};
}

Result<bool> Expansion::exists(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  PVHGRUB_TRY_ASSIGN(const auto names, files_.names_in(directory));
  if (!names) return false;
  const std::string_view name = std::string_view(path).substr(slash + 1);
  PVHGRUB_TRY(budget_.charge_steps(names->size(), "matching wildcards"));
  return name.empty() || std::ranges::find(*names, name) != names->end();
}

Result<void> Expansion::append_literal(std::string_view literal, bool behind_wildcard) {
  if (paths_.empty()) paths_.emplace_back();
  std::vector<std::string> kept;
  for (std::string& path : paths_) {
    path += unescape_wildcards(literal, keep_hex_escapes_);
    if (behind_wildcard && path.find('/') != std::string::npos) {
      PVHGRUB_TRY_ASSIGN(const bool found, exists(path));
      if (!found) continue;
    }
    kept.push_back(std::move(path));
  }
  paths_ = std::move(kept);
  return {};
}

Result<std::vector<std::string>> Expansion::expand(std::string_view word) {
  bool behind_wildcard = false;
  for (std::string_view rest = word; !rest.empty();) {
    const Piece piece = piece_of(rest);
    if (!piece.has_wildcard) {
      PVHGRUB_TRY(append_literal(rest.substr(0, piece.end), behind_wildcard));
    } else {
      const std::string_view pattern = rest.substr(piece.literal_end, piece.end - piece.literal_end);
      if (paths_.empty() && piece.literal_end == 0) {
        PVHGRUB_TRY(match_devices(pattern, !rest.starts_with('(')));
      } else {
        PVHGRUB_TRY(match_files(rest.substr(0, piece.literal_end), pattern));
      }
      behind_wildcard = true;
    }
    if (paths_.empty()) break;
    rest.remove_prefix(piece.end);
  }
  return std::move(paths_);
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t resume_pattern = std::string_view::npos;
  std::size_t resume_text = 0;
  while (t < text.size()) {
    if (p < pattern.size()) {
      const PatternUnit unit = unit_at(pattern, p);
      if (unit.any_run) {
        resume_pattern = p + 1;
        resume_text = t;
        ++p;
        continue;
      }
      if (unit.any_one || unit.character == text[t]) {
        p += unit.length;
        ++t;
        continue;
      }
    }
    // Give one more character to the last '*', which is enough: what came before it has matched.
    if (resume_pattern == std::string_view::npos) return false;
    p = resume_pattern;
    t = ++resume_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string escape_wildcards(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '*' || c == '\\' || c == '?') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string unescape_wildcards(std::string_view text, bool keep_hex_escapes) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (keep_hex_escapes && begins_with_hex_escape(text.substr(i))) {
        plain += text.substr(i, kHexEscapeBytes);
        i += kHexEscapeBytes - 1;
        continue;
      }
      if (++i >= text.size()) break;
    }
    plain += text[i];
  }
  return plain;
}

Result<std::vector<std::string>> expand_wildcards(std::string_view word, WildcardFiles& files,
                                                  bool keep_hex_escapes, Budget& budget) {
  if (word.empty() || (word.front() != '/' && word.front() != '(' && word.front() != '*'))
    return std::vector<std::string>();
  // Without any wildcard the word stands for itself, backslashes taken away.
  if (!piece_of(word).has_wildcard) return std::vector<std::string>();
  return Expansion(files, keep_hex_escapes, budget).expand(word);
}

}  // namespace pvhgrub::grubcfg
