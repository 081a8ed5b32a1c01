// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: Linux kernel documentation, filesystems/erofs, "On-disk details"; fs/erofs/erofs_fs.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

struct ErofsSuperblock {
  std::uint32_t block_size = 0;            ///< bytes: 512 to 64 KiB
  std::uint32_t directory_block_size = 0;  ///< bytes
  std::uint64_t root = 0;                  ///< number of the root's inode
  std::uint64_t inodes = 0;                ///< where inode 0 would lie: bytes from the file system's start
  std::int64_t build_time = 0;             ///< of inodes without a time of their own
  std::string uuid;
  std::string label;
};

/// kUnsupported: no EROFS, or features that are unknown or not supported (other devices). kDamaged: a wrong
/// checksum, or what cannot be.
[[nodiscard]] Result<ErofsSuperblock> read_erofs_superblock(BlockSource& source);

/// How an inode's contents are stored (i_format, bits 1 to 3).
enum class ErofsLayout : std::uint8_t {
  kPlain = 0,            ///< blocks one behind the other
  kCompressedFull = 1,   ///< compressed, with legacy indexes
  kInline = 2,           ///< as kPlain, but the last block's contents follow the inode
  kCompressedShort = 3,  ///< compressed, with compact indexes
  kChunks = 4,           ///< chunks, each anywhere or a hole
};

struct ErofsInode {
  std::uint64_t number = 0;
  FileType type = FileType::kOther;
  std::uint64_t size = 0;              ///< bytes
  std::int64_t modification_time = 0;  ///< seconds since 1970-01-01 UTC
  ErofsLayout layout = ErofsLayout::kPlain;
  std::uint32_t place = 0;   ///< number of the first block, or of chunks their format
  std::uint64_t behind = 0;  ///< the byte behind the inode and its attributes
};

[[nodiscard]] Result<ErofsInode> read_erofs_inode(BlockSource& source, Budget& budget,
                                                  const ErofsSuperblock& superblock, std::uint64_t number);

/// The contents of an inode, also of a directory or a link. kUnsupported: they are compressed.
[[nodiscard]] Result<std::unique_ptr<File>> open_erofs_inode(BlockSource& source, Budget& budget,
                                                             const ErofsSuperblock& superblock,
                                                             const ErofsInode& inode);

/// "...; the image is damaged, make it anew" behind what was wrong, with the byte that it was found at.
[[nodiscard]] std::unexpected<Error> damaged_erofs(std::string what, std::uint64_t offset);

}  // namespace pvhgrub::fs
