// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace pvhgrub::fs {

/// What a btrfs file system checks its metadata and data with (mkfs.btrfs --csum).
enum class BtrfsChecksum : std::uint16_t { kCrc32c = 0, kXxhash64 = 1, kSha256 = 2, kBlake2b = 3 };

/// The kind by its number in the superblock; nothing for an unknown one.
[[nodiscard]] std::optional<BtrfsChecksum> btrfs_checksum_kind(std::uint16_t number);
/// Bytes that one checksum takes in the checksum tree; at most 32.
[[nodiscard]] std::size_t btrfs_checksum_size(BtrfsChecksum kind);
/// "crc32c", "xxhash64", "sha256", "blake2b".
[[nodiscard]] std::string_view btrfs_checksum_name(BtrfsChecksum kind);
/// Whether `stored`, at least btrfs_checksum_size() bytes of which more are ignored, is that of `bytes`.
/// Always true in builds for fuzzing, which would get past no checksum.
[[nodiscard]] bool btrfs_checksum_matches(BtrfsChecksum kind, Bytes bytes, Bytes stored);

}  // namespace pvhgrub::fs
