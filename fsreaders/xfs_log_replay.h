// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/xfs_log.h"
#include "fsreaders/xfs_overlay.h"
#include "fsreaders/xfs_superblock.h"

namespace pvhgrub::fs {

/// A change of a file's mapping that the log announces and does not report as done: the kernel does it after
/// replay.
struct XfsPendingMapping {
  std::uint64_t intent = 0;  ///< by which its end is reported
  std::uint64_t inode = 0;
  std::uint64_t logical = 0;  ///< block of the file
  std::uint64_t place = 0;    ///< block of the file system, with the group in the upper bits
  std::uint64_t count = 0;    ///< blocks
  bool maps = false;          ///< else what is mapped there is taken away
  bool unwritten = false;     ///< mapped, but reads as zeros
};

/// What a replay leaves to know beside the changed bytes.
struct XfsReplay {
  std::size_t transactions = 0;
  /// Inodes whose trees of extents were another's: the blocks still name that one.
  std::unordered_set<std::uint64_t> moved_trees;
  std::vector<XfsPendingMapping> pending_mappings;  ///< in their order
  /// Pairs of inodes whose contents are half exchanged: only the kernel can tell how far it has come.
  struct Exchange {
    std::uint64_t intent = 0;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
  };
  std::vector<Exchange> unfinished_exchanges;
};

/// Puts into `overlay`, whose source is the file system, what the transactions of `log` changed of inodes,
/// directories, trees of extents, links and the superblock; all else is not read by anyone here.
/// `superblock` becomes what the log made of it. kDamaged, kLimit.
[[nodiscard]] Result<XfsReplay> replay_xfs_log(XfsLog& log, XfsOverlay& overlay, Budget& budget,
                                               XfsSuperblock& superblock);

}  // namespace pvhgrub::fs
