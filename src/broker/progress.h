// SPDX-License-Identifier: LGPL-2.1-or-later
// One line on the terminal that tells how far the copying is.
#pragma once

#include <cstdint>
#include <string>

namespace pvhgrub::broker {

/// The line itself, at most `columns` characters of ASCII: what is copied, a bar where there is room, bytes,
/// rate, time left. `total`: bytes, 0 where it is not known yet.
[[nodiscard]] std::string progress_line(std::uint64_t done, std::uint64_t total, std::uint64_t milliseconds,
                                        unsigned columns);

class Progress {
 public:
  /// `fd`: a terminal; it outlives this.
  explicit Progress(int fd);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Wipes the line.
  ~Progress();

  /// Shows how far it is, at most ten times a second. Never waits for the terminal. `now`: CLOCK_MONOTONIC.
  void update(std::uint64_t done, std::uint64_t total, std::uint64_t now_milliseconds);

 private:
  [[nodiscard]] bool show(const std::string& text);

  int fd_;
  unsigned columns_;
  std::uint64_t started_ = 0;   // milliseconds; 0: not yet
  std::uint64_t shown_at_ = 0;  // likewise
};

}  // namespace pvhgrub::broker
