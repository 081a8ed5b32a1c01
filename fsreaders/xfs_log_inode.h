// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "base/result.h"
#include "fsreaders/xfs_log_transactions.h"
#include "fsreaders/xfs_overlay.h"
#include "fsreaders/xfs_superblock.h"

namespace pvhgrub::fs {

/// What an inode item says of itself, in its form of 56 bytes or in the packed one of 52 that 32-bit machines
/// wrote.
struct XfsLogInodeFormat {
  std::uint32_t fields = 0;  ///< what of the inode was logged
  std::uint64_t number = 0;
  std::uint64_t buffer = 0;         ///< first 512-byte block of the inodes that are written together
  std::uint32_t buffer_blocks = 0;  ///< of 512 bytes
  std::uint64_t offset = 0;         ///< byte of the file system at which the inode lies
  [[nodiscard]] static Result<XfsLogInodeFormat> parse(Bytes format);
  /// The third region holds its data fork.
  [[nodiscard]] bool has_data_fork() const;
  /// The blocks of its tree of extents may name another inode as their owner.
  [[nodiscard]] bool moves_tree() const;
};

/// Writes the inode of `item` into the overlay as the kernel would write it to the disk, unless what is there
/// is newer than `lsn`.
[[nodiscard]] Result<void> replay_xfs_inode(const XfsLogItem& item, const XfsLogInodeFormat& format,
                                            std::uint64_t lsn, const XfsSuperblock& superblock,
                                            XfsOverlay& overlay);

}  // namespace pvhgrub::fs
