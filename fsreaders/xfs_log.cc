// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_log.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/crc32c.h"
#include "base/limits.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kBlock = kXfsBasicBlock;
constexpr std::uint32_t kMagic = 0xfeedbabe;
constexpr std::uint32_t kMostRecordBytes = 256 * 1024;
constexpr std::uint32_t kStampedByHeader = 32 * 1024;  // bytes whose stamps one header block keeps
constexpr std::uint64_t kMostInFlight = 8;             // records that may be under way to the disk at once
constexpr std::uint64_t kScanBlocks = kMostInFlight * kMostRecordBytes / kBlock;
constexpr std::uint64_t kReadBlocks = 128;
constexpr std::uint32_t kLinuxLittleEndian = 1;
constexpr std::uint8_t kUnmountOperation = 0x20;
// Of a record's header: bytes that its checksum covers, on 64-bit machines and on i386; and of a further
// header block.
constexpr std::size_t kChecksumPlace = 32;
constexpr std::array<std::size_t, 2> kHeaderBytes = {328, 324};
constexpr std::size_t kFurtherHeaderBytes = 260;
constexpr std::size_t kStamps = 44;
constexpr std::size_t kFurtherStamps = 4;
constexpr std::size_t kStampsByBlock = 64;

std::uint32_t stamp_of(Bytes block) {
  const XfsFields fields(block);
  return fields.u32(0) == kMagic ? fields.u32(4) : fields.u32(0);
}

// Over the header with zeros in the checksum's place, the further header blocks, and the data as it is
// stamped.
bool checksum_holds(Bytes record, std::size_t header_blocks, std::size_t length, std::uint32_t checksum) {
#ifdef PVHGRUB_FUZZING
  if (record.size() >= header_blocks * kBlock + length) return true;
#endif
  constexpr std::array<std::byte, 4> kZeros{};
  return std::ranges::any_of(kHeaderBytes, [&](std::size_t header_bytes) {
    std::uint32_t state = crc32c_carry(~std::uint32_t{0}, record.first(kChecksumPlace));
    state = crc32c_carry(state, kZeros);
    state = crc32c_carry(state, record.subspan(kChecksumPlace + 4, header_bytes - kChecksumPlace - 4));
    const std::size_t used = (length + kStampedByHeader - 1) / kStampedByHeader;
    for (std::size_t i = 1; i < std::min(used, header_blocks); ++i)
      state = crc32c_carry(state, record.subspan(i * kBlock, kFurtherHeaderBytes));
    return ~crc32c_carry(state, record.subspan(header_blocks * kBlock, length)) == checksum;
  });
}

}  // namespace

std::uint64_t XfsLog::Header::blocks() const {
  return header_blocks + (std::uint64_t{length} + kBlock - 1) / kBlock;
}

XfsLog::XfsLog(BlockSource& source, Budget& budget, const XfsSuperblock& superblock)
    : source_(source),
      budget_(budget),
      uuid_(superblock.user_uuid),
      start_(superblock.offset_of_block(superblock.log_start, superblock.log_blocks).value_or(0)),
      blocks_(std::uint64_t{superblock.log_blocks} * superblock.block_size / kBlock) {}

std::unexpected<Error> XfsLog::damaged(std::string_view what, std::uint64_t block) const {
  return fail(
      ErrorCode::kDamaged,
      "the log " + std::string(what) + "; mount the file system in the guest, or run xfs_repair on it",
      "file system byte " + std::to_string(start_ + wrap(block) * kBlock));
}

std::uint64_t XfsLog::distance(std::uint64_t from, std::uint64_t to) const {
  return to >= from ? to - from : to + blocks_ - from;
}

Result<void> XfsLog::read(std::uint64_t block, std::span<std::byte> out) {
  PVHGRUB_TRY(budget_.charge_bytes(out.size(), "reading the log"));
  while (!out.empty()) {
    block = wrap(block);
    const auto part =
        out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), (blocks_ - block) * kBlock)));
    PVHGRUB_TRY(source_.read_at(start_ + block * kBlock, part));
    block += part.size() / kBlock;
    out = out.subspan(part.size());
  }
  return {};
}

