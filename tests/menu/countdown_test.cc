// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/countdown.h"

#include <catch2/catch.hpp>

namespace pvhgrub::menu {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a countdown tells the seconds that have begun, and when the next one does") {
  const Countdown::Clock::time_point start{};
  const Countdown countdown(3, start);
  CHECK(countdown.seconds_left(start) == 3);
  CHECK(countdown.next_tick(start) == milliseconds(1000));
  CHECK(countdown.seconds_left(start + milliseconds(1)) == 3);
  CHECK(countdown.next_tick(start + milliseconds(300)) == milliseconds(700));
  CHECK(countdown.seconds_left(start + milliseconds(2999)) == 1);
  CHECK_FALSE(countdown.over(start + milliseconds(2999)));
  CHECK(countdown.over(start + seconds(3)));
  CHECK(countdown.seconds_left(start + seconds(9)) == 0);
  CHECK(countdown.next_tick(start + seconds(9)) == milliseconds(0));
}

TEST_CASE("without seconds, or once it was stopped, it never runs out") {
  const Countdown::Clock::time_point start{};
  const Countdown none(std::nullopt, start);
  CHECK_FALSE(none.running());
  CHECK_FALSE(none.over(start + seconds(1'000'000)));
  Countdown stopped(1, start);
  stopped.stop();
  CHECK_FALSE(stopped.over(start + seconds(5)));
  CHECK(stopped.next_tick(start) == std::nullopt);
}

TEST_CASE("the longest timeout that a configuration can ask for does not overflow") {
  const Countdown::Clock::time_point start{};
  const Countdown longest(0x7FFF'FFFF, start);
  CHECK(longest.seconds_left(start) == 0x7FFF'FFFF);
  CHECK_FALSE(longest.over(start + seconds(1)));
}

}  // namespace pvhgrub::menu
