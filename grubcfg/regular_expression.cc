// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/regular_expression.h"

#include <regex.h>

#include <array>
#include <string_view>

#include "base/limits.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::uint64_t kCompileSteps = 30;

class CompiledRegexp {
 public:
  explicit CompiledRegexp(const std::string& expression)
      : status_(regcomp(&regexp_, expression.c_str(), REG_EXTENDED)) {}
  CompiledRegexp(const CompiledRegexp&) = delete;
  CompiledRegexp& operator=(const CompiledRegexp&) = delete;
  ~CompiledRegexp() {
    if (status_ == 0) regfree(&regexp_);
  }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const regex_t& get() const { return regexp_; }
  [[nodiscard]] std::string describe(int status) const {
    std::array<char, 128> text{};
    regerror(status, &regexp_, text.data(), text.size());
    return text.data();
  }

 private:
  regex_t regexp_{};
  int status_;
};

struct Shape {
  std::uint64_t repetitions =
      1;  ///< the product of the upper bounds of all {m,n}: what the compiled form grows with
  bool back_reference = false;
  unsigned groups = 0;
};

Shape shape_of(std::string_view expression) {
  Shape shape;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (expression[i] == '\\' && i + 1 < expression.size()) {
      ++i;
      if (expression[i] >= '1' && expression[i] <= '9') shape.back_reference = true;
      continue;
    }
    if (expression[i] == '(') ++shape.groups;
    if (expression[i] != '{') continue;
    const ParsedNumber lower = parse_number(expression.substr(i + 1), 10);
    std::uint64_t most = lower.value;
    if (lower.rest.starts_with(',')) most = std::max(most, parse_number(lower.rest.substr(1), 10).value);
    if (most > 1 && __builtin_mul_overflow(shape.repetitions, most, &shape.repetitions))
      shape.repetitions = limits::kRegexpRepetitions + 1;
  }
  return shape;
}

// Where a group is referred to, each way to divide the text among the groups may be tried: with glibc's
// matcher, 24 bytes among nine groups take 0.8 s of a processor.
Result<void> charge_back_references(const Shape& shape, const std::string& text, Budget& budget) {
  constexpr unsigned kMostGroups = 5;
  std::uint64_t ways = 1;
  for (unsigned i = 0; i < std::min(shape.groups, kMostGroups); ++i) ways *= text.size() + 1;
  return budget.charge_steps(ways, "matching regular expressions");
}

}  // namespace

Result<RegexpMatch> match_regexp(const std::string& expression, const std::string& text, Budget& budget) {
  const Shape shape = shape_of(expression);
  const std::size_t text_limit =
      shape.back_reference ? limits::kRegexpBackReferenceTextBytes : limits::kRegexpTextBytes;
  if (expression.size() > limits::kRegexpBytes || shape.repetitions > limits::kRegexpRepetitions ||
      text.size() > text_limit)
    return fail(ErrorCode::kLimit, "a regular expression of " + std::to_string(expression.size()) +
                                       " bytes with " + std::to_string(shape.repetitions) +
                                       " repetitions on a text of " + std::to_string(text.size()) + " bytes");
  if (shape.back_reference) PVHGRUB_TRY(charge_back_references(shape, text, budget));
  // Compiling takes as long as some thirty commands. Matching takes at most each byte against each state; and
  // where nothing matches, glibc begins anew at each byte, which is done fast, but may go to the text's end.
  PVHGRUB_TRY(budget.charge_steps(kCompileSteps +
                                      expression.size() * shape.repetitions * (text.size() + 16) / 64 +
                                      text.size() * text.size() / 64,
                                  "matching regular expressions"));
  RegexpMatch match;
  const CompiledRegexp compiled(expression);
  if (compiled.status() != 0) {
    match.reason = compiled.describe(compiled.status());
    return match;
  }
  std::vector<regmatch_t> ranges(compiled.get().re_nsub + 1);
  const int status = regexec(&compiled.get(), text.c_str(), ranges.size(), ranges.data(), 0);
  if (status != 0) {
    match.reason = compiled.describe(status);
    return match;
  }
  match.matched = true;
  for (const regmatch_t& range : ranges) {
    if (range.rm_so < 0) {
      match.groups.emplace_back();
    } else {
      const auto begin = static_cast<std::size_t>(range.rm_so);
      match.groups.emplace_back(text.substr(begin, static_cast<std::size_t>(range.rm_eo) - begin));
    }
  }
  return match;
}

}  // namespace pvhgrub::grubcfg
