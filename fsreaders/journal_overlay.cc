// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_overlay.h"

#include <algorithm>
#include <string>
#include <utility>

namespace pvhgrub::fs {

namespace {

// Of each block the last revoke, ascending by block.
void keep_last_revokes(std::vector<RevokedBlock>& revoked) {
  std::ranges::sort(revoked, [](const RevokedBlock& a, const RevokedBlock& b) {
    return a.block != b.block ? a.block < b.block : a.transaction > b.transaction;
  });
  const auto rest = std::ranges::unique(revoked, {}, &RevokedBlock::block);
  revoked.erase(rest.begin(), rest.end());
}

bool is_revoked(const std::vector<RevokedBlock>& revoked, std::uint64_t block, std::uint32_t transaction) {
  const auto found = std::ranges::lower_bound(revoked, block, {}, &RevokedBlock::block);
  return found != revoked.end() && found->block == block && found->transaction >= transaction;
}

}  // namespace

Result<JournalOverlay> JournalOverlay::build(JournalFile file, const JournalSuperblock& superblock,
                                             JournalLog log, Budget& budget) {
  PVHGRUB_TRY(budget.charge_steps(log.blocks.size() + log.revoked.size(), "replaying the journal"));
  keep_last_revokes(log.revoked);
  std::erase_if(log.blocks, [&](const LoggedBlock& logged) {
    return is_revoked(log.revoked, logged.block, log.transaction_at(logged.position));
  });
  std::ranges::sort(log.blocks, [](const LoggedBlock& a, const LoggedBlock& b) {
    return a.block != b.block ? a.block < b.block : a.position > b.position;
  });
  // No projection onto a bit-field: it binds to no reference.
  const auto rest = std::ranges::unique(
      log.blocks, [](const LoggedBlock& a, const LoggedBlock& b) { return a.block == b.block; });
  log.blocks.erase(rest.begin(), rest.end());
  log.blocks.shrink_to_fit();

  JournalOverlay overlay(std::move(file), superblock);
  overlay.blocks_ = std::move(log.blocks);
  overlay.transaction_starts_ = std::move(log.transaction_starts);
  return overlay;
}

Result<JournalOverlay::Segment> JournalOverlay::first_segment(std::uint64_t block,
                                                              std::uint64_t count) const {
  const auto next =
      std::lower_bound(blocks_.begin(), blocks_.end(), block,
                       [](const LoggedBlock& logged, std::uint64_t wanted) { return logged.block < wanted; });
  if (next == blocks_.end() || next->block - block >= count) return Segment{count, std::nullopt};
  if (next->block > block) return Segment{next->block - block, std::nullopt};
  Copy copy;
  PVHGRUB_TRY_ASSIGN(copy.offset, file_.offset_of(journal_block_at(superblock_, next->position)));
  copy.checksum = next->checksum;
  copy.escaped = next->escaped != 0;
  const auto after = std::ranges::upper_bound(transaction_starts_, next->position);
  // Sequence numbers go up by one a transaction and wrap around after 2^32 - 1.
  copy.sequence = superblock_.sequence + static_cast<std::uint32_t>(after - transaction_starts_.begin() - 1);
  return Segment{1, copy};
}

Result<void> JournalOverlay::read_copy(const Copy& copy, std::span<std::byte> block) const {
  PVHGRUB_TRY(file_.read_at(copy.offset, block));
  if (!data_checksum_holds(block, copy.checksum, copy.sequence, superblock_))
    return fail(ErrorCode::kDamaged,
                "the journal's copy of a block has a wrong checksum; run e2fsck on the file system",
                "file system byte " + std::to_string(copy.offset));
  if (copy.escaped) {
    for (std::size_t i = 0; i < 4; ++i)
      block[i] = static_cast<std::byte>((kJournalMagic >> (24 - 8 * i)) & 0xffU);
  }
  return {};
}

}  // namespace pvhgrub::fs
