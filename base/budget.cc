// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/budget.h"

#include <string>

#include "base/limits.h"

namespace pvhgrub {

Budget Budget::standard() {
  return {limits::kBudgetSteps, limits::kBudgetBytes};
}

Result<void> Budget::charge_steps(std::uint64_t count, std::string_view what) {
  if (count > steps_left_) {
    steps_left_ = 0;
    return fail(ErrorCode::kLimit, "gave up after too many steps while " + std::string(what));
  }
  steps_left_ -= count;
  return {};
}

Result<void> Budget::charge_bytes(std::uint64_t count, std::string_view what) {
  if (count > bytes_left_) {
    bytes_left_ = 0;
    return fail(ErrorCode::kLimit, "gave up after reading too many bytes while " + std::string(what));
  }
  bytes_left_ -= count;
  return {};
}

Result<DepthGuard> DepthGuard::enter(unsigned& depth, unsigned maximum, std::string_view what) {
  if (depth >= maximum)
    return fail(ErrorCode::kLimit,
                std::string(what) + " nested deeper than " + std::to_string(maximum) + " levels");
  return DepthGuard(depth);
}

}  // namespace pvhgrub
