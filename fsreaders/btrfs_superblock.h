// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers and layouts: the btrfs documentation's "On-disk format" (btrfs.readthedocs.io/en/latest/dev).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/btrfs_checksum.h"

namespace pvhgrub::fs {

using BtrfsUuid = std::array<std::byte, 16>;

/// Where a tree begins.
struct BtrfsTreeRoot {
  std::uint64_t logical = 0;     ///< of its root node, bytes
  std::uint64_t generation = 0;  ///< that the root node must have
  std::uint8_t level = 0;        ///< 0: the root is a leaf
};

struct BtrfsSuperblock {
  BtrfsUuid fsid{};           ///< as GRUB's `search` and blkid tell it
  BtrfsUuid metadata_fsid{};  ///< what tree nodes carry
  std::string label;
  BtrfsChecksum checksum = BtrfsChecksum::kCrc32c;
  std::uint64_t generation = 0;
  BtrfsTreeRoot root_tree;
  BtrfsTreeRoot chunk_tree;
  std::optional<BtrfsTreeRoot> log_tree;  ///< what was fsynced since the last commit
  std::uint64_t root_directory = 0;       ///< in the root tree; names the default subvolume
  std::uint64_t devices = 0;              ///< of the whole file system
  std::uint32_t sector_size = 0;          ///< bytes; 4 to 64 KiB, a power of 2
  std::uint32_t node_size = 0;            ///< bytes; at least sector_size, at most 64 KiB, a power of 2
  std::vector<std::byte> system_chunks;   ///< pairs of key and chunk item
  std::uint64_t device_id = 0;            ///< of the device that it was read from
  BtrfsUuid device_uuid{};
};

/// The newest of a device's superblocks that verifies. kUnsupported: none at 64 KiB, where one must be for
/// GRUB and Linux to see the file system at all; or features that are not known. kDamaged: neither that one
/// nor a copy verifies.
[[nodiscard]] Result<BtrfsSuperblock> read_btrfs_superblock(BlockSource& device, Budget& budget);

/// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx".

}  // namespace pvhgrub::fs
