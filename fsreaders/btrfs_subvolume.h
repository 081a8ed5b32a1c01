// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/btrfs_volume.h"

namespace pvhgrub::fs {

/// Where the tree of a root item begins.
[[nodiscard]] Result<BtrfsTreeRoot> parse_btrfs_root_item(Bytes item);

/// The root of any tree but the fixed ones, by its number; nothing where there is none, or it is being
/// deleted.
[[nodiscard]] Result<std::optional<BtrfsTreeRoot>> find_btrfs_tree(BtrfsVolume& volume, std::uint64_t id);

/// The number of the subvolume that Linux mounts when it is told none (`btrfs subvolume set-default`).
[[nodiscard]] Result<std::uint64_t> read_btrfs_default_subvolume(BtrfsVolume& volume);

/// The path from the top-level subvolume to another, as Subvolume has it. kNotFound: there is no such one.
[[nodiscard]] Result<std::string> read_btrfs_subvolume_path(BtrfsVolume& volume, std::uint64_t id);

/// A subvolume or snapshot: a tree of inodes.
struct BtrfsSubvolume {
  std::uint64_t id = 0;
  BtrfsTree tree;
};

/// What names another file or directory.
struct BtrfsLocation {
  bool subvolume = false;    ///< the root directory of a subvolume
  std::uint64_t number = 0;  ///< of the subvolume, else of an inode in the same one
};

/// One name of a directory, as DIR_ITEM and DIR_INDEX have them.
struct BtrfsName {
  BtrfsLocation location;
  std::uint8_t type = 0;  ///< as FileType, or an extended attribute
  std::string_view name;
  Bytes data;  ///< an attribute's value
};
inline constexpr std::uint8_t kBtrfsTypeAttribute = 8;

/// The names of an item: several where their hashes are the same.
[[nodiscard]] Result<std::vector<BtrfsName>> parse_btrfs_names(Bytes item);

}  // namespace pvhgrub::fs
