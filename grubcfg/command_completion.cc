// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/command_completion.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "grubcfg/command_help.h"
#include "grubcfg/file_access.h"
#include "grubcfg/lexer.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kCompleting = "completing a line";
/// A person reads no more.
constexpr std::size_t kCandidates = 200;

/// The words behind which a command stands.
constexpr std::array<std::string_view, 9> kBeforeCommand = {"!",    "do",   "elif",  "else", "if",
                                                            "then", "time", "until", "while"};
constexpr std::array<std::string_view, 11> kLanguage = {"do",       "done", "elif", "else",  "fi",   "for",
                                                        "function", "if",   "then", "until", "while"};

/// What stands before the cursor.
struct CursorWord {
  std::string text;          ///< without quotes and backslashes, the values of variables in it
  std::string command;       ///< the first word of the command that it belongs to; empty where it is that
  char quote = '\0';         ///< the quotes that are open
  bool is_unusable = false;  ///< behind a backslash, or a `$' that names no variable
  std::optional<std::string> variable;  ///< the name behind a `$', as far as it was typed
  bool variable_in_braces = false;
};

/// Goes through a line as the lexer does, but for what is wrong in it.
class CursorWordReader {
 public:
  CursorWordReader(std::string_view line, const Environment& environment)
      : line_(line), environment_(environment) {}

  CursorWord read();

 private:
  void end_word();
  void begin_command() {
    word_.command.clear();
    has_word_ = false;
    word_.text.clear();
  }
  void take_variable();

  std::string_view line_;
  const Environment& environment_;
  std::size_t position_ = 0;
  bool has_word_ = false;  ///< something of the word stands there, were it only quotes
  CursorWord word_;
};

void CursorWordReader::end_word() {
  if (!has_word_) return;
  if (word_.command.empty() && std::ranges::find(kBeforeCommand, word_.text) == kBeforeCommand.end())
    word_.command = word_.text;
  has_word_ = false;
  word_.text.clear();
}

// Behind the `$'.
void CursorWordReader::take_variable() {
  const std::string_view rest = line_.substr(position_);
  const std::size_t length = variable_reference_length(rest);
  const bool in_braces = rest.starts_with('{');
  std::string_view name = in_braces ? rest.substr(1) : rest;
  if (length == rest.size() || length == 0) {
    const bool is_complete = in_braces && length > 0;
    if (!is_complete && (name.empty() || is_name(name))) {
      word_.variable = std::string(name);
      word_.variable_in_braces = in_braces;
      position_ = line_.size();
      return;
    }
  }
  if (length == 0) {
    word_.is_unusable = true;
    position_ = line_.size();
    return;
  }
  name = in_braces ? rest.substr(1, length - 2) : rest.substr(0, length);
  word_.text += environment_.value_or_empty(name);
  position_ += length;
}

CursorWord CursorWordReader::read() {
  while (position_ < line_.size()) {
    const char c = line_[position_++];
    if (word_.quote == '\'' && c != '\'') {
      word_.text += c;
    } else if (c == '\\') {
      has_word_ = true;
      word_.is_unusable = position_ == line_.size();
      if (!word_.is_unusable) word_.text += line_[position_++];
    } else if (c == '$' && !(position_ < line_.size() && line_[position_] == '"')) {
      has_word_ = true;
      take_variable();
    } else if (word_.quote == '\0' && (c == ' ' || c == '\t')) {
      end_word();
    } else if (word_.quote == '\0' && std::string_view(";{}|&\n").find(c) != std::string_view::npos) {
      begin_command();
    } else if (c == '"' || c == '\'') {
      has_word_ = true;
      if (word_.quote == '\0') {
        word_.quote = c;
      } else if (word_.quote == c) {
        word_.quote = '\0';
      } else {
        word_.text += c;
      }
    } else if (c != '$') {
      has_word_ = true;
      word_.text += c;
    }
  }
  return std::move(word_);
}

