// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/confine_plan.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/checked.h"

namespace pvhgrub::sandbox {
namespace {

constexpr std::string_view kOption = "--confine=";

/// Exactly as many decimal numbers as `numbers` holds, with ':' between them and nothing else.
bool parse_numbers(std::string_view text, std::array<std::uint64_t, 5>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const bool last = i + 1 == numbers.size();
    const std::size_t end = last ? text.size() : text.find(':');
    if (end == std::string_view::npos || end == 0) return false;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + end, numbers[i]);
    if (error != std::errc{} || stop != text.data() + end) return false;
    text.remove_prefix(last ? end : end + 1);
  }
  return true;
}

}  // namespace

std::string ConfinePlan::to_argument() const {
  return std::string(kOption) + std::to_string(namespaces) + ":" + std::to_string(uid) + ":" +
         std::to_string(gid) + ":" + (may_change_ids ? "1" : "0") + ":" + (allow_landlock_only ? "1" : "0");
}

Result<ConfinePlan> ConfinePlan::from_arguments(int argc, char** argv) {
  const auto refuse = [] {
    return fail(ErrorCode::kUsage, "this program is started by pvhgrub and cannot be run by hand");
  };
  if (argc != 2) return refuse();
  const std::string_view argument = argv[1];
  std::array<std::uint64_t, 5> numbers{};
  if (!argument.starts_with(kOption) || !parse_numbers(argument.substr(kOption.size()), numbers))
    return refuse();
  const auto uid = checked_cast<uid_t>(numbers[1]);
  const auto gid = checked_cast<gid_t>(numbers[2]);
  if (!uid || !gid || *uid == 0 || numbers[3] > 1 || numbers[4] > 1) return refuse();
  return ConfinePlan{numbers[0], *uid, *gid, numbers[3] == 1, numbers[4] == 1};
}

}  // namespace pvhgrub::sandbox
