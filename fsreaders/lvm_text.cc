// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/lvm_text.h"

#include <algorithm>
#include <charconv>

#include "base/volume_limits.h"

namespace pvhgrub::fs {

namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// What a key, a number or a bare word is made of.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == '+' || c == '/' || c == '@' || c == ':';
}

}  // namespace

class LvmTextParser {
 public:
  LvmTextParser(LvmText& result, Budget& budget) : result_(result), text_(*result.text_), budget_(budget) {}

  Result<void> parse();

 private:
  /// A section that is not closed yet.
  struct Open {
    std::uint32_t node = 0;
    std::uint32_t last_child = 0;
  };

  [[nodiscard]] std::unexpected<Error> damaged(std::string_view what) const;
  void skip_blanks();
  [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
  [[nodiscard]] char here() const { return at_end() ? '\0' : text_[position_]; }
  [[nodiscard]] std::string_view take_word();
  [[nodiscard]] Result<std::string_view> take_string();
  [[nodiscard]] Result<void> take_value();
  [[nodiscard]] Result<void> take_values(std::uint32_t node);
  [[nodiscard]] Result<void> take_item();
  [[nodiscard]] Result<std::uint32_t> add_node(std::string_view name, bool is_section);
  [[nodiscard]] Result<void> count_item();

  LvmText& result_;
  std::string_view text_;
  Budget& budget_;
  std::size_t position_ = 0;
  std::vector<Open> open_;
};

std::unexpected<Error> LvmTextParser::damaged(std::string_view what) const {
  const auto line = 1 + std::ranges::count(text_.substr(0, std::min(position_, text_.size())), '\n');
  return fail(ErrorCode::kDamaged, std::string(what), "line " + std::to_string(line));
}

void LvmTextParser::skip_blanks() {
  while (!at_end()) {
    if (here() == '#') {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (is_space(here())) {
      ++position_;
    } else {
      return;
    }
  }
}

std::string_view LvmTextParser::take_word() {
  const std::size_t begin = position_;
  while (!at_end() && is_word(here())) ++position_;
  return text_.substr(begin, position_ - begin);
}

Result<std::string_view> LvmTextParser::take_string() {
  const char quote = here();
  const std::size_t begin = ++position_;
  bool escaped = false;
  while (!at_end() && here() != quote) {
    // Only double quotes know escapes.
    if (quote == '"' && here() == '\\') {
      escaped = true;
      ++position_;
    }
    ++position_;
  }
  if (at_end()) return damaged("a string that is not closed");
  const std::string_view raw = text_.substr(begin, position_ - begin);
  ++position_;
  if (!escaped) return raw;
  std::string& plain = result_.unescaped_.emplace_back();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\\') ++i;
    plain += raw[i];
  }
  return std::string_view(plain);
}

Result<void> LvmTextParser::count_item() {
  if (result_.nodes_.size() + result_.values_.size() >= limits::kVolumeMetadataItems)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kVolumeMetadataItems) +
                                       " keys and values in a volume group's metadata");
  return budget_.charge_steps(1, "reading a volume group's metadata");
}

Result<void> LvmTextParser::take_value() {
  PVHGRUB_TRY(count_item());
  LvmValue value;
  if (here() == '"' || here() == '\'') {
    PVHGRUB_TRY_ASSIGN(value.text, take_string());
  } else {
    value.text = take_word();
    if (value.text.empty()) return damaged("a value was expected");
    std::uint64_t number = 0;
    const char* const end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (error == std::errc() && stop == end) value.number = number;
  }
  result_.values_.push_back(value);
  return {};
}

Result<void> LvmTextParser::take_values(std::uint32_t node) {
  const auto first = static_cast<std::uint32_t>(result_.values_.size());
  skip_blanks();
  if (here() != '[') {
    PVHGRUB_TRY(take_value());
  } else {
    ++position_;
    skip_blanks();
    while (here() != ']') {
      PVHGRUB_TRY(take_value());
      skip_blanks();
      if (here() == ',') {
        ++position_;
        skip_blanks();
      } else if (here() != ']') {
        return damaged("a list that is not closed");
      }
    }
    ++position_;
  }
  result_.nodes_[node].first = first;
  result_.nodes_[node].count = static_cast<std::uint32_t>(result_.values_.size()) - first;
  return {};
}

