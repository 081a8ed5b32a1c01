// SPDX-License-Identifier: LGPL-2.1-or-later
// The fast commit area at a journal's end: what changed since the last full commit, as logical records.
#pragma once

#include <cstdint>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/journal_file.h"
#include "fsreaders/journal_format.h"

namespace pvhgrub::fs {

/// What a record says (Linux kernel documentation, filesystems/ext4, "Fast commits").
enum class FastCommitTag : std::uint16_t {
  kAddRange = 1,
  kDeleteRange = 2,
  kCreate = 3,
  kLink = 4,
  kUnlink = 5,
  kInode = 6,
  kPadding = 7,
  kTail = 8,
  kHead = 9,
};

struct FastCommitRecord {
  FastCommitTag tag = FastCommitTag::kPadding;
  std::vector<std::byte> value;
};

/// The records of all complete fast commits that follow the full commit before `sequence` (the sequence
/// number of the transaction that would come next), in order, without heads, tails and padding. Empty where
/// there are none: the area then holds nothing or what an older commit left. kUnsupported: a format that is
/// not known.
[[nodiscard]] Result<std::vector<FastCommitRecord>> scan_fast_commits(const JournalFile& file,
                                                                      const JournalSuperblock& superblock,
                                                                      std::uint32_t sequence, Budget& budget);

}  // namespace pvhgrub::fs
