// SPDX-License-Identifier: LGPL-2.1-or-later
// The rules are those of GNU coreutils manual, "Version sort ordering": Debian's version comparison, with
// special places for hidden files and for suffixes.
#include "grubcfg/file_version.h"

#include <algorithm>
#include <cstddef>

namespace pvhgrub::grubcfg {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The rank of what stands at the front of a text among what may stand there outside of a number: '~', the
/// end, a digit, letters, all other bytes.
int front_rank(std::string_view text) {
  constexpr int kOthers = 256;
  if (text.empty()) return -1;
  const char c = text.front();
  if (c == '~') return -2;
  if (is_digit(c)) return 0;
  const int byte = static_cast<unsigned char>(c);
  return is_letter(c) ? byte : byte + kOthers;
}

/// Takes the number at the front, which may be missing, without zeros in front.
std::string_view take_number(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of('0'), rest.size());
  std::size_t end = begin;
  while (end < rest.size() && is_digit(rest[end])) ++end;
  const std::string_view number = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return number;
}

std::weak_ordering compare_by_runs(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      // Two of the same rank are the same byte, so neither has ended.
      if (const auto order = front_rank(a) <=> front_rank(b); order != 0) return order;
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
    const std::string_view one = take_number(a);
    const std::string_view two = take_number(b);
    if (one.size() != two.size()) return one.size() <=> two.size();
    if (one != two) return one <=> two;
  }
  return std::weak_ordering::equivalent;
}

/// The name without its suffixes: ".x", where x begins with a letter or '~' and goes on with these and
/// digits.
std::string_view without_suffixes(std::string_view name) {
  while (true) {
    std::size_t begin = name.size();
    while (begin > 0 && (is_digit(name[begin - 1]) || is_letter(name[begin - 1]) || name[begin - 1] == '~'))
      --begin;
    if (begin == 0 || begin == name.size() || name[begin - 1] != '.' || is_digit(name[begin])) return name;
    name = name.substr(0, begin - 1);
  }
}

/// Hidden files come before others, among them "." before "..", and both before any other.
int hidden_rank(std::string_view name) {
  if (name == ".") return 0;
  if (name == "..") return 1;
  return name.starts_with('.') ? 2 : 3;
}

}  // namespace

std::weak_ordering compare_file_versions(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
  const int rank = hidden_rank(a);
  if (const auto order = rank <=> hidden_rank(b); order != 0) return order;
  if (rank < 2) return std::weak_ordering::equivalent;
  if (const auto order = compare_by_runs(without_suffixes(a), without_suffixes(b)); order != 0) return order;
  return compare_by_runs(a, b);
}

}  // namespace pvhgrub::grubcfg