Result<std::uint32_t> LvmTextParser::add_node(std::string_view name, bool is_section) {
  PVHGRUB_TRY(count_item());
  const auto number = static_cast<std::uint32_t>(result_.nodes_.size());
  LvmText::Node node;
  node.name = name;
  node.is_section = is_section;
  result_.nodes_.push_back(node);
  Open& parent = open_.back();
  (parent.last_child == 0 ? result_.nodes_[parent.node].first : result_.nodes_[parent.last_child].next) =
      number;
  parent.last_child = number;
  return number;
}

Result<void> LvmTextParser::take_item() {
  if (here() == '}') {
    if (open_.size() == 1) return damaged("a } without its {");
    ++position_;
    open_.pop_back();
    return {};
  }
  std::string_view name;
  if (here() == '"') {
    PVHGRUB_TRY_ASSIGN(name, take_string());
  } else {
    name = take_word();
  }
  if (name.empty()) return damaged("a key or the name of a section was expected");
  skip_blanks();
  if (here() == '{') {
    ++position_;
    if (open_.size() > limits::kVolumeMetadataDepth)
      return fail(ErrorCode::kLimit, "sections more than " + std::to_string(limits::kVolumeMetadataDepth) +
                                         " deep in one another in a volume group's metadata");
    PVHGRUB_TRY_ASSIGN(const std::uint32_t node, add_node(name, true));
    open_.push_back({node, 0});
    return {};
  }
  if (here() != '=') return damaged("{ or = was expected");
  ++position_;
  PVHGRUB_TRY_ASSIGN(const std::uint32_t node, add_node(name, false));
  return take_values(node);
}

Result<void> LvmTextParser::parse() {
  LvmText::Node root;
  root.is_section = true;
  result_.nodes_.push_back(root);
  open_.push_back({0, 0});
  for (skip_blanks(); !at_end(); skip_blanks()) PVHGRUB_TRY(take_item());
  if (open_.size() > 1) return damaged("a section that is not closed");
  return {};
}

Result<LvmText> LvmText::parse(std::string text, Budget& budget) {
  text.resize(std::min(text.find('\0'), text.size()));
  PVHGRUB_TRY(budget.charge_steps(text.size() / 64, "reading a volume group's metadata"));
  LvmText result;
  result.text_ = std::make_unique<std::string>(std::move(text));
  PVHGRUB_TRY(LvmTextParser(result, budget).parse());
  return result;
}

std::string_view LvmSection::name() const {
  return text_->nodes_[node_].name;
}

std::vector<LvmSection> LvmSection::sections() const {
  std::vector<LvmSection> found;
  for (std::uint32_t i = text_->nodes_[node_].first; i != 0; i = text_->nodes_[i].next)
    if (text_->nodes_[i].is_section) found.emplace_back(*text_, i);
  return found;
}

std::optional<LvmSection> LvmSection::section(std::string_view key) const {
  for (std::uint32_t i = text_->nodes_[node_].first; i != 0; i = text_->nodes_[i].next)
    if (text_->nodes_[i].is_section && text_->nodes_[i].name == key) return LvmSection(*text_, i);
  return std::nullopt;
}

std::vector<LvmValue> LvmSection::values(std::string_view key) const {
  for (std::uint32_t i = text_->nodes_[node_].first; i != 0; i = text_->nodes_[i].next) {
    const LvmText::Node& node = text_->nodes_[i];
    if (node.is_section || node.name != key) continue;
    const auto first = text_->values_.begin() + node.first;
    return {first, first + node.count};
  }
  return {};
}

Result<std::string_view> LvmSection::text(std::string_view key) const {
  const std::vector<LvmValue> found = values(key);
  if (found.size() == 1) return found.front().text;
  return fail(ErrorCode::kDamaged,
              "section `" + std::string(name()) + "' has no text for `" + std::string(key) + "'");
}

Result<std::uint64_t> LvmSection::number(std::string_view key) const {
  const std::vector<LvmValue> found = values(key);
  if (found.size() == 1 && found.front().number) return *found.front().number;
  return fail(ErrorCode::kDamaged,
              "section `" + std::string(name()) + "' has no number for `" + std::string(key) + "'");
}

bool LvmSection::has_flag(std::string_view key, std::string_view flag) const {
  return std::ranges::any_of(values(key), [&](const LvmValue& value) { return value.text == flag; });
}

}  // namespace pvhgrub::fs
