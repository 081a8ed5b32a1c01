// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: Linux kernel documentation, filesystems/squashfs; "Squashfs Binary Format" (squashfs-tools-ng,
// doc/format).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_decompression.h"
#include "fsreaders/block_source.h"
#include "fsreaders/recently_used.h"

namespace pvhgrub::fs {

struct SquashfsSuperblock {
  BlockCompression compression = BlockCompression::kZlib;
  std::uint32_t block_size = 0;      ///< bytes: 4 KiB to 1 MiB
  std::uint64_t root = 0;            ///< reference of the root's inode
  std::uint64_t size = 0;            ///< bytes of the file system
  std::uint32_t fragment_count = 0;  ///< entries of the fragment table
  std::uint64_t inodes = 0;          ///< where the tables begin: bytes from the file system's start
  std::uint64_t directories = 0;
  std::uint64_t fragments = 0;
};

/// kUnsupported: no SquashFS, or not of version 4.0, or of an unknown compression. kDamaged: a superblock
/// that contradicts itself, or a device that is too short.
[[nodiscard]] Result<SquashfsSuperblock> read_squashfs_superblock(BlockSource& source);

/// A place in a table of metadata: a block, by the disk offset that it begins at, and a byte of what it
/// decompresses to.
struct SquashfsPosition {
  std::uint64_t block = 0;
  std::size_t offset = 0;
};

/// A run of data as it is stored.
struct SquashfsBlock {
  std::uint64_t offset = 0;  ///< bytes from the file system's start
  std::uint32_t length = 0;  ///< bytes
  bool compressed = false;
};

/// Blocks of metadata and of data, decompressed; the last ones are kept.
class SquashfsVolume {
 public:
  /// Both outlive the volume.
  SquashfsVolume(BlockSource& source, Budget& budget, const SquashfsSuperblock& superblock)
      : source_(source), budget_(budget), superblock_(superblock) {}

  [[nodiscard]] BlockSource& source() const { return source_; }
  [[nodiscard]] Budget& budget() const { return budget_; }
  [[nodiscard]] const SquashfsSuperblock& superblock() const { return superblock_; }

  /// `length` bytes of metadata from `position` on, which moves behind them. kDamaged: they lead out of the
  /// file system, or decompress to none.
  [[nodiscard]] Result<std::vector<std::byte>> read_metadata(SquashfsPosition& position, std::size_t length);

  /// What a block of data holds, at most a block's size; lives until the next call. Not for data that are
  /// stored plain, which lie where `block` says.
  [[nodiscard]] Result<Bytes> decompressed(const SquashfsBlock& block);

  /// The block of an entry of the fragment table.
  [[nodiscard]] Result<SquashfsBlock> fragment(std::uint32_t number);

  /// The size field of a block of data (bit 24: it is stored plain) at an offset, checked. kDamaged.
  [[nodiscard]] Result<SquashfsBlock> checked_block(std::uint64_t offset, std::uint32_t size_field) const;

 private:
  static constexpr std::size_t kKeptMetadata = 32;  // of 8 KiB
  static constexpr std::size_t kKeptData = 3;       // of at most 1 MiB

  struct Metadata {
    std::vector<std::byte> bytes;
    std::uint64_t next = 0;  // where the next block begins
  };
  [[nodiscard]] Result<const Metadata*> metadata_block(std::uint64_t offset);

  BlockSource& source_;
  Budget& budget_;
  SquashfsSuperblock superblock_;
  RecentlyUsed<Metadata> metadata_{kKeptMetadata};
  RecentlyUsed<std::vector<std::byte>> data_{kKeptData};
};

/// "...; the image is damaged, make it anew" behind what was wrong, with the byte that it was found at.
[[nodiscard]] std::unexpected<Error> damaged_squashfs(std::string what, std::uint64_t offset);

}  // namespace pvhgrub::fs
