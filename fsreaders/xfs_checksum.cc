// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_checksum.h"

#include <array>

#include "base/crc32c.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

bool xfs_checksum_holds(Bytes block, std::size_t offset) {
#ifdef PVHGRUB_FUZZING
  static_cast<void>(block);
  static_cast<void>(offset);
  return true;
#else
  constexpr std::array<std::byte, 4> kZeros{};
  if (!range_inside(offset, kZeros.size(), block.size())) return false;
  std::uint32_t state = crc32c_carry(~std::uint32_t{0}, block.first(offset));
  state = crc32c_carry(state, kZeros);
  state = crc32c_carry(state, block.subspan(offset + kZeros.size()));
  return ~state == XfsFields(block).little32(offset);
#endif
}

}  // namespace pvhgrub::fs