/// A name as it is typed inside those quotes.
std::string quoted(std::string_view name, char quote) {
  std::string text;
  for (const char c : name) {
    if (quote == '\'') {
      text += c == '\'' ? "'\\''" : std::string(1, c);
      continue;
    }
    const std::string_view special = quote == '"' ? "\"\\$" : "{}|&$;<> \t'\"\\*?[]#";
    if (special.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

/// There may be a million: they hold no text of their own.
struct Candidate {
  std::string_view name;      ///< all of the word's last part
  std::string_view follower;  ///< what is typed behind it where it is the only one
  bool is_directory = false;  ///< shown with a '/'
};

class Completer {
 public:
  Completer(Evaluator& evaluator, CursorWord word)
      : evaluator_(evaluator),
        files_(evaluator),
        word_(std::move(word)),
        word_end_((word_.quote != '\0' ? std::string(1, word_.quote) : "") + " ") {}

  Result<Completion> complete();

 private:
  Result<Completion> complete_variable(std::string_view typed, std::string_view follower);
  Result<Completion> complete_command(std::string_view typed);
  Result<Completion> complete_argument(std::string_view typed);
  Result<Completion> complete_device(std::string_view typed);
  Result<Completion> complete_file(std::string_view typed);
  /// What begins with `typed`, and what can be added to that.
  Result<Completion> choose(std::string_view typed, std::vector<Candidate> candidates, std::string subject);

  Evaluator& evaluator_;
  FileAccess files_;
  CursorWord word_;
  std::string word_end_;  ///< what is typed behind a whole word
};

/// How many bytes all names have in common from their begin, whole characters only.
std::size_t common_length(const std::vector<Candidate>& candidates) {
  const std::string_view first = candidates.front().name;
  std::size_t length = first.size();
  for (const Candidate& candidate : candidates) {
    const std::string_view name = candidate.name;
    const auto difference = std::ranges::mismatch(first.substr(0, length), name);
    length = static_cast<std::size_t>(difference.in1 - first.begin());
  }
  // Of a character of UTF-8 the bytes behind its first are 10xxxxxx.
  while (length > 0 && length < first.size() && (static_cast<unsigned char>(first[length]) & 0xC0U) == 0x80U)
    --length;
  return length;
}

Result<Completion> Completer::choose(std::string_view typed, std::vector<Candidate> candidates,
                                     std::string subject) {
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1 + candidates.size(), kCompleting));
  std::erase_if(candidates, [&](const Candidate& candidate) {
    // No line can hold a name with a newline but in quotes.
    return !candidate.name.starts_with(typed) || candidate.name.find('\n') != std::string::npos;
  });
  Completion completion;
  completion.subject = std::move(subject);
  if (candidates.empty()) return completion;
  const std::size_t common = std::max(common_length(candidates), typed.size());
  completion.addition = quoted(
      std::string_view(candidates.front().name).substr(typed.size(), common - typed.size()), word_.quote);
  const auto is_other = [&](const Candidate& candidate) { return candidate.name != candidates.front().name; };
  if (std::ranges::none_of(candidates, is_other)) {
    completion.addition += candidates.front().follower;
    return completion;
  }
  const std::size_t shown = std::min(candidates.size(), kCandidates);
  std::ranges::partial_sort(candidates, candidates.begin() + static_cast<std::ptrdiff_t>(shown), {},
                            &Candidate::name);
  for (const Candidate& candidate : std::span(candidates).first(shown))
    completion.candidates.push_back(std::string(candidate.name) + (candidate.is_directory ? "/" : ""));
  if (candidates.size() > shown)
    completion.candidates.push_back("... " + std::to_string(candidates.size() - shown) + " more");
  return completion;
}

Result<Completion> Completer::complete_variable(std::string_view typed, std::string_view follower) {
  const std::vector<std::pair<std::string, std::string>> variables = evaluator_.environment().list();
  std::vector<Candidate> candidates;
  for (const auto& [name, value] : variables)
    if (is_name(name)) candidates.push_back({name, follower});
  return choose(typed, std::move(candidates), "variables");
}

Result<Completion> Completer::complete_command(std::string_view typed) {
  std::vector<Candidate> candidates;
  for (const std::string_view name : command_names()) candidates.push_back({name, word_end_});
  evaluator_.state().functions.for_each_key([&](std::string_view name) {
    if (!std::ranges::binary_search(command_names(), name)) candidates.push_back({name, word_end_});
  });
  if (word_.command.empty())
    for (const std::string_view name : kLanguage) candidates.push_back({name, word_end_});
  return choose(typed, std::move(candidates), "commands");
}

Result<Completion> Completer::complete_argument(std::string_view typed) {
  const std::string& command = word_.command;
  if (typed.starts_with('-')) return Completion{};
  if (command == "help") return complete_command(typed);
  if (command == "unset" || command == "export") return complete_variable(typed, word_end_);
  if (command == "set" && typed.find('=') == std::string_view::npos) return complete_variable(typed, "=");
  // "prefix=(hd0,gpt2)/boot", "newc:NAME:/boot/file"
  if (const std::size_t equals = typed.find('='); equals < typed.find_first_of("(/"))
    typed.remove_prefix(equals + 1);
  if (typed.starts_with("newc:")) {
    const std::size_t colon = typed.find(':', 5);
    if (colon == std::string_view::npos) return Completion{};
    typed.remove_prefix(colon + 1);
  }
  if (typed.starts_with('(') && typed.find(')') == std::string_view::npos)
    return complete_device(typed.substr(1));
  return complete_file(typed);
}

Result<Completion> Completer::complete_device(std::string_view typed) {
  const std::vector<std::string> names = files_.device_names();
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1 + names.size(), kCompleting));
  const std::size_t comma = typed.find(',');
  std::vector<Candidate> candidates;
  if (comma != std::string_view::npos) {
    for (const std::string& name : names)
      if (name.find(',') == comma) candidates.push_back({name, ")"});
    return choose(typed, std::move(candidates), "partitions");
  }
  for (const std::string& name : names) {
    const std::string_view disk = std::string_view(name).substr(0, name.find(','));
    const auto known = std::ranges::find(candidates, disk, &Candidate::name);
    if (known == candidates.end()) {
      candidates.push_back({disk, disk.size() == name.size() ? ")" : ","});
    } else if (disk.size() != name.size()) {
      known->follower = ",";
    }
  }
  return choose(typed, std::move(candidates), "devices");
}

