// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <utility>

namespace pvhgrub::fs {

/// What was read or decompressed last, by number, so that a walk that comes back to it needs not read it
/// again. For a handful of values: looking one up goes through all of them.
template <typename Value>
class RecentlyUsed {
 public:
  /// Keeps at most `capacity` values (at least 1).
  explicit RecentlyUsed(std::size_t capacity) : capacity_(capacity) {}

  /// The value, or nullptr; the pointer lives until the next put().
  [[nodiscard]] Value* find(std::uint64_t key) {
    const auto found = std::ranges::find(values_, key, &Kept::key);
    if (found == values_.end()) return nullptr;
    values_.splice(values_.begin(), values_, found);
    return &values_.front().value;
  }

  /// Keeps a value that is not there yet. The reference lives until the next put().
  Value& put(std::uint64_t key, Value value) {
    if (values_.size() >= capacity_) values_.pop_back();
    values_.push_front({key, std::move(value)});
    return values_.front().value;
  }

 private:
  struct Kept {
    std::uint64_t key = 0;
    Value value;
  };
  std::size_t capacity_;
  std::list<Kept> values_;  // the last used first
};

}  // namespace pvhgrub::fs
