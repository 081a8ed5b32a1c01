// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/uapi_version.h"

#include <algorithm>

namespace pvhgrub::grubcfg {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// One of the two strings, read from its beginning.
class VersionReader {
 public:
  explicit VersionReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }
  [[nodiscard]] bool is_at(char c) const { return text_.starts_with(c); }
  [[nodiscard]] bool is_at_digit() const { return !text_.empty() && is_digit(text_.front()); }
  void skip_one() { text_.remove_prefix(1); }

  /// Skips what only separates.
  void skip_separators() {
    constexpr std::string_view kMeaningful = "~-^.";
    while (!text_.empty() && !is_digit(text_.front()) && !is_letter(text_.front()) &&
           !kMeaningful.contains(text_.front()))
      text_.remove_prefix(1);
  }

  /// The digits that come next, without zeros in front.
  std::string_view take_number() {
    text_.remove_prefix(std::min(text_.find_first_not_of('0'), text_.size()));
    return take(is_digit);
  }
  std::string_view take_letters() { return take(is_letter); }

 private:
  std::string_view take(bool (*belongs)(char)) {
    std::size_t length = 0;
    while (length < text_.size() && belongs(text_[length])) ++length;
    const std::string_view taken = text_.substr(0, length);
    text_.remove_prefix(length);
    return taken;
  }

  std::string_view text_;
};

/// Where only one of the two is at `mark`, that one is lower; where both are, it is skipped.
std::strong_ordering compare_mark(VersionReader& a, VersionReader& b, char mark) {
  const bool a_has = a.is_at(mark);
  const bool b_has = b.is_at(mark);
  if (a_has != b_has) return a_has ? std::strong_ordering::less : std::strong_ordering::greater;
  if (a_has) {
    a.skip_one();
    b.skip_one();
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace

std::strong_ordering compare_versions(std::string_view left, std::string_view right) {
  VersionReader a(left);
  VersionReader b(right);
  while (true) {
    a.skip_separators();
    b.skip_separators();
    // A '~' makes a version lower than the same one that ends there.
    if (const auto order = compare_mark(a, b, '~'); order != 0) return order;
    if (a.at_end() || b.at_end()) return b.at_end() <=> a.at_end();
    for (const char mark : {'-', '^', '.'})
      if (const auto order = compare_mark(a, b, mark); order != 0) return order;
    // What the specification calls an empty number is lower than any, also than 0: systemd does so.
    if (a.is_at_digit() != b.is_at_digit()) return a.is_at_digit() <=> b.is_at_digit();
    if (a.is_at_digit()) {
      if (const auto order = compare_numbers(a.take_number(), b.take_number()); order != 0) return order;
    } else {
      if (const auto order = a.take_letters().compare(b.take_letters()) <=> 0; order != 0) return order;
    }
  }
}

}  // namespace pvhgrub::grubcfg
