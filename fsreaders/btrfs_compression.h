// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace pvhgrub::fs {

/// How an extent is compressed ("EXTENT_DATA", compression).
enum class BtrfsCompression : std::uint8_t { kNone = 0, kZlib = 1, kLzo = 2, kZstd = 3 };

/// Bytes that one compressed extent has at most, compressed and not (BTRFS_MAX_COMPRESSED).
inline constexpr std::uint32_t kBtrfsCompressedExtentBytes = 128 * 1024;

/// Decompresses the whole of an extent, not kNone, into `out`, whose end it fills with zeros where the extent
/// gives less. LZO extents may give whole sectors, so `out` has room for them. kDamaged, kLimit as
/// decompress_block(); kUnsupported: an unknown kind.
[[nodiscard]] Result<void> decompress_btrfs_extent(BtrfsCompression compression, Bytes in,
                                                   std::span<std::byte> out, std::size_t sector_size);

}  // namespace pvhgrub::fs
