// SPDX-License-Identifier: LGPL-2.1-or-later
// The first half of the translation: what GRUB takes from a syslinux configuration.
#include "grubcfg/syslinux_translation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

using Entry = TranslatedEntry;
using Kind = TranslatedEntry::Kind;

std::string_view skip_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

/// Cuts off the first word, and the white space behind it.
std::string_view take_word(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_space(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text = skip_space(text.substr(end));
  return word;
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

/// What KERNEL loads, by the end of its line; the last that fits counts.
Kind kind_by_extension(std::string_view line) {
  constexpr std::array<std::pair<std::string_view, Kind>, 7> kKinds = {{{".bin", Kind::kBin},
                                                                        {".bs", Kind::kChainloader},
                                                                        {".bss", Kind::kChainloaderBpb},
                                                                        {".c32", Kind::kCom32},
                                                                        {".cbt", Kind::kComboot},
                                                                        {".com", Kind::kComboot},
                                                                        {".img", Kind::kImage}}};
  if (line.ends_with(".0")) return Kind::kPxe;
  for (const auto& [extension, kind] : kKinds)
    if (ends_with_ignoring_case(line, extension)) return kind;
  return Kind::kLinux;
}

class Reading {
 public:
  Reading(Evaluator& evaluator, TranslatedFile& file) : evaluator_(evaluator), file_(file) {}

  /// `name`: the file that the lines come from, file.name or one that it includes.
  Result<bool> read(const std::string& name);

 private:
  Result<bool> follow(std::string_view line, std::string_view& rest);
  Result<bool> follow_directive(std::string_view keyword, std::string_view value);
  Result<bool> follow_menu(std::string_view keyword, std::string_view value);
  /// A directive of an entry; nothing where it is none. False: there is no entry.
  std::optional<bool> follow_of_entry(std::string_view keyword, std::string_view value);
  Result<bool> include(std::string_view name);
  void skip_help(std::string_view& rest);
  bool take_line(std::string_view& rest, std::string& line);

  Evaluator& evaluator_;
  TranslatedFile& file_;
  unsigned depth_ = 0;
  std::size_t included_ = 0;
};

bool Reading::take_line(std::string_view& rest, std::string& line) {
  if (rest.empty()) return false;
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  // Carriage returns vanish wherever they stand; a NUL ends the line.
  std::erase(line, '\r');
  line.resize(std::min(line.find('\0'), line.size()));
  return true;
}

Result<bool> Reading::read(const std::string& name) {
  FileAccess files(evaluator_);
  const std::optional<FileReference> file = files.locate(name);
  if (!file) return false;
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> bytes, files.read(*file, limits::kConfigurationBytes));
  if (!bytes) return false;
  evaluator_.session().diagnostics.explain("reading " + file->to_string());
  std::string_view rest = *bytes;
  std::string line;
  while (take_line(rest, line)) {
    PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1 + line.size() / 64,
                                                         "translating a syslinux configuration"));
    PVHGRUB_TRY_ASSIGN(const bool done, follow(skip_space(line), rest));
    if (!done) return false;
  }
  return true;
}

Result<bool> Reading::follow(std::string_view line, std::string_view& rest) {
  if (line.empty() || line.front() == '#') return true;
  const std::string_view keyword = take_word(line);
  if (equal_ignoring_case(keyword, "menu")) {
    std::string_view value = line;
    const std::string_view second = take_word(value);
    return follow_menu(second, value);
  }
  if (equal_ignoring_case(keyword, "text")) {
    std::string_view value = line;
    if (equal_ignoring_case(take_word(value), "help")) skip_help(rest);
    return true;
  }
  return follow_directive(keyword, line);
}

// TEXT HELP up to a line that holds ENDTEXT alone.
void Reading::skip_help(std::string_view& rest) {
  std::string line;
  while (take_line(rest, line)) {
    std::string_view text = skip_space(line);
    if (equal_ignoring_case(text.substr(0, 7), "endtext") && skip_space(text.substr(7)).empty()) return;
  }
}

Result<bool> Reading::include(std::string_view name) {
  if (depth_ >= limits::kRecursionDepth)
    return fail(ErrorCode::kLimit,
                "INCLUDEs nested deeper than " + std::to_string(limits::kRecursionDepth) + " levels",
                file_.name);
  if (++included_ > limits::kIncludedFiles)
    return fail(ErrorCode::kLimit,
                "more than " + std::to_string(limits::kIncludedFiles) + " INCLUDEs in one configuration",
                file_.name);
  ++depth_;
  Result<bool> done = read(name_in(file_, name));
  --depth_;
  if (!done || *done) return done;
  // What is not there is passed over.
  if (evaluator_.error() != kStatusFileNotFound && evaluator_.error() != kStatusBadFilename) return false;
  evaluator_.clear_error();
  return true;
}

