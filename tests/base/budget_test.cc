// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/budget.h"

#include <catch2/catch.hpp>

using namespace pvhgrub;

TEST_CASE("a budget grants what it has and refuses the rest as a limit") {
  Budget budget(3, 10);
  CHECK(budget.charge_steps(3, "testing"));
  const auto refused = budget.charge_steps(1, "testing");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimit);
  CHECK(refused.error().message.find("testing") != std::string::npos);
  CHECK(budget.charge_bytes(10, "testing"));
  CHECK_FALSE(budget.charge_bytes(1, "testing"));
}

TEST_CASE("a refused charge empties the budget, so that nothing goes on after it") {
  Budget budget(3, 10);
  CHECK_FALSE(budget.charge_steps(~0ULL, "testing"));
  CHECK_FALSE(budget.charge_steps(1, "testing"));
  CHECK_FALSE(budget.charge_bytes(~0ULL, "testing"));
  CHECK_FALSE(budget.charge_bytes(1, "testing"));
}

TEST_CASE("a depth guard counts up while it lives and down when it ends") {
  unsigned depth = 0;
  {
    auto outer = DepthGuard::enter(depth, 2, "blocks");
    REQUIRE(outer);
    auto inner = DepthGuard::enter(depth, 2, "blocks");
    REQUIRE(inner);
    CHECK(depth == 2);
    CHECK_FALSE(DepthGuard::enter(depth, 2, "blocks"));
    CHECK(depth == 2);
  }
  CHECK(depth == 0);
}