Result<std::uint32_t> XfsLog::cycle_of(std::uint64_t block) {
  std::array<std::byte, kBlock> bytes{};
  PVHGRUB_TRY(read(block, bytes));
  return stamp_of(bytes);
}

Result<std::optional<std::uint64_t>> XfsLog::first_of_cycle(std::uint64_t begin, std::uint64_t end,
                                                            std::uint32_t cycle) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(kReadBlocks) * kBlock);
  for (std::uint64_t block = begin; block < end; block += kReadBlocks) {
    const auto count = static_cast<std::size_t>(std::min(kReadBlocks, end - block));
    PVHGRUB_TRY(read(block, std::span(bytes).first(count * kBlock)));
    for (std::size_t i = 0; i < count; ++i)
      if (stamp_of(Bytes(bytes).subspan(i * kBlock, kBlock)) == cycle) return std::optional(block + i);
  }
  return std::optional<std::uint64_t>();
}

// The last block has the cycle, the first has not.
Result<std::uint64_t> XfsLog::search_cycle(std::uint32_t cycle) {
  std::uint64_t without = 0;
  std::uint64_t with = blocks_ - 1;
  while (without + 1 < with) {
    const std::uint64_t middle = without + (with - without) / 2;
    PVHGRUB_TRY_ASSIGN(const std::uint32_t found, cycle_of(middle));
    (found == cycle ? with : without) = middle;
  }
  return with;
}

Result<XfsLog::Header> XfsLog::read_header(std::uint64_t block) {
  std::array<std::byte, kBlock> bytes{};
  PVHGRUB_TRY(read(block, bytes));
  const XfsFields fields(bytes);
  Header header;
  const std::uint32_t version = fields.u32(8);
  if (fields.u32(0) != kMagic || (version & 3U) == 0 || (version & ~3U) != 0)
    return damaged("has no record where one should be", block);
  header.length = fields.u32(12);
  header.lsn = fields.u64(16);
  header.tail_block = fields.u32(28);
  header.checksum = fields.u32(32) == 0 ? 0 : fields.little32(32);
  header.operations = fields.u32(40);
  header.window = fields.u32(320);
  if (header.length > kMostRecordBytes || header.window > kMostRecordBytes)
    return damaged("has a record of more than 256 KiB", block);
  if ((version & 2U) != 0 && header.window > kStampedByHeader)
    header.header_blocks = (header.window + kStampedByHeader - 1) / kStampedByHeader;
  if (header.blocks() > blocks_) return damaged("has a record larger than itself", block);
  return header;
}

// The last record that begins before `block`, at most `most` blocks before it.
Result<std::optional<XfsLog::Found>> XfsLog::record_before(std::uint64_t block, std::uint64_t most) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(kReadBlocks) * kBlock);
  for (std::uint64_t back = 0; back < most;) {
    const std::uint64_t count = std::min({kReadBlocks, most - back, blocks_});
    const std::uint64_t first = wrap(block + 2 * blocks_ - back - count);
    PVHGRUB_TRY(read(first, std::span(bytes).first(static_cast<std::size_t>(count) * kBlock)));
    for (std::uint64_t i = count; i-- > 0;) {
      if (XfsFields(Bytes(bytes).subspan(static_cast<std::size_t>(i) * kBlock, kBlock)).u32(0) != kMagic)
        continue;
      PVHGRUB_TRY_ASSIGN(const Header header, read_header(wrap(first + i)));
      return std::optional(Found{wrap(first + i), header});
    }
    back += count;
  }
  return std::optional<Found>();
}

