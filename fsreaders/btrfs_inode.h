// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

struct BtrfsInode {
  std::uint32_t subvolume = 0;  ///< index among those that the file system has opened
  std::uint64_t number = 0;     ///< below kBtrfsInodeNumbers
  std::uint32_t mode = 0;       ///< as stat(2)
  std::uint64_t flags = 0;
  std::uint64_t size = 0;  ///< bytes
  std::int64_t modification_time = 0;

  [[nodiscard]] FileType type() const;
  /// Whether its data has checksums (chattr +C, mount -o nodatasum).
  [[nodiscard]] bool has_checksums() const { return (flags & 1U) == 0; }
  /// "inode 257", for messages.
  [[nodiscard]] std::string name() const { return "inode " + std::to_string(number); }
};

/// Inode numbers are given out one after the other, and never again: no file system comes near this.
inline constexpr std::uint64_t kBtrfsInodeNumbers = std::uint64_t{1} << 48U;

/// kDamaged: there is no such inode. `subvolume` is the result's.
[[nodiscard]] Result<BtrfsInode> read_btrfs_inode(const BtrfsTree& tree, std::uint32_t subvolume,
                                                  std::uint64_t number);

/// A directory's names by the hashes of them, as GRUB goes through them. A handle is an inode's number, or
/// with kBtrfsSubvolumeHandle a subvolume's.
[[nodiscard]] Result<DirectoryListing> read_btrfs_directory(const BtrfsTree& tree, const BtrfsInode& inode);
inline constexpr std::uint64_t kBtrfsSubvolumeHandle = std::uint64_t{1} << 63U;

}  // namespace pvhgrub::fs
