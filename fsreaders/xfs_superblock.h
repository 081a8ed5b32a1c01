// SPDX-License-Identifier: LGPL-2.1-or-later
// The superblock of XFS. Layout: "XFS Algorithms & Data Structures", 3rd edition, "Superblocks".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace pvhgrub::fs {

/// Bytes of the superblock's sector that are read before its size is known: the largest sector.
inline constexpr std::size_t kXfsSuperblockBytes = 32768;
/// Addresses inside of the file system's own headers, and of its log, count blocks of 512 bytes.
inline constexpr std::uint64_t kXfsBasicBlock = 512;
/// What the user is told to do about a file system that contradicts itself.
inline constexpr const char* kXfsRepair = "; run xfs_repair on the file system";

struct XfsSuperblock {
  std::uint32_t block_size = 0;        ///< bytes: 512 to 65536, a power of two
  std::uint64_t blocks = 0;            ///< all of which lie inside the source
  std::uint32_t groups = 0;            ///< allocation groups, at least 1
  std::uint32_t group_blocks = 0;      ///< blocks of each group but the last, which may be shorter
  std::uint32_t group_block_bits = 0;  ///< bits of a block's number in its group, at most 31
  std::uint32_t inode_size = 0;        ///< bytes: 256 to 2048, a power of two, at most a block
  std::uint32_t inodes_per_block_bits = 0;
  std::uint32_t inode_alignment = 0;       ///< blocks that inode chunks begin at a multiple of
  std::uint32_t directory_block_size = 0;  ///< bytes: a power of two, 512 to 65536, at least a block
  std::uint64_t root_inode = 0;
  std::uint64_t log_start = 0;         ///< file system block of the log; 0: on another device
  std::uint32_t log_blocks = 0;        ///< file system blocks
  std::uint32_t log_incompatible = 0;  ///< features of a log that waits to be replayed
  bool checksums = false;              ///< version 5: every metadata block says what it is, with a checksum
  bool file_types = false;             ///< directories tell what their entries are
  bool folds_case = false;             ///< names are the same without regard to case (mkfs.xfs -n version=ci)
  std::array<std::byte, 16> user_uuid{};      ///< as `uuid`; what the log carries
  std::array<std::byte, 16> metadata_uuid{};  ///< what metadata blocks carry; `uuid` may have been changed
  std::string uuid;                           ///< lower case, 8-4-4-4-12
  std::string label;

  /// The byte where a block begins, by its number with the group in the upper bits; nothing where the file
  /// system has no such block, or not `count` (at least 1) in one group from there.
  [[nodiscard]] std::optional<std::uint64_t> offset_of_block(std::uint64_t number,
                                                             std::uint64_t count = 1) const;
  /// The byte where an inode begins; nothing where the file system has no room for one of that number.
  [[nodiscard]] std::optional<std::uint64_t> offset_of_inode(std::uint64_t number) const;
};

/// Reads and checks the superblock's bytes: kXfsSuperblockBytes, or less where the source ends before.
/// `source_size`: bytes that the file system may lie in. `replayed`: the bytes come out of the log, which
/// keeps no checksum of them. kUnsupported: the magic is absent, an unknown feature (by name where it has
/// one); kDamaged: values that contradict themselves, a wrong checksum.
[[nodiscard]] Result<XfsSuperblock> parse_xfs_superblock(Bytes bytes, std::uint64_t source_size,
                                                         bool replayed = false);

}  // namespace pvhgrub::fs
