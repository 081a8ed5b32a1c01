// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"

namespace pvhgrub::broker {

/// Milliseconds of CLOCK_MONOTONIC.
[[nodiscard]] std::uint64_t monotonic_milliseconds();

/// Turns the signals that end a program into something to poll for, so that outputs are removed and the
/// worker is gone before the program ends. libxl sends SIGTERM when the domain is destroyed.
class Termination {
 public:
  /// Blocks SIGTERM, SIGINT, SIGHUP and SIGQUIT, ignores SIGPIPE. One for the whole program.
  [[nodiscard]] static Result<Termination> install();

  /// Readable when such a signal has come.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The error that says which signal came; call it when fd() is readable.
  [[nodiscard]] Error reason() const;

 private:
  explicit Termination(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace pvhgrub::broker
