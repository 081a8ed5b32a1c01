// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace pvhgrub::fs {

/// Numbers at fixed offsets of an XFS structure, big-endian but where the name says otherwise. The caller has
/// made sure that the structure is there as a whole; what lies past its end reads as 0.
class XfsFields {
 public:
  explicit XfsFields(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint8_t u8(std::size_t offset) const { return number<std::uint8_t>(offset); }
  [[nodiscard]] std::uint16_t u16(std::size_t offset) const { return number<std::uint16_t>(offset); }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const { return number<std::uint32_t>(offset); }
  [[nodiscard]] std::uint64_t u64(std::size_t offset) const { return number<std::uint64_t>(offset); }
  /// Checksums, and what the log holds, are little-endian.
  [[nodiscard]] std::uint16_t little16(std::size_t offset) const { return __builtin_bswap16(u16(offset)); }
  [[nodiscard]] std::uint32_t little32(std::size_t offset) const { return __builtin_bswap32(u32(offset)); }
  [[nodiscard]] std::uint64_t little64(std::size_t offset) const { return __builtin_bswap64(u64(offset)); }

  /// `count` bytes from `offset`, or fewer where the structure ends before.
  [[nodiscard]] Bytes run(std::size_t offset, std::size_t count) const {
    if (offset >= bytes_.size()) return {};
    return bytes_.subspan(offset, count < bytes_.size() - offset ? count : bytes_.size() - offset);
  }

 private:
  template <std::unsigned_integral T>
  [[nodiscard]] T number(std::size_t offset) const {
    if (!range_inside(offset, sizeof(T), bytes_.size())) return 0;
    std::uint64_t value = 0;
    for (const std::byte byte : bytes_.subspan(offset, sizeof(T)))
      value = (value << 8U) | std::to_integer<std::uint64_t>(byte);
    return static_cast<T>(value);
  }

  Bytes bytes_;
};

}  // namespace pvhgrub::fs
