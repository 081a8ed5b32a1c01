// SPDX-License-Identifier: LGPL-2.1-or-later
// The one way from disk bytes to numbers: a bounded reader. No structure is ever cast onto the bytes.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/checked.h"
#include "base/result.h"

namespace pvhgrub {

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The bytes as text; the text lives as long as the bytes do.
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  // Reading any object through char is what the standard allows (basic.lval); std::span has no way to say so.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads numbers and runs out of a span, never past its end. Positions are bytes from the span's start.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }

  /// Moves to an absolute position, at most the end.
  [[nodiscard]] Result<void> seek(std::size_t position) {
    if (position > bytes_.size()) return past_end(position, 0);
    position_ = position;
    return {};
  }

  [[nodiscard]] Result<void> skip(std::size_t count) {
    if (count > remaining()) return past_end(position_, count);
    position_ += count;
    return {};
  }

  /// The next `count` bytes, as a view into the span.
  [[nodiscard]] Result<Bytes> take(std::size_t count) {
    if (count > remaining()) return past_end(position_, count);
    const Bytes run = bytes_.subspan(position_, count);
    position_ += count;
    return run;
  }

  template <std::unsigned_integral T>
  [[nodiscard]] Result<T> little_endian() {
    PVHGRUB_TRY_ASSIGN(const Bytes run, take(sizeof(T)));
    T value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;)
      value = static_cast<T>((std::uint64_t{value} << 8) | std::to_integer<std::uint64_t>(run[i]));
    return value;
  }

  template <std::unsigned_integral T>
  [[nodiscard]] Result<T> big_endian() {
    PVHGRUB_TRY_ASSIGN(const Bytes run, take(sizeof(T)));
    T value = 0;
    for (const std::byte byte : run)
      value = static_cast<T>((std::uint64_t{value} << 8) | std::to_integer<std::uint64_t>(byte));
    return value;
  }

 private:
  [[nodiscard]] std::unexpected<Error> past_end(std::size_t position, std::size_t count) const {
    return fail(ErrorCode::kDamaged, "wanted " + std::to_string(count) + " bytes at " +
                                         std::to_string(position) + " of a structure of " +
                                         std::to_string(bytes_.size()));
  }

  Bytes bytes_;
  std::size_t position_ = 0;
};

}  // namespace pvhgrub