Result<bool> Reading::follow_menu(std::string_view keyword, std::string_view value) {
  if (equal_ignoring_case(keyword, "include")) return include(value);
  if (equal_ignoring_case(keyword, "background")) {
    file_.background = value;
    return true;
  }
  const bool is_label = equal_ignoring_case(keyword, "label");
  if (!is_label && !equal_ignoring_case(keyword, "default")) return true;
  if (file_.entries.empty()) {
    evaluator_.raise(kStatusBadArgument, "kernel without label");
    return false;
  }
  if (!is_label) return true;
  // '^' marks the hotkey, the last one counts.
  Entry& entry = file_.entries.back();
  std::string title;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '^' && i + 1 < value.size()) {
      ++i;
      entry.hotkey = value[i] >= 'A' && value[i] <= 'Z' ? static_cast<char>(value[i] - 'A' + 'a') : value[i];
    }
    title += value[i];
  }
  entry.title = std::move(title);
  return true;
}

std::optional<bool> Reading::follow_of_entry(std::string_view keyword, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, Kind>, 9> kLoaders = {{{"linux", Kind::kLinux},
                                                                          {"boot", Kind::kChainloader},
                                                                          {"bss", Kind::kChainloaderBpb},
                                                                          {"pxe", Kind::kPxe},
                                                                          {"fdimage", Kind::kImage},
                                                                          {"comboot", Kind::kComboot},
                                                                          {"com32", Kind::kCom32},
                                                                          {"localboot", Kind::kLocalboot},
                                                                          {"config", Kind::kConfig}}};
  const auto* const loader = std::ranges::find_if(
      kLoaders, [&](const auto& pair) { return equal_ignoring_case(keyword, pair.first); });
  const bool is_kernel = equal_ignoring_case(keyword, "kernel");
  const bool is_append = equal_ignoring_case(keyword, "append");
  const bool is_initrd = equal_ignoring_case(keyword, "initrd");
  if (loader == kLoaders.end() && !is_kernel && !is_append && !is_initrd) return std::nullopt;
  if (file_.entries.empty()) return false;
  Entry& entry = file_.entries.back();
  if (is_append) {
    entry.append = value;
  } else if (is_initrd) {
    while (!value.empty()) {
      const std::size_t comma = std::min(value.find(','), value.size());
      // Of more than two GRUB keeps the first and the last.
      if (entry.initrds.size() == 2) entry.initrds.pop_back();
      entry.initrds.emplace_back(value.substr(0, comma));
      value.remove_prefix(comma);
      while (value.starts_with(',')) value.remove_prefix(1);
    }
  } else {
    entry.kind = is_kernel ? kind_by_extension(value) : loader->second;
    entry.kernel = entry.kind == Kind::kConfig ? take_word(value) : value;
    if (entry.kind == Kind::kConfig) entry.argument = value;
  }
  return true;
}

Result<bool> Reading::follow_directive(std::string_view keyword, std::string_view value) {
  if (equal_ignoring_case(keyword, "include")) return include(value);
  if (equal_ignoring_case(keyword, "label")) {
    if (file_.entries.size() >= limits::kMenuEntries)
      return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kMenuEntries) + " menu entries",
                  file_.name);
    PVHGRUB_TRY(
        evaluator_.session().budget.charge_bytes(sizeof(Entry), "translating a syslinux configuration"));
    file_.entries.emplace_back().label = value;
  } else if (equal_ignoring_case(keyword, "default")) {
    file_.default_label = value;
  } else if (equal_ignoring_case(keyword, "timeout")) {
    file_.timeout = parse_number(value, 0).value;
  } else if (equal_ignoring_case(keyword, "say")) {
    (file_.entries.empty() ? file_.says : file_.entries.back().says).emplace_back(value);
  } else if (follow_of_entry(keyword, value) == false) {
    evaluator_.raise(kStatusBadArgument, "kernel without label");
    return false;
  }
  return true;
}

}  // namespace

std::string name_in(const TranslatedFile& file, std::string_view name) {
  return (name.starts_with('/') ? file.root : file.directory) + "/" + std::string(name);
}

Result<bool> read_for_translation(Evaluator& evaluator, TranslatedFile& file) {
  return Reading(evaluator, file).read(file.name);
}

}  // namespace pvhgrub::grubcfg