// Where the newest cycle's blocks end. Writes under way at the end of power may leave holes with the cycle of
// before: what lies behind the first of them counts as never written.
Result<std::uint64_t> XfsLog::find_stamped_end() {
  PVHGRUB_TRY_ASSIGN(const std::uint32_t first, cycle_of(0));
  PVHGRUB_TRY_ASSIGN(const std::uint32_t last, cycle_of(blocks_ - 1));
  std::uint64_t end = blocks_;
  std::uint32_t stale = last - 1;
  if (first != last) {
    PVHGRUB_TRY_ASSIGN(end, search_cycle(last));
    stale = last;
  }
  const std::uint64_t scan = std::min(blocks_, kScanBlocks);
  if (end < scan && last != 0) {  // around the ring's start; a log that was never full has nothing there
    PVHGRUB_TRY_ASSIGN(const auto hole, first_of_cycle(blocks_ - (scan - end), blocks_, stale - 1));
    if (hole) return *hole;
  }
  PVHGRUB_TRY_ASSIGN(const auto hole, first_of_cycle(end - std::min(end, scan), end, stale));
  return hole.value_or(end);
}

Result<bool> XfsLog::ends_with_unmount(const Found& last) {
  if (last.header.operations != 1 || wrap(last.block + last.header.blocks()) != head_) return false;
  std::array<std::byte, kBlock> bytes{};
  PVHGRUB_TRY(read(wrap(last.block + last.header.header_blocks), bytes));
  return (XfsFields(bytes).u8(9) & kUnmountOperation) != 0;
}

Result<void> XfsLog::find_head_and_tail() {
  if (blocks_ < 64) return damaged("is too small to be one", 0);
  PVHGRUB_TRY_ASSIGN(const std::uint32_t first, cycle_of(0));
  if (first == 0) return {};  // all zeros: never written
  PVHGRUB_TRY_ASSIGN(head_, find_stamped_end());
  PVHGRUB_TRY_ASSIGN(auto last, record_before(head_, std::min(blocks_, kScanBlocks)));
  if (!last) return damaged("has no record before its end", head_);
  // The end of a record, or the beginning of one that was not written as a whole.
  if (distance(last->block, wrap(head_)) % blocks_ != last->header.blocks() % blocks_) {
    head_ = last->block;
    PVHGRUB_TRY_ASSIGN(last, record_before(head_, blocks_));
    if (!last) return damaged("has no record before its end", head_);
  }
  head_ = wrap(head_);
  tail_ = last->header.tail_block;
  if (tail_ >= blocks_) return damaged("begins past its own end", last->block);
  PVHGRUB_TRY_ASSIGN(bool unmounted, ends_with_unmount(*last));
  if (!unmounted && tail_ != head_) {
    PVHGRUB_TRY(drop_torn_records(*last));
    PVHGRUB_TRY_ASSIGN(unmounted, ends_with_unmount(*last));
    if (!unmounted) PVHGRUB_TRY(drop_overwritten_tail(*last));
  }
  if (unmounted) tail_ = head_;
  return {};
}

Result<std::optional<std::uint64_t>> XfsLog::first_bad_record(std::uint64_t block) {
  while (block != head_) {
    PVHGRUB_TRY(budget_.charge_steps(1, "reading the log"));
    const auto header = read_header(block);
    if (!header && header.error().code != ErrorCode::kDamaged) return std::unexpected(header.error());
    if (!header || header->blocks() > distance(block, head_)) return std::optional(block);
    PVHGRUB_TRY_ASSIGN(const auto record, read_record(block, *header));
    if (!record) return std::optional(block);
    block = wrap(block + header->blocks());
  }
  return std::optional<std::uint64_t>();
}

// The last records may have been under way to the disk when it was copied or lost power.
Result<void> XfsLog::drop_torn_records(Found& last) {
  std::uint64_t from = last.block;
  for (std::uint64_t i = 1; i < kMostInFlight && from != tail_; ++i) {
    PVHGRUB_TRY_ASSIGN(const auto before, record_before(from, distance(tail_, from)));
    if (!before) break;
    from = before->block;
  }
  PVHGRUB_TRY_ASSIGN(const auto bad, first_bad_record(from));
  if (!bad) return {};
  PVHGRUB_TRY_ASSIGN(const auto sound, record_before(*bad, blocks_ - distance(*bad, head_)));
  if (!sound) return damaged("has no sound record", *bad);
  head_ = *bad;
  last = *sound;
  tail_ = last.header.tail_block;
  if (tail_ >= blocks_) return damaged("begins past its own end", last.block);
  return {};
}

