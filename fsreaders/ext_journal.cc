// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_journal.h"

#include <array>
#include <utility>

#include "fsreaders/ext_block_map.h"
#include "fsreaders/ext_inode.h"
#include "fsreaders/ext_library.h"
#include "fsreaders/journal_fast_commit.h"
#include "fsreaders/journal_file.h"
#include "fsreaders/journal_format.h"
#include "fsreaders/journal_log.h"
#include "fsreaders/journal_overlay.h"

namespace pvhgrub::fs {

namespace {

// The journal's inode and its blocks are never written through the journal, so they are read as they lie on
// the disk.
Result<JournalFile> find_journal(ExtVolume& volume, std::uint32_t inode_number) {
  PVHGRUB_TRY_ASSIGN(const ExtLibrary library, ExtLibrary::open(volume));
  PVHGRUB_TRY_ASSIGN(const ExtInode inode, read_ext_inode(library, inode_number));
  if (inode.type() != FileType::kRegular)
    return fail(ErrorCode::kDamaged,
                "the journal's " + inode.name() + " is not a regular file; run e2fsck on the file system");
  PVHGRUB_TRY_ASSIGN(BlockRuns runs, read_ext_block_runs(library, inode));
  return JournalFile(volume.source(), volume.block_size(), inode.size / volume.block_size(), std::move(runs));
}

}  // namespace

Result<std::vector<std::string>> replay_ext_journal(ExtVolume& volume, const ExtSuperblock& superblock) {
  std::vector<std::string> notes;
  if (!superblock.needs_recovery()) return notes;
  if (!superblock.has_journal()) {
    notes.emplace_back("the file system asks for a replay of its journal, but has none");
    return notes;
  }
  if (superblock.journal_inode == 0)
    return fail(ErrorCode::kUnsupported,
                "the guest was not shut down cleanly, and the journal that must be replayed lies on another "
                "device; boot "
                "the guest once in another way, or run e2fsck on the file system");
  PVHGRUB_TRY_ASSIGN(JournalFile file, find_journal(volume, superblock.journal_inode));
  std::array<std::byte, kJournalSuperblockBytes> bytes{};
  PVHGRUB_TRY(file.read(0, bytes));
  PVHGRUB_TRY_ASSIGN(const JournalSuperblock journal,
                     parse_journal_superblock(bytes, volume.block_size(), file.blocks()));
  if (journal.start == 0) return notes;  // nothing is logged

  PVHGRUB_TRY_ASSIGN(JournalLog log, scan_journal_log(file, journal, volume.budget()));
  PVHGRUB_TRY_ASSIGN(const std::vector<FastCommitRecord> fast_commits,
                     scan_fast_commits(file, journal, log.end_sequence, volume.budget()));
  if (!fast_commits.empty())
    return fail(ErrorCode::kUnsupported,
                "the guest was not shut down cleanly, and its journal holds fast commits that this program "
                "cannot replay; "
                "boot the guest once in another way, or run e2fsck on the file system");
  const std::string damage = std::move(log.damage);
  PVHGRUB_TRY_ASSIGN(JournalOverlay overlay,
                     JournalOverlay::build(std::move(file), journal, std::move(log), volume.budget()));
  notes.push_back("the guest was not shut down cleanly: the journal was replayed in memory (" +
                  std::to_string(overlay.transactions()) + " transactions, " +
                  std::to_string(overlay.size()) + " blocks)");
  if (!damage.empty())
    notes.push_back("the journal is damaged: " + damage + "; neither it nor what follows it was replayed");
  volume.set_overlay(std::move(overlay));
  return notes;
}

}  // namespace pvhgrub::fs
