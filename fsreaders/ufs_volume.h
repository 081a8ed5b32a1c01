// SPDX-License-Identifier: LGPL-2.1-or-later
// UFS1 and UFS2 below files and directories: superblock, inodes, block pointers (FreeBSD, sys/ufs/ffs/fs.h
// and sys/ufs/ufs/dinode.h; NetBSD has the same).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_run.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {

struct UfsSuperblock {
  bool is_ufs2 = false;
  std::uint32_t block_size = 0;     ///< bytes
  std::uint32_t fragment_size = 0;  ///< bytes: the unit of block pointers
  std::uint32_t fragments_per_block = 0;
  std::uint64_t fragments = 0;  ///< of the whole file system
  std::uint32_t groups = 0;     ///< cylinder groups
  std::uint32_t inodes_per_group = 0;
  std::uint32_t fragments_per_group = 0;
  std::uint32_t inode_table = 0;       ///< fragments from a group's start to its inodes
  std::uint32_t group_offset = 0;      ///< of UFS1: groups are shifted by a multiple of it, in fragments,
  std::uint32_t group_mask = 0;        ///< for the group's number without these bits
  std::uint32_t short_link_bytes = 0;  ///< a shorter link stands in the inode itself
  std::string uuid;
  std::string label;
  std::vector<std::string> notes;

  [[nodiscard]] std::size_t inode_bytes() const { return is_ufs2 ? 256 : 128; }
  [[nodiscard]] std::size_t pointer_bytes() const { return is_ufs2 ? 8 : 4; }
  [[nodiscard]] std::uint64_t pointers_per_block() const { return block_size / pointer_bytes(); }
};

/// Searches the places where one may lie. kUnsupported: none there, or in the other byte order. kDamaged: it
/// contradicts itself.
[[nodiscard]] Result<UfsSuperblock> read_ufs_superblock(BlockSource& source);

struct UfsInode {
  std::uint32_t number = 0;
  FileType type = FileType::kOther;
  bool is_snapshot = false;
  std::uint64_t size = 0;    ///< bytes
  std::uint64_t blocks = 0;  ///< of 512 bytes that it occupies
  std::int64_t modification_time = 0;
  std::array<std::uint64_t, 12> direct{};
  std::array<std::uint64_t, 3> indirect{};
  std::vector<std::byte> inline_bytes;  ///< the place of the pointers, which a short link takes
};

class UfsVolume {
 public:
  /// `source` and `budget` outlive the volume.
  UfsVolume(BlockSource& source, Budget& budget, UfsSuperblock superblock)
      : source_(source), budget_(budget), superblock_(std::move(superblock)) {}

  [[nodiscard]] const UfsSuperblock& superblock() const { return superblock_; }
  [[nodiscard]] BlockSource& source() const { return source_; }
  [[nodiscard]] Budget& budget() const { return budget_; }

  [[nodiscard]] Result<UfsInode> read_inode(std::uint32_t number);
  /// Where an inode's contents lie, in runs of fragments; block pointers of 0 are holes.
  [[nodiscard]] Result<BlockRuns> map(const UfsInode& inode);

 private:
  class Mapper;
  BlockSource& source_;
  Budget& budget_;
  UfsSuperblock superblock_;
};

}  // namespace pvhgrub::fs
