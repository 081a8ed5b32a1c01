// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/crc32.h"

#include <array>

namespace pvhgrub {

namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB8'8320U : 0U);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

}  // namespace

void Crc32::update(Bytes bytes) {
  for (const std::byte byte : bytes)
    state_ = (state_ >> 8) ^ kTable[(state_ ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
}

}  // namespace pvhgrub
