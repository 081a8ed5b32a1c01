// SPDX-License-Identifier: LGPL-2.1-or-later
// What every item of a btrfs tree is found by.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace pvhgrub::fs {

/// Kinds of items that a reader meets; others are skipped ("On-disk format", "Key types").
enum class BtrfsItem : std::uint8_t {
  kInode = 1,
  kInodeReference = 12,
  kExtendedReference = 13,
  kExtendedAttribute = 24,
  kDirectoryLogEnd = 72,
  kDirectoryItem = 84,
  kDirectoryIndex = 96,
  kExtentData = 108,
  kExtentChecksum = 128,
  kRoot = 132,
  kRootBackReference = 144,
  kChunk = 228,
};

/// Trees and inodes with fixed numbers ("Objectids").
inline constexpr std::uint64_t kBtrfsTopLevelTree = 5;
inline constexpr std::uint64_t kBtrfsChecksumTree = 7;
inline constexpr std::uint64_t kBtrfsFirstFreeObject = 256;  ///< also each subvolume's root directory
inline constexpr std::uint64_t kBtrfsLastFreeObject = ~std::uint64_t{0} - 255;
inline constexpr std::uint64_t kBtrfsLogTree = ~std::uint64_t{0} - 5;         ///< -6
inline constexpr std::uint64_t kBtrfsChecksumObject = ~std::uint64_t{0} - 9;  ///< -10

/// Items stand in a tree in the order of their keys.
struct BtrfsKey {
  std::uint64_t object = 0;
  BtrfsItem type{};
  std::uint64_t offset = 0;
  friend auto operator<=>(const BtrfsKey&, const BtrfsKey&) = default;
};

inline constexpr std::size_t kBtrfsKeyBytes = 17;

[[nodiscard]] inline Result<BtrfsKey> read_btrfs_key(ByteReader& reader) {
  BtrfsKey key;
  PVHGRUB_TRY_ASSIGN(key.object, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint8_t type, reader.little_endian<std::uint8_t>());
  key.type = BtrfsItem{type};
  PVHGRUB_TRY_ASSIGN(key.offset, reader.little_endian<std::uint64_t>());
  return key;
}

}  // namespace pvhgrub::fs
