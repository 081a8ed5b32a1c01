// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "fsreaders/structure_fields.h"

namespace pvhgrub::fs {

/// Numbers of an XFS structure, big-endian but where the name says otherwise.
class XfsFields : public StructureFields<std::endian::big> {
 public:
  using StructureFields::StructureFields;

  /// Checksums, and what the log holds, are little-endian.
  [[nodiscard]] std::uint16_t little16(std::size_t offset) const { return __builtin_bswap16(u16(offset)); }
  [[nodiscard]] std::uint32_t little32(std::size_t offset) const { return __builtin_bswap32(u32(offset)); }
  [[nodiscard]] std::uint64_t little64(std::size_t offset) const { return __builtin_bswap64(u64(offset)); }
};

}  // namespace pvhgrub::fs
