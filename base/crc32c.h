// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace pvhgrub {

/// The CRC with the Castagnoli polynomial (reflected, 0x82F63B78), carried on from `state` without inverting
/// it before or after. Uses the processor's instruction where it has one: some 10 GB/s, else 1 to 2.
[[nodiscard]] std::uint32_t crc32c_carry(std::uint32_t state, Bytes bytes);

/// The same without the instruction.
[[nodiscard]] std::uint32_t crc32c_carry_by_table(std::uint32_t state, Bytes bytes);

/// CRC-32C as RFC 3720 has it and as Btrfs and XFS put it on their metadata.
[[nodiscard]] inline std::uint32_t crc32c(Bytes bytes) {
  return ~crc32c_carry(~std::uint32_t{0}, bytes);
}

}  // namespace pvhgrub
