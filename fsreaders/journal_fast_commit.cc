// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_fast_commit.h"

#include <string>
#include <utility>

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kRecordHeaderBytes = 4;
constexpr std::size_t kHeadBytes = 8;
constexpr std::size_t kTailBytes = 8;

// Reads the area's records, all little-endian. Each commit is a head (only the first one of the area),
// records, and a tail with a checksum over all of them; what follows the last good tail counts for nothing.
class FastCommitScanner {
 public:
  FastCommitScanner(const JournalFile& file, const JournalSuperblock& superblock, std::uint32_t sequence,
                    Budget& budget)
      : file_(file), superblock_(superblock), sequence_(sequence), budget_(budget) {}

  Result<std::vector<FastCommitRecord>> scan() {
    std::vector<std::byte> block(superblock_.block_size);
    for (std::uint32_t index = superblock_.fast_commit_first; !ended_ && index < superblock_.fast_commit_end;
         ++index) {
      PVHGRUB_TRY(budget_.charge_bytes(block.size(), "scanning the journal's fast commits"));
      PVHGRUB_TRY(file_.read(index, block));
      PVHGRUB_TRY(take_block(block, index == superblock_.fast_commit_first));
    }
    records_.resize(complete_);
    return std::move(records_);
  }

 private:
  Result<void> take_block(Bytes block, bool first) {
    ByteReader reader(block);
    while (!ended_ && reader.remaining() >= kRecordHeaderBytes) {
      PVHGRUB_TRY(budget_.charge_steps(1, "scanning the journal's fast commits"));
      const std::size_t start = reader.position();
      PVHGRUB_TRY_ASSIGN(const auto tag, reader.little_endian<std::uint16_t>());
      PVHGRUB_TRY_ASSIGN(const auto length, reader.little_endian<std::uint16_t>());
      const bool is_head = tag == std::uint16_t(FastCommitTag::kHead);
      const Result<Bytes> value = reader.take(length);
      if (!value || (first && start == 0 && !is_head)) {
        ended_ = true;
        return {};
      }
      PVHGRUB_TRY(take_record(tag, block.subspan(start, kRecordHeaderBytes + length), *value));
    }
    return {};
  }

  // `whole`: header and value.
  Result<void> take_record(std::uint16_t tag, Bytes whole, Bytes value) {
    switch (FastCommitTag{tag}) {
      case FastCommitTag::kHead:
        PVHGRUB_TRY(take_head(value));
        break;
      case FastCommitTag::kTail:
        take_tail(whole, value);
        return {};
      case FastCommitTag::kPadding:
        break;
      case FastCommitTag::kAddRange:
      case FastCommitTag::kDeleteRange:
      case FastCommitTag::kCreate:
      case FastCommitTag::kLink:
      case FastCommitTag::kUnlink:
      case FastCommitTag::kInode:
        records_.push_back({FastCommitTag{tag}, {value.begin(), value.end()}});
        break;
      default:
        ended_ = true;
        return {};
    }
    checksum_ = journal_crc32c(checksum_, whole);
    return {};
  }

  Result<void> take_head(Bytes value) {
    ByteReader reader(value);
    if (value.size() < kHeadBytes) {
      ended_ = true;
      return {};
    }
    PVHGRUB_TRY_ASSIGN(const auto features, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(const auto sequence, reader.little_endian<std::uint32_t>());
    if (sequence != sequence_)  // left by an earlier time
      ended_ = true;
    else if (features != 0)
      return fail(
          ErrorCode::kUnsupported,
          "the journal's fast commits are of a format that this program does not know; let the guest's own "
          "system replay them, or run e2fsck on the file system");
    return {};
  }

  void take_tail(Bytes whole, Bytes value) {
    if (value.size() < kTailBytes) {
      ended_ = true;
      return;
    }
    // The checksum covers all up to itself: the header and the sequence number of the tail.
    checksum_ = journal_crc32c(checksum_, whole.first(kRecordHeaderBytes + 4));
    ByteReader reader(value);
    const auto sequence = reader.little_endian<std::uint32_t>();
    const auto checksum = reader.little_endian<std::uint32_t>();
    if (!sequence || !checksum || *sequence != sequence_ || *checksum != checksum_) {
      ended_ = true;
      return;
    }
    complete_ = records_.size();
    checksum_ = 0;
  }

  const JournalFile& file_;
  const JournalSuperblock& superblock_;
  const std::uint32_t sequence_;
  Budget& budget_;
  std::vector<FastCommitRecord> records_;
  std::size_t complete_ = 0;
  std::uint32_t checksum_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<std::vector<FastCommitRecord>> scan_fast_commits(const JournalFile& file,
                                                        const JournalSuperblock& superblock,
                                                        std::uint32_t sequence, Budget& budget) {
  if (!superblock.fast_commit) return std::vector<FastCommitRecord>{};
  return FastCommitScanner(file, superblock, sequence, budget).scan();
}

}  // namespace pvhgrub::fs
