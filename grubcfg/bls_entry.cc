// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_entry.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kBlanks = " \t";

/// What GRUB makes entries of, and the keys of images that it passes over. All others say nothing to it.
constexpr std::array<std::string_view, 12> kKeys = {"title",      "linux",      "initrd",      "options",
                                                    "devicetree", "grub_users", "grub_hotkey", "grub_class",
                                                    "grub_arg",   "efi",        "uki",         "uki-url"};

bool is_key(std::string_view word) {
  return std::ranges::find(kKeys, word) != kKeys.end();
}

/// A file as GRUB's reader of lines hands it out: carriage returns vanish, a line ends at a NUL.
class LineReader {
 public:
  explicit LineReader(std::string_view contents) : rest_(contents) {}

  /// False at the end of the file.
  [[nodiscard]] bool next() {
    if (rest_.empty()) return false;
    const std::size_t newline = rest_.find('\n');
    const std::string_view raw = rest_.substr(0, newline);
    rest_.remove_prefix(newline == std::string_view::npos ? rest_.size() : newline + 1);
    ++number_;
    line_.clear();
    for (const char c : raw)
      if (c != '\r') line_ += c;
    // Without a newline, a last line of nothing is none.
    if (line_.empty() && newline == std::string_view::npos) return false;
    line_.resize(std::min(line_.find('\0'), line_.size()));
    return true;
  }
  [[nodiscard]] std::string_view line() const { return line_; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  /// True where a later line begins with one of kKeys, so that GRUB's end of the file is not the writer's.
  [[nodiscard]] bool has_more_keys() const {
    LineReader later(rest_);
    while (later.next()) {
      std::string_view line = later.line();
      line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
      if (is_key(line.substr(0, line.find_first_of(kBlanks)))) return true;
    }
    return false;
  }

 private:
  std::string_view rest_;
  std::string line_;
  std::uint32_t number_ = 0;
};

struct KeyAndValue {
  std::string_view key;
  std::string_view value;
};

/// Cuts a line that is no comment and has no blanks in front. No value: the file ends here for GRUB.
std::optional<KeyAndValue> split_line(std::string_view line, BlsDialect dialect) {
  std::size_t separator = 0;
  if (dialect == BlsDialect::kUpstream) {
    separator = line.find_first_of(kBlanks);
  } else {
    separator = line.find(' ');
    if (separator == std::string_view::npos) separator = line.find('\t');
  }
  if (separator == std::string_view::npos || separator + 1 == line.size()) return std::nullopt;
  const std::string_view behind = line.substr(separator + 1);
  const std::string_view value = behind.substr(std::min(behind.find_first_not_of(kBlanks), behind.size()));
  // Only 2.14 takes a key with blanks behind it for one without a value.
  if (value.empty() && dialect == BlsDialect::kUpstream) return std::nullopt;
  return KeyAndValue{line.substr(0, separator), value};
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The text that expand_bls_value() puts together, which GRUB tells from one that was never begun.
class ExpandedText {
 public:
  ExpandedText(const Environment& environment, Budget& budget) : environment_(environment), budget_(budget) {}

  [[nodiscard]] Result<void> append(std::string_view piece, bool is_variable) {
    if (!is_variable) return append_text(piece);
    const std::string* value = environment_.get(piece);
    if (value == nullptr) return {};
    PVHGRUB_TRY(append_text(*value));
    return append_text(" ");
  }
  [[nodiscard]] bool is_begun() const { return text_.has_value(); }
  [[nodiscard]] std::optional<std::string> take() { return std::move(text_); }

 private:
  [[nodiscard]] Result<void> append_text(std::string_view text) {
    if (!text_) text_.emplace();
    PVHGRUB_TRY(budget_.charge_bytes(text.size(), "filling in the variables of boot loader entries"));
    if (text_->size() + text.size() > limits::kWordBytes)
      return fail(ErrorCode::kLimit, "a value of more than " + std::to_string(limits::kWordBytes) +
                                         " bytes once its variables are filled in");
    *text_ += text;
    return {};
  }

  const Environment& environment_;
  Budget& budget_;
  std::optional<std::string> text_;
};

}  // namespace

Result<GrubBlsEntry> GrubBlsEntry::parse(std::string_view contents, BlsDialect dialect) {
  GrubBlsEntry entry;
  LineReader reader(contents);
  std::size_t count = 0;
  bool has_options = false;
  bool told_options = false;
  bool told_tab = false;
  while (reader.next()) {
    std::string_view line = reader.line();
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.starts_with('#')) continue;
    const std::optional<KeyAndValue> split = split_line(line, dialect);
    if (!split) {
      if (reader.has_more_keys())
        entry.remarks_.push_back({reader.number(), line.empty()
                                                       ? "GRUB reads an entry only up to an empty line"
                                                       : "GRUB reads an entry only up to a line "
                                                         "without a value"});
      break;
    }
    if (++count > limits::kBlsFields)
      return fail(ErrorCode::kDamaged, "it has more than " + std::to_string(limits::kBlsFields) +
                                           " fields, which no loader takes");
    const std::string_view key = split->key;
    const std::string_view before_tab = key.substr(0, key.find('\t'));
    if (!told_tab && before_tab.size() < key.size() && is_key(before_tab)) {
      told_tab = true;
      entry.remarks_.push_back({reader.number(),
                                "Red Hat's GRUB looks for a blank before it looks for a tab, "
                                "so it reads `" +
                                    std::string(key) + "' as the key: put a blank behind `" +
                                    std::string(before_tab) + "'"});
    }
    if (!is_key(key)) continue;
    if (key == "options" && has_options && !told_options) {
      told_options = true;
      entry.remarks_.push_back({reader.number(), "GRUB reads only the first `options' of an entry"});
    }
    has_options = has_options || key == "options";
    entry.fields_.push_back({std::string(key), std::string(split->value), reader.number()});
  }
  return entry;
}

const BlsField* GrubBlsEntry::first(std::string_view key) const {
  const auto found = std::ranges::find(fields_, key, &BlsField::key);
  return found != fields_.end() ? &*found : nullptr;
}

std::vector<const BlsField*> GrubBlsEntry::all(std::string_view key) const {
  std::vector<const BlsField*> found;
  for (const BlsField& field : fields_)
    if (field.key == key) found.push_back(&field);
  return found;
}

Result<std::optional<std::string>> expand_bls_value(std::string_view value, BlsDialect dialect,
                                                    const Environment& environment, Budget& budget) {
  ExpandedText text(environment, budget);
  bool in_variable = false;
  std::size_t start = 0;  // of the piece that is under way
  std::size_t last = 0;   // the byte before; at the first byte, that one itself
  for (std::size_t i = 0; i < value.size(); last = i, ++i) {
    const bool escaped = is_of_red_hat(dialect) && value[last] == '\\';
    if (value[i] == '$' && !escaped) {
      if (start != last) {
        // After "$a " the piece is empty.
        PVHGRUB_TRY(text.append(value.substr(start, last + 1 - start), in_variable));
        if (!text.is_begun()) return std::nullopt;
      }
      in_variable = true;
      start = i + 1;
    } else if (in_variable && !is_name_byte(value[i])) {
      PVHGRUB_TRY(text.append(value.substr(start, last + 1 - start), true));
      in_variable = false;
      start = value[i] == ' ' ? i + 1 : i;
    }
  }
  if (start != last && start <= value.size()) {
    PVHGRUB_TRY(text.append(value.substr(start, last + 1 - start), in_variable));
  }
  return text.take();
}

}  // namespace pvhgrub::grubcfg
