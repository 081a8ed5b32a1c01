// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/countdown.h"

#include <algorithm>

namespace pvhgrub::menu {

using std::chrono::milliseconds;
using std::chrono::seconds;

Countdown::Countdown(std::optional<std::uint32_t> seconds_to_wait, Clock::time_point now) {
  if (seconds_to_wait) end_ = now + seconds(*seconds_to_wait);
}

std::uint64_t Countdown::seconds_left(Clock::time_point now) const {
  if (!end_ || now >= *end_) return 0;
  const auto left = std::chrono::ceil<seconds>(*end_ - now);
  return static_cast<std::uint64_t>(left.count());
}

std::optional<milliseconds> Countdown::next_tick(Clock::time_point now) const {
  if (!end_) return std::nullopt;
  const auto left = std::chrono::ceil<milliseconds>(*end_ - now);
  if (left.count() <= 0) return milliseconds(0);
  const milliseconds part = left % seconds(1);
  return part.count() == 0 ? milliseconds(1000) : part;
}

}  // namespace pvhgrub::menu
