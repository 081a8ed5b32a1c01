// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/checked.h"

#include <catch2/catch.hpp>
#include <cstdint>

using namespace pvhgrub;

TEST_CASE("checked arithmetic gives the value where it fits and nothing where it does not") {
  constexpr std::uint64_t kMax = ~std::uint64_t{0};
  CHECK(checked_add<std::uint64_t>(kMax - 1, 1) == kMax);
  CHECK_FALSE(checked_add<std::uint64_t>(kMax, 1));
  CHECK_FALSE(checked_subtract<std::uint64_t>(0, 1));
  CHECK(checked_multiply<std::uint64_t>(kMax, 1) == kMax);
  CHECK_FALSE(checked_multiply<std::uint64_t>(kMax / 2 + 1, 2));
  CHECK(checked_cast<std::uint8_t>(255) == 255);
  CHECK_FALSE(checked_cast<std::uint8_t>(256));
  CHECK_FALSE(checked_cast<std::uint8_t>(-1));
}

TEST_CASE("a range is inside only with both of its ends, whatever overflows") {
  constexpr std::uint64_t kMax = ~std::uint64_t{0};
  CHECK(range_inside<std::uint64_t>(0, 10, 10));
  CHECK(range_inside<std::uint64_t>(10, 0, 10));
  CHECK_FALSE(range_inside<std::uint64_t>(1, 10, 10));
  CHECK_FALSE(range_inside<std::uint64_t>(kMax, 2, 10));
  CHECK_FALSE(range_inside<std::uint64_t>(2, kMax, 10));
}

TEST_CASE("aligning up rounds to the next multiple and notices overflow") {
  CHECK(checked_align_up<std::uint32_t>(0, 4) == 0U);
  CHECK(checked_align_up<std::uint32_t>(1, 4) == 4U);
  CHECK(checked_align_up<std::uint32_t>(4, 4) == 4U);
  CHECK_FALSE(checked_align_up<std::uint32_t>(~0U, 4));
}
