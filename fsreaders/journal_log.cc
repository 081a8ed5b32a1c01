// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_log.h"

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <span>

#include "base/limits.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint8_t kChecksumTypeCrc32 = 1;
constexpr std::uint8_t kChecksumSizeCrc32 = 4;

class LogScanner {
 public:
  LogScanner(const JournalFile& file, const JournalSuperblock& superblock, Budget& budget)
      : file_(file),
        superblock_(superblock),
        budget_(budget),
        ring_blocks_(superblock.end - superblock.first),
        block_(superblock.block_size) {
    log_.end_sequence = superblock.sequence;
  }

  Result<JournalLog> scan() {
    // Once around the ring is all that a log can be, so no sequence numbers can make this loop go on.
    while (!ended_ && position_ < ring_blocks_) {
      const std::uint32_t here = position_;
      PVHGRUB_TRY(read_next(block_));
      const std::optional<JournalHeader> header = parse_journal_header(block_);
      if (!header || header->sequence != log_.end_sequence) break;
      if (!in_transaction_) begin_transaction(here);
      switch (JournalBlockType{header->type}) {
        case JournalBlockType::kDescriptor:
          PVHGRUB_TRY(take_descriptor());
          break;
        case JournalBlockType::kRevoke:
          PVHGRUB_TRY(take_revoke());
          break;
        case JournalBlockType::kCommit:
          PVHGRUB_TRY(take_commit());
          break;
        default:
          ended_ = true;
      }
    }
    // What an incomplete transaction logged or revoked counts for nothing.
    log_.blocks.resize(complete_blocks_);
    log_.revoked.resize(complete_revoked_);
    return std::move(log_);
  }

 private:
  Result<void> read_next(std::span<std::byte> block) {
    PVHGRUB_TRY(budget_.charge_steps(1, "scanning the journal"));
    PVHGRUB_TRY(budget_.charge_bytes(block.size(), "scanning the journal"));
    return file_.read(journal_block_at(superblock_, position_++), block);
  }

  void begin_transaction(std::uint32_t position) {
    in_transaction_ = true;
    transaction_start_ = position;
    checksum_ = ~std::uint32_t{0};
    bad_checksum_ = false;
    malformed_.clear();
  }

  Result<void> take_descriptor() {
    if (!descriptor_checksum_holds(block_, superblock_)) bad_checksum_ = true;
    const std::vector<JournalTag> tags = parse_journal_tags(block_, superblock_);
    PVHGRUB_TRY(budget_.charge_steps(tags.size(), "scanning the journal"));
    if (superblock_.checksum == JournalChecksum::kV1) add_to_checksum(block_);
    for (const JournalTag& tag : tags) {
      if (position_ >= ring_blocks_) return {};  // longer than the ring: no commit can follow
      // The place that an online resize made comes with the journal, so the source is the bound, not the
      // superblock.
      if (tag.block >= file_.source_blocks())
        malformed_ = "names block " + std::to_string(tag.block) + ", past the partition's end";
      if (log_.blocks.size() >= limits::kJournalOverlayBlocks)
        return fail(ErrorCode::kLimit, "the journal holds more than " +
                                           std::to_string(limits::kJournalOverlayBlocks) +
                                           " blocks to replay; let the guest's own system replay it");
      log_.blocks.push_back({.block = tag.block & (~std::uint64_t{0} >> 1U),
                             .escaped = tag.escaped ? 1U : 0U,
                             .position = position_,
                             .checksum = tag.checksum});
      if (superblock_.checksum == JournalChecksum::kV1) {
        PVHGRUB_TRY(read_next(block_));
        add_to_checksum(block_);
      } else {
        ++position_;
      }
    }
    return {};
  }