Result<Completion> Completer::complete_file(std::string_view typed) {
  Completion none;
  none.subject = "files";
  const std::size_t device_end = typed.starts_with('(') ? typed.find(')') + 1 : 0;
  const std::string_view path = typed.substr(device_end);
  if (!path.empty() && !path.starts_with('/')) return none;
  const std::string directory = std::string(typed.substr(0, device_end)) +
                                (path.empty() ? "/" : std::string(path.substr(0, path.rfind('/') + 1)));
  const std::string_view last = path.empty() ? path : path.substr(path.rfind('/') + 1);
  const std::optional<FileReference> place = files_.locate(directory);
  if (!place) return none;
  PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system, files_.file_system(place->device));
  if (file_system == nullptr) return none;
  Result<std::vector<fs::DirectoryEntry>> entries = file_system->list(place->path);
  if (!entries && is_fatal(entries.error())) return std::unexpected(std::move(entries).error());
  if (!entries) return none;
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(entries->size(), kCompleting));
  std::vector<Candidate> candidates;
  const fs::DirectoryEntry* found = nullptr;
  for (const fs::DirectoryEntry& entry : *entries) {
    if (!entry.name.starts_with(last) || (last.empty() && entry.name.starts_with('.'))) continue;
    const bool is_directory = entry.type == fs::FileType::kDirectory;
    found = &entry;
    candidates.push_back({entry.name, is_directory ? "/" : std::string_view(word_end_), is_directory});
  }
  if (candidates.size() == 1 && found->type == fs::FileType::kSymlink) {
    const Result<fs::FileInfo> info = file_system->stat(place->path + found->name);
    if (!info && is_fatal(info.error())) return std::unexpected(info.error());
    if (info && info->type == fs::FileType::kDirectory) candidates.front().follower = "/";
  }
  PVHGRUB_TRY_ASSIGN(Completion completion, choose(last, std::move(candidates), "files"));
  if (path.empty()) completion.addition.insert(0, "/");
  return completion;
}

Result<Completion> Completer::complete() {
  if (word_.is_unusable) return Completion{};
  if (word_.variable && word_.quote != '\'')
    return complete_variable(*word_.variable, word_.variable_in_braces ? "}" : "");
  const std::string typed = word_.text;
  return word_.command.empty() ? complete_command(typed) : complete_argument(typed);
}

}  // namespace

Result<Completion> complete_line(Evaluator& evaluator, std::string_view line) {
  PVHGRUB_TRY(evaluator.session().budget.charge_steps(1 + line.size() / 64, kCompleting));
  return Completer(evaluator, CursorWordReader(line, evaluator.environment()).read()).complete();
}

}  // namespace pvhgrub::grubcfg
