// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace pvhgrub::menu {

/// The menu's timeout, until a key ends it.
class Countdown {
 public:
  using Clock = std::chrono::steady_clock;
  /// `seconds`: no value: it never runs out.
  Countdown(std::optional<std::uint32_t> seconds, Clock::time_point now);

  void stop() { end_.reset(); }
  [[nodiscard]] bool running() const { return end_.has_value(); }
  [[nodiscard]] bool over(Clock::time_point now) const { return end_ && now >= *end_; }
  /// Seconds that are left, the begun one included.
  [[nodiscard]] std::uint64_t seconds_left(Clock::time_point now) const;
  /// Until the second that is shown changes; no value where it does not run.
  [[nodiscard]] std::optional<std::chrono::milliseconds> next_tick(Clock::time_point now) const;

 private:
  std::optional<Clock::time_point> end_;
};

}  // namespace pvhgrub::menu
