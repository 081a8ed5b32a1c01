// SPDX-License-Identifier: LGPL-2.1-or-later
// The scan of a journal's log: which transactions are complete, what they wrote and what they revoked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/journal_file.h"
#include "fsreaders/journal_format.h"

namespace pvhgrub::fs {

/// One data block of the log. 16 bytes, since there may be a million.
struct LoggedBlock {
  std::uint64_t block : 63 = 0;   ///< file system block that it belongs to
  std::uint64_t escaped : 1 = 0;  ///< see JournalTag
  std::uint32_t position = 0;     ///< blocks from the log's start, around the ring
  std::uint32_t checksum = 0;     ///< of its tag
};
static_assert(sizeof(LoggedBlock) == 16);

struct RevokedBlock {
  std::uint64_t block = 0;        ///< file system block
  std::uint32_t transaction = 0;  ///< ordinal of the transaction that revoked it, from 0
};

/// What the complete transactions of a log hold.
struct JournalLog {
  std::vector<LoggedBlock> blocks;    ///< in the order of the log
  std::vector<RevokedBlock> revoked;  ///< in the order of the log
  /// Of each complete transaction by ordinal: the position of its first block.
  std::vector<std::uint32_t> transaction_starts;
  std::uint32_t end_sequence = 0;  ///< sequence number of the transaction that would come next
  std::string damage;              ///< why the scan ended early, in words; empty where the log just ends

  /// The ordinal of the transaction that the block at `position` belongs to.
  [[nodiscard]] std::uint32_t transaction_at(std::uint32_t position) const;
};

/// The journal block at `position` of the log (blocks from superblock.start, around the ring).
[[nodiscard]] std::uint32_t journal_block_at(const JournalSuperblock& superblock, std::uint32_t position);

/// Scans the log from superblock.start (not 0). Reads descriptor, revoke and commit blocks, and with checksum
/// v1 the data blocks as well, since only all of them together prove a transaction. The checksums v2 and v3
/// of data blocks are left to whoever reads such a block. Errors: kIo, kLimit, kDamaged (a journal with
/// holes).
[[nodiscard]] Result<JournalLog> scan_journal_log(const JournalFile& file,
                                                  const JournalSuperblock& superblock, Budget& budget);

}  // namespace pvhgrub::fs
