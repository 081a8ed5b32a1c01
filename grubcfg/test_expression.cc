// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/test_expression.h"

#include <algorithm>

#include "base/limits.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

std::int64_t signed_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::uint64_t value = parse_number(text.substr(negative ? 1 : 0), 0).value;
  return static_cast<std::int64_t>(negative ? std::uint64_t{0} - value : value);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// -pgt and -plt compare numbers behind a common prefix: "vmlinuz-2" -plt "vmlinuz-11".
std::pair<std::uint64_t, std::uint64_t> prefixed_numbers(const std::string& a, const std::string& b) {
  std::size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  // Back over the digits that both share, but never onto the first character.
  if (i > 0) {
    --i;
    while (i > 0 && is_digit(a[i])) --i;
    ++i;
  }
  const auto number_at = [i](const std::string& text) {
    return parse_number(std::string_view(text).substr(std::min(i, text.size())), 0).value;
  };
  return {number_at(a), number_at(b)};
}

class Expression {
 public:
  Expression(std::span<const std::string> arguments, FileTests& files, Budget& budget)
      : arguments_(arguments), files_(files), budget_(budget) {}

  Result<bool> evaluate();

 private:
  /// What is known of one level of parentheses so far: GRUB's `-a` and `-o` have no precedence but this.
  struct Level {
    bool either = false;
    bool all = true;
    bool inverted = false;
    void update(bool value) {
      all = all && (inverted ? !value : value);
      inverted = false;
    }
    [[nodiscard]] bool result() const { return either || all; }
  };

  /// Each is no value where its form does not match at the position.
  Result<std::optional<bool>> binary();
  Result<std::optional<bool>> unary();
  std::optional<bool> compare_texts(std::string_view operation, const std::string& a,
                                    const std::string& b) const;
  std::optional<bool> compare_numbers(std::string_view operation, const std::string& a,
                                      const std::string& b) const;
  Result<bool> compare_times(const std::string& operation, const std::string& a, const std::string& b);

  std::span<const std::string> arguments_;
  FileTests& files_;
  Budget& budget_;
  std::size_t position_ = 0;
  unsigned depth_ = 0;
};

std::optional<bool> Expression::compare_texts(std::string_view operation, const std::string& a,
                                              const std::string& b) const {
  if (operation == "=" || operation == "==") return a == b;
  if (operation == "!=") return a != b;
  if (operation == "<") return a < b;
  if (operation == "<=") return a <= b;
  if (operation == ">") return a > b;
  if (operation == ">=") return a >= b;
  return std::nullopt;
}

std::optional<bool> Expression::compare_numbers(std::string_view operation, const std::string& a,
                                                const std::string& b) const {
  if (operation == "-eq") return signed_number(a) == signed_number(b);
  if (operation == "-ge") return signed_number(a) >= signed_number(b);
  if (operation == "-gt") return signed_number(a) > signed_number(b);
  if (operation == "-le") return signed_number(a) <= signed_number(b);
  if (operation == "-lt") return signed_number(a) < signed_number(b);
  if (operation == "-ne") return signed_number(a) != signed_number(b);
  if (operation != "-pgt" && operation != "-plt") return std::nullopt;
  const auto [left, right] = prefixed_numbers(a, b);
  return operation == "-pgt" ? left > right : left < right;
}

// -nt and -ot may carry a number of seconds that is added to the first file's time: -nt-60.
Result<bool> Expression::compare_times(const std::string& operation, const std::string& a,
                                       const std::string& b) {
  PVHGRUB_TRY_ASSIGN(const FileTests::Answer first, files_.look_up(a));
  PVHGRUB_TRY_ASSIGN(const FileTests::Answer second, files_.look_up(b));
  const bool newer = operation[1] == 'n';
  if (newer ? first.exists && !second.exists : !first.exists && second.exists) return true;
  if (!first.modification_time || !second.modification_time) return false;
  std::int64_t shifted = 0;
  if (__builtin_add_overflow(*first.modification_time, signed_number(std::string_view(operation).substr(3)),
                             &shifted))
    return false;
  return newer ? shifted > *second.modification_time : shifted < *second.modification_time;
}

Result<std::optional<bool>> Expression::binary() {
  if (arguments_.size() - position_ < 3) return std::nullopt;
  const std::string& a = arguments_[position_];
  const std::string& operation = arguments_[position_ + 1];
  const std::string& b = arguments_[position_ + 2];
  std::optional<bool> value = compare_texts(operation, a, b);
  if (!value) value = compare_numbers(operation, a, b);
  if (!value && (operation.starts_with("-nt") || operation.starts_with("-ot"))) {
    PVHGRUB_TRY_ASSIGN(value, compare_times(operation, a, b));
  }
  if (value) position_ += 3;
  return value;
}

Result<std::optional<bool>> Expression::unary() {
  if (arguments_.size() - position_ < 2) return std::nullopt;
  const std::string& operation = arguments_[position_];
  const std::string& operand = arguments_[position_ + 1];
  std::optional<bool> value;
  if (operation == "-n") value = !operand.empty();
  if (operation == "-z") value = operand.empty();
  if (operation == "-s") {
    PVHGRUB_TRY_ASSIGN(value, files_.has_contents(operand));
  }
  if (operation == "-d" || operation == "-e" || operation == "-f") {
    PVHGRUB_TRY_ASSIGN(const FileTests::Answer answer, files_.look_up(operand));
    value = answer.exists && (operation == "-e" || answer.is_directory == (operation == "-d"));
  }
  if (value) position_ += 2;
  return value;
}

Result<bool> Expression::evaluate() {
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard,
                     DepthGuard::enter(depth_, limits::kScriptNesting, "parentheses of a `test`"));
  Level level;
  while (position_ < arguments_.size()) {
    PVHGRUB_TRY(budget_.charge_steps(1, "evaluating a `test`"));
    PVHGRUB_TRY_ASSIGN(std::optional<bool> value, binary());
    if (!value) {
      PVHGRUB_TRY_ASSIGN(value, unary());
    }
    if (value) {
      level.update(*value);
      continue;
    }
    const std::string& word = arguments_[position_++];
    if (word == ")") return level.result();
    if (word == "(") {
      PVHGRUB_TRY_ASSIGN(const bool inner, evaluate());
      level.update(inner);
    } else if (word == "!") {
      level.inverted = !level.inverted;
    } else if (word == "-o") {
      level.either = level.either || level.all;
      level.all = true;
    } else if (word != "-a") {
      level.update(!word.empty());
    }
  }
  return level.result();
}

}  // namespace

Result<bool> evaluate_test(std::span<const std::string> arguments, FileTests& files, Budget& budget) {
  return Expression(arguments, files, budget).evaluate();
}

}  // namespace pvhgrub::grubcfg