// A record behind the new head may have been written over the oldest ones before it was torn: what they held
// is on the disk by then.
Result<void> XfsLog::drop_overwritten_tail(const Found& last) {
  const std::uint64_t reach = kMostInFlight * std::max(last.header.window, kStampedByHeader) / kBlock;
  for (std::uint64_t round = 0; round <= kScanBlocks; ++round) {
    PVHGRUB_TRY_ASSIGN(const auto bad, first_bad_record(tail_));
    if (!bad) return {};
    if (distance(head_, *bad) > reach) return damaged("has a record with a wrong checksum", *bad);
    std::uint64_t next = wrap(*bad + 1);
    for (std::array<std::byte, kBlock> bytes{}; next != head_; next = wrap(next + 1)) {
      PVHGRUB_TRY(read(next, bytes));
      if (XfsFields(bytes).u32(0) == kMagic) break;
    }
    tail_ = next;
  }
  return damaged("has no sound record at its beginning", tail_);
}

Result<std::optional<XfsLogRecord>> XfsLog::read_record(std::uint64_t block, const Header& header) {
  XfsLogRecord record{header.lsn, header.operations, {}};
  // A block that a recovery made to cover what lay there, or mkfs.xfs's first one, whose size it does not
  // tell.
  const std::uint64_t stamped = std::uint64_t{header.header_blocks} * kStampedByHeader;
  if (header.length == 0 || (header.length > stamped && header.operations == 1)) {
    record.operations = 0;
    return std::optional(std::move(record));
  }
  if (header.length > stamped) return std::optional<XfsLogRecord>();
  std::vector<std::byte> bytes(static_cast<std::size_t>(header.blocks()) * kBlock);
  PVHGRUB_TRY(read(block, bytes));
  const XfsFields fields(bytes);
  if (header.checksum != 0 && !checksum_holds(bytes, header.header_blocks, header.length, header.checksum))
    return std::optional<XfsLogRecord>();
  if (fields.u32(300) != kLinuxLittleEndian)
    return fail(ErrorCode::kUnsupported,
                "the log waits for replay and was written on a machine of another byte order; mount the file "
                "system there once");
  if (as_text(fields.run(304, 16)) != as_text(Bytes(uuid_)))
    return damaged("belongs to another file system", block);
  // The first four bytes of each block were put aside for the stamps.
  const auto data = std::span(bytes).subspan(std::size_t{header.header_blocks} * kBlock);
  for (std::size_t i = 0; i * kBlock < data.size(); ++i) {
    const std::size_t place = i < kStampsByBlock
                                  ? kStamps + 4 * i
                                  : i / kStampsByBlock * kBlock + kFurtherStamps + 4 * (i % kStampsByBlock);
    std::ranges::copy(fields.run(place, 4), data.begin() + static_cast<std::ptrdiff_t>(i * kBlock));
  }
  const auto whole = data.first(header.length);
  record.data.assign(whole.begin(), whole.end());
  return std::optional(std::move(record));
}

Result<XfsLog> XfsLog::open(BlockSource& source, Budget& budget, const XfsSuperblock& superblock) {
  XfsLog log(source, budget, superblock);
  PVHGRUB_TRY(log.find_head_and_tail());
  return log;
}

Result<void> XfsLog::for_each_record(const Take& take) {
  for (std::uint64_t block = tail_; block != head_;) {
    PVHGRUB_TRY(budget_.charge_steps(1, "replaying the log"));
    PVHGRUB_TRY_ASSIGN(const Header header, read_header(block));
    PVHGRUB_TRY_ASSIGN(const auto record, read_record(block, header));
    if (!record || header.blocks() > distance(block, head_))
      return damaged("has a record with a wrong checksum", block);
    PVHGRUB_TRY(take(*record));
    block = wrap(block + header.blocks());
  }
  return {};
}

}  // namespace pvhgrub::fs
