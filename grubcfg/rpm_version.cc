// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/rpm_version.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace pvhgrub::grubcfg {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// What can stand at one place of a version, from the oldest to the newest.
enum class SegmentKind : std::uint8_t { kTilde, kEnd, kPlus, kLetters, kDigits };

struct Segment {
  SegmentKind kind = SegmentKind::kEnd;
  std::string_view text;  ///< of digits without zeros in front
};

/// Takes the next segment off the front of `rest`.
Segment take_segment(std::string_view& rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && !is_digit(rest[begin]) && !is_letter(rest[begin]) && rest[begin] != '~' &&
         rest[begin] != '+')
    ++begin;
  rest.remove_prefix(begin);
  if (rest.empty()) return {};
  if (rest.front() == '~' || rest.front() == '+') {
    const SegmentKind kind = rest.front() == '~' ? SegmentKind::kTilde : SegmentKind::kPlus;
    rest.remove_prefix(1);
    return {kind, {}};
  }
  const bool digits = is_digit(rest.front());
  std::size_t end = 0;
  while (end < rest.size() && (digits ? is_digit(rest[end]) : is_letter(rest[end]))) ++end;
  std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end);
  if (!digits) return {SegmentKind::kLetters, text};
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  return {SegmentKind::kDigits, text};
}

}  // namespace

std::weak_ordering compare_rpm_versions(std::string_view a, std::string_view b) {
  while (true) {
    const Segment one = take_segment(a);
    const Segment two = take_segment(b);
    if (one.kind != two.kind) return one.kind <=> two.kind;
    if (one.kind == SegmentKind::kEnd) return std::weak_ordering::equivalent;
    if (one.kind == SegmentKind::kDigits && one.text.size() != two.text.size())
      return one.text.size() <=> two.text.size();
    if (one.text != two.text) return one.text <=> two.text;
  }
}

PackageName split_package_name(std::string_view text) {
  const std::size_t last = text.rfind('-');
  if (last == std::string_view::npos) return {text, {}, {}};
  const std::string_view front = text.substr(0, last);
  const std::string_view tail = text.substr(last + 1);
  const std::size_t middle = front.rfind('-');
  if (middle == std::string_view::npos) return {front, tail, {}};
  return {front.substr(0, middle), front.substr(middle + 1), tail};
}

std::weak_ordering compare_package_names(std::string_view a, std::string_view b) {
  const PackageName one = split_package_name(a);
  const PackageName two = split_package_name(b);
  if (const auto order = compare_rpm_versions(one.name, two.name); order != 0) return order;
  if (const auto order = compare_rpm_versions(one.version, two.version); order != 0) return order;
  return compare_rpm_versions(one.release, two.release);
}

}  // namespace pvhgrub::grubcfg
