// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace pvhgrub {

namespace {

// kTables[n][b]: what byte b gives when n zero bytes follow it, so that eight bytes are done at once.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F6'3B78U : 0U);
    tables[0][i] = value;
  }
  for (std::size_t n = 1; n < tables.size(); ++n)
    for (std::size_t i = 0; i < 256; ++i)
      tables[n][i] = (tables[n - 1][i] >> 8) ^ tables[0][tables[n - 1][i] & 0xFF];
  return tables;
}
constexpr Tables kTables = make_tables();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t carry_by_instruction(std::uint32_t state, Bytes bytes) {
  std::uint64_t wide = state;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    wide = __builtin_ia32_crc32di(wide, word);
  }
  state = static_cast<std::uint32_t>(wide);
  for (const std::byte byte : bytes)
    state = __builtin_ia32_crc32qi(state, std::to_integer<unsigned char>(byte));
  return state;
}
#endif

}  // namespace

std::uint32_t crc32c_carry_by_table(std::uint32_t state, Bytes bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      auto byte = std::to_integer<std::uint32_t>(bytes[i]);
      if (i < 4) byte ^= (state >> (8 * i)) & 0xFF;
      next ^= kTables[7 - i][byte];
    }
    state = next;
  }
  for (const std::byte byte : bytes)
    state = (state >> 8) ^ kTables[0][(state ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  return state;
}

std::uint32_t crc32c_carry(std::uint32_t state, Bytes bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return carry_by_instruction(state, bytes);
#endif
  return crc32c_carry_by_table(state, bytes);
}

}  // namespace pvhgrub
