// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/checked.h"

namespace pvhgrub::fs {

/// Numbers at fixed offsets of a structure, in its byte order. The caller has made sure that the structure is
/// there as a whole; what lies past its end reads as 0.
template <std::endian kOrder>
class StructureFields {
 public:
  explicit StructureFields(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint8_t u8(std::size_t offset) const { return number<std::uint8_t>(offset); }
  [[nodiscard]] std::uint16_t u16(std::size_t offset) const { return number<std::uint16_t>(offset); }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const { return number<std::uint32_t>(offset); }
  [[nodiscard]] std::uint64_t u64(std::size_t offset) const { return number<std::uint64_t>(offset); }

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
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      const std::size_t place = kOrder == std::endian::big ? i : sizeof(T) - 1 - i;
      value = (value << 8U) | std::to_integer<std::uint64_t>(bytes_[offset + place]);
    }
    return static_cast<T>(value);
  }

  Bytes bytes_;
};

}  // namespace pvhgrub::fs
