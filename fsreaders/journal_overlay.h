// SPDX-License-Identifier: LGPL-2.1-or-later
// Journal replay without writing: which blocks of the file system have a newer copy in the journal, and
// where.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/journal_file.h"
#include "fsreaders/journal_format.h"
#include "fsreaders/journal_log.h"

namespace pvhgrub::fs {

/// Maps file system blocks to their newest copy in the journal. Holds no contents: 16 bytes a block.
class JournalOverlay {
 public:
  /// Where the newest copy of a block lies.
  struct Copy {
    std::uint64_t offset = 0;    ///< bytes from the source's start
    std::uint32_t checksum = 0;  ///< of its tag
    std::uint32_t sequence = 0;  ///< of its transaction
    bool escaped = false;        ///< the bytes on the disk are not the contents: see read_copy
  };

  /// What a range of blocks begins with: `count` blocks that have no copy, or one that has.
  struct Segment {
    std::uint64_t count = 0;
    std::optional<Copy> copy;
  };

  /// Applies the log: of each block the last copy that no revoke record of the same or a later transaction
  /// cancels.
  [[nodiscard]] static Result<JournalOverlay> build(JournalFile file, const JournalSuperblock& superblock,
                                                    JournalLog log, Budget& budget);

  /// Blocks that have a copy.
  [[nodiscard]] std::size_t size() const { return blocks_.size(); }
  /// Complete transactions of the log.
  [[nodiscard]] std::size_t transactions() const { return transaction_starts_.size(); }

  /// The first segment of [block, block + count); `count` at least 1.
  [[nodiscard]] Result<Segment> first_segment(std::uint64_t block, std::uint64_t count) const;

  /// The contents of a copy into `block` (one block long), with an escaped magic restored. kDamaged where the
  /// checksum of its tag fails: the kernel would refuse to mount such a file system.
  [[nodiscard]] Result<void> read_copy(const Copy& copy, std::span<std::byte> block) const;

  /// Whether a copy must be read before its bytes can be trusted (checksums v2 and v3).
  [[nodiscard]] bool has_checksums() const { return superblock_.checksums_blocks(); }

 private:
  JournalOverlay(JournalFile file, const JournalSuperblock& superblock)
      : file_(std::move(file)), superblock_(superblock) {}

  JournalFile file_;
  JournalSuperblock superblock_;
  std::vector<LoggedBlock> blocks_;  // one a block, ascending
  std::vector<std::uint32_t> transaction_starts_;
};

}  // namespace pvhgrub::fs