  Result<void> take_revoke() {
    if (!descriptor_checksum_holds(block_, superblock_)) bad_checksum_ = true;
    const Result<std::vector<std::uint64_t>> records = parse_revoke_records(block_, superblock_);
    if (!records) {
      malformed_ = "is damaged: " + records.error().message;
      return {};
    }
    PVHGRUB_TRY(budget_.charge_steps(records->size(), "scanning the journal"));
    if (records->size() > limits::kJournalRevokeRecords - log_.revoked.size())
      return fail(ErrorCode::kLimit, "the journal revokes more than " +
                                         std::to_string(limits::kJournalRevokeRecords) +
                                         " blocks; let the guest's own system replay it");
    const auto transaction = static_cast<std::uint32_t>(log_.transaction_starts.size());
    for (const std::uint64_t block : *records) log_.revoked.push_back({block, transaction});
    return {};
  }

  // A transaction is complete with its commit block. One whose checksums fail ends the log: with a commit
  // time before the one of the transaction before it, it is what an earlier round of the ring left (no
  // damage); else it is damage.
  Result<void> take_commit() {
    PVHGRUB_TRY_ASSIGN(const JournalCommit commit, parse_journal_commit(block_));
    const bool sound = !bad_checksum_ && commit_checksum_holds(block_, superblock_) &&
                       (superblock_.checksum != JournalChecksum::kV1 || transaction_checksum_holds(commit));
    if (!sound || !malformed_.empty()) {
      ended_ = true;
      if (!sound && commit.seconds < last_commit_seconds_) return {};
      log_.damage = "transaction " + std::to_string(log_.end_sequence) + " " +
                    (sound ? malformed_ : std::string("has a wrong checksum"));
      return {};
    }
    last_commit_seconds_ = commit.seconds;
    log_.transaction_starts.push_back(transaction_start_);
    complete_blocks_ = log_.blocks.size();
    complete_revoked_ = log_.revoked.size();
    ++log_.end_sequence;  // wraps around after 2^32 - 1, as the journal's sequence numbers do
    in_transaction_ = false;
    return {};
  }

  void add_to_checksum(Bytes block) {
    // libext2fs takes unsigned char, which may view any object's bytes (basic.lval).
    checksum_ =
        ext2fs_crc32_be(checksum_, reinterpret_cast<const unsigned char*>(block.data()), block.size());
  }

  [[nodiscard]] bool transaction_checksum_holds(const JournalCommit& commit) const {
    const bool unused = commit.checksum_type == 0 && commit.checksum_size == 0 && commit.checksum == 0;
    return unused || (commit.checksum_type == kChecksumTypeCrc32 &&
                      commit.checksum_size == kChecksumSizeCrc32 && commit.checksum == checksum_);
  }

  const JournalFile& file_;
  const JournalSuperblock& superblock_;
  Budget& budget_;
  const std::uint32_t ring_blocks_;
  std::vector<std::byte> block_;
  JournalLog log_;
  std::uint32_t position_ = 0;
  bool ended_ = false;

  bool in_transaction_ = false;
  std::uint32_t transaction_start_ = 0;
  std::uint32_t checksum_ = 0;  // v1
  bool bad_checksum_ = false;   // of a descriptor or revoke block
  std::string malformed_;

  std::size_t complete_blocks_ = 0;
  std::size_t complete_revoked_ = 0;
  std::uint64_t last_commit_seconds_ = 0;
};

}  // namespace

std::uint32_t JournalLog::transaction_at(std::uint32_t position) const {
  const auto after = std::ranges::upper_bound(transaction_starts, position);
  return after == transaction_starts.begin()
             ? 0
             : static_cast<std::uint32_t>(after - transaction_starts.begin() - 1);
}

std::uint32_t journal_block_at(const JournalSuperblock& superblock, std::uint32_t position) {
  const std::uint64_t ring = superblock.end - superblock.first;
  const std::uint64_t from_first = std::uint64_t{superblock.start} - superblock.first + position;
  return superblock.first + static_cast<std::uint32_t>(from_first % ring);
}

Result<JournalLog> scan_journal_log(const JournalFile& file, const JournalSuperblock& superblock,
                                    Budget& budget) {
  return LogScanner(file, superblock, budget).scan();
}

}  // namespace pvhgrub::fs
