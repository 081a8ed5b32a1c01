// SPDX-License-Identifier: LGPL-2.1-or-later
// Arithmetic for sizes and offsets that the guest's bytes decide.
#pragma once

#include <concepts>
#include <optional>
#include <utility>

namespace pvhgrub {

/// a + b, or nothing when it does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, T b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// a - b, or nothing when it does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_subtract(T a, T b) {
  T difference{};
  if (__builtin_sub_overflow(a, b, &difference)) return std::nullopt;
  return difference;
}

/// a * b, or nothing when it does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_multiply(T a, T b) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// `value` as a To, or nothing when To cannot hold it.
template <std::integral To, std::integral From>
[[nodiscard]] constexpr std::optional<To> checked_cast(From value) {
  if (!std::in_range<To>(value)) return std::nullopt;
  return static_cast<To>(value);
}

/// True when [offset, offset + length) lies inside [0, size). Cannot overflow.
template <std::unsigned_integral T>
[[nodiscard]] constexpr bool range_inside(T offset, T length, T size) {
  return offset <= size && length <= size - offset;
}

/// `value` rounded up to a multiple of `alignment` (not 0), or nothing when it does not fit.
template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_align_up(T value, T alignment) {
  const T rest = value % alignment;
  return rest == 0 ? std::optional<T>(value) : checked_add<T>(value, static_cast<T>(alignment - rest));
}

}  // namespace pvhgrub
