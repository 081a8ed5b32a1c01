// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace pvhgrub {

/// What one request may still spend. Every loop that the guest's bytes drive charges it, so a bomb ends as an
/// error (ErrorCode::kLimit, exit 6) long before the deadline. One budget a request, shared by all that works
/// on it.
class Budget {
 public:
  /// `steps`: loop turns (statements, directory entries, tree nodes). `bytes`: bytes read from the disk into
  /// memory or grown in variables; contents that go out as extents cost nothing.
  Budget(std::uint64_t steps, std::uint64_t bytes) : steps_left_(steps), bytes_left_(bytes) {}

  /// The budget of base/limits.h.
  static Budget standard();

  [[nodiscard]] Result<void> charge_steps(std::uint64_t count, std::string_view what);
  [[nodiscard]] Result<void> charge_bytes(std::uint64_t count, std::string_view what);

  [[nodiscard]] std::uint64_t steps_left() const { return steps_left_; }
  [[nodiscard]] std::uint64_t bytes_left() const { return bytes_left_; }

 private:
  std::uint64_t steps_left_;
  std::uint64_t bytes_left_;
};

/// Counts one level of a recursion that the guest's bytes drive, for as long as it lives.
class DepthGuard {
 public:
  /// Increments `depth`; fails where it would pass `maximum`.
  [[nodiscard]] static Result<DepthGuard> enter(unsigned& depth, unsigned maximum, std::string_view what);
  DepthGuard(DepthGuard&& other) noexcept : depth_(other.depth_) { other.depth_ = nullptr; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
  DepthGuard& operator=(DepthGuard&&) = delete;
  ~DepthGuard() {
    if (depth_ != nullptr) --*depth_;
  }

 private:
  explicit DepthGuard(unsigned& depth) : depth_(&depth) { ++depth; }
  unsigned* depth_;
};

}  // namespace pvhgrub
