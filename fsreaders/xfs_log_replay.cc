// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: "XFS Algorithms & Data Structures", "Log Items". The rules of what is replayed over what are those
// of the same book's "Delayed Logging" and "Log Recovery" and of the kernel.
#include "fsreaders/xfs_log_replay.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "fsreaders/xfs_fields.h"
#include "fsreaders/xfs_log_inode.h"
#include "fsreaders/xfs_log_transactions.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kChunk = 128;  // bytes: a buffer's map has a bit for each
// Flags of a buffer item; what the buffer holds is in the upper five bits.
constexpr std::uint16_t kInodeBuffer = 1U << 0U;
constexpr std::uint16_t kCancel = 1U << 1U;
constexpr unsigned kTypeShift = 11;
enum BufferType : std::uint8_t {
  kUnknown = 0,
  kTree = 4,
  kInodes = 8,
  kLink = 9,
  kDirectoryBlock = 10,
  kDirectoryData = 11,
  kSuperblock = 18,
};
// Flags of a mapping intent
constexpr std::uint32_t kMap = 1;
constexpr std::uint32_t kUnmap = 2;
constexpr std::uint32_t kTypeMask = 0xff;
constexpr std::uint32_t kAttributeFork = 1U << 31U;
constexpr std::uint32_t kUnwritten = 1U << 30U;
constexpr std::uint32_t kRealtime = 1U << 29U;

std::unexpected<Error> damaged(std::string_view what, std::uint64_t offset) {
  return fail(
      ErrorCode::kDamaged,
      "the log holds " + std::string(what) + "; mount the file system in the guest, or run xfs_repair on it",
      "file system byte " + std::to_string(offset));
}

// What a buffer item says of itself.
struct BufferFormat {
  std::uint16_t flags = 0;
  std::uint32_t blocks = 0;  // of 512 bytes
  std::uint64_t block = 0;
  std::uint32_t map_words = 0;

  explicit BufferFormat(Bytes format) {
    const XfsFields fields(format);
    flags = fields.little16(4);
    blocks = fields.little16(6);
    block = fields.little64(8);
    map_words = fields.little32(16);
  }
  [[nodiscard]] bool cancels() const { return (flags & kCancel) != 0; }
  // Whether a reader of files looks at such blocks. Buffers of inodes carry nothing but the list of unlinked
  // ones, unless they were made by a version 4 file system.
  [[nodiscard]] bool matters() const {
    if ((flags & (kInodeBuffer | kCancel)) != 0) return false;
    switch (flags >> kTypeShift) {
      case kUnknown:
      case kTree:
      case kInodes:
      case kLink:
      case kDirectoryBlock:
      case kDirectoryData:
      case kSuperblock:
        return true;
      default:
        return false;
    }
  }
};

class Replayer {
 public:
  Replayer(XfsLog& log, XfsOverlay& overlay, Budget& budget, XfsSuperblock& superblock)
      : log_(log), overlay_(overlay), budget_(budget), superblock_(superblock) {}

  Result<XfsReplay> run() {
    PVHGRUB_TRY(pass([](const XfsLogItem&, std::size_t) { return false; },
                     [this](const XfsLogTransaction& each) { return collect_cancelled(each); }));
    PVHGRUB_TRY(pass([](const XfsLogItem& item, std::size_t index) { return is_needed(item, index); },
                     [this](const XfsLogTransaction& each) { return apply(each); }));
    return std::move(replay_);
  }

 private:
  using Place = std::pair<std::uint64_t, std::uint32_t>;  // of a buffer: block and length, of 512 bytes

  Result<void> pass(XfsLogTransactions::Keep keep, XfsLogTransactions::Commit commit) {
    XfsLogTransactions transactions(budget_, std::move(keep), std::move(commit));
    return log_.for_each_record([&](const XfsLogRecord& record) { return transactions.take(record); });
  }

  static bool is_needed(const XfsLogItem& item, std::size_t index) {
    if (item.is(XfsLogType::kBuffer)) return BufferFormat(item.format()).matters();
    if (!item.is(XfsLogType::kInode)) return false;
    const auto format = XfsLogInodeFormat::parse(item.format());
    return index == 1 || (index == 2 && format && format->has_data_fork());
  }

  // Buffers that are freed later on must not be replayed: their blocks may hold something else by now.
  Result<void> collect_cancelled(const XfsLogTransaction& transaction) {
    for (const XfsLogItem& item : transaction.items) {
      PVHGRUB_TRY(budget_.charge_steps(1, "replaying the log"));
      if (!item.is(XfsLogType::kBuffer)) continue;
      if (const BufferFormat format(item.format()); format.cancels())
        ++cancelled_[{format.block, format.blocks}];
    }
    return {};
  }

  [[nodiscard]] bool is_cancelled(std::uint64_t block, std::uint32_t blocks) const {
    return cancelled_.contains({block, blocks});
  }

  // Within one transaction buffers and new inodes come first, then what changes inodes; what it frees counts
  // from its end on.
  Result<void> apply(const XfsLogTransaction& transaction) {
    ++replay_.transactions;
    PVHGRUB_TRY(budget_.charge_steps(3 * transaction.items.size(), "replaying the log"));
    for (const XfsLogItem& item : transaction.items) {
      if (item.is(XfsLogType::kBuffer)) PVHGRUB_TRY(apply_buffer(item, transaction.lsn));
      if (item.is(XfsLogType::kInodeCreate)) PVHGRUB_TRY(apply_inode_create(item));
    }
    for (const XfsLogItem& item : transaction.items) {
      if (item.is(XfsLogType::kInode)) PVHGRUB_TRY(apply_inode(item, transaction.lsn));
      PVHGRUB_TRY(note_intent(item));
    }
    for (const XfsLogItem& item : transaction.items) {
      if (!item.is(XfsLogType::kBuffer)) continue;
      const BufferFormat format(item.format());
      if (!format.cancels()) continue;
      const auto found = cancelled_.find({format.block, format.blocks});
      if (found != cancelled_.end() && --found->second == 0) cancelled_.erase(found);
    }
    return {};
  }

  Result<void> apply_buffer(const XfsLogItem& item, std::uint64_t lsn) {
    const BufferFormat format(item.format());
    if (!format.matters() || is_cancelled(format.block, format.blocks)) return {};
    const std::uint64_t length = format.blocks * kXfsBasicBlock;
    if (format.block > overlay_.size() / kXfsBasicBlock ||
        !range_inside<std::uint64_t>(format.block * kXfsBasicBlock, length, overlay_.size()))
      return damaged("a change outside of the file system", format.block * kXfsBasicBlock);
    const std::uint64_t offset = format.block * kXfsBasicBlock;
    if (item.format().size() < 20 + std::uint64_t{format.map_words} * 4)
      return damaged("a change that does not say of what", offset);
    if (!may_be_read(item, format)) return {};
    if (superblock_.checksums) {
      PVHGRUB_TRY_ASSIGN(const std::uint64_t written, written_lsn(offset, length));
      if (written != 0 && written != ~std::uint64_t{0} && written >= lsn) return {};
    }
    PVHGRUB_TRY(copy_chunks(item, format, offset, length));
    return offset == 0 ? read_superblock_anew() : Result<void>();
  }

  // What follows may lie in groups that the file system has grown by.
  Result<void> read_superblock_anew() {
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(std::min<std::uint64_t>(kXfsSuperblockBytes, overlay_.size())));
    PVHGRUB_TRY(overlay_.read_at(0, bytes));
    PVHGRUB_TRY_ASSIGN(XfsSuperblock fresh, parse_xfs_superblock(bytes, overlay_.size(), true));
    if (fresh.block_size != superblock_.block_size || fresh.inode_size != superblock_.inode_size ||
        fresh.checksums != superblock_.checksums)
      return damaged("another file system's superblock", 0);
    superblock_ = std::move(fresh);
    return {};
  }

  // Each run of bits in the map belongs to one region, or to several where the region is shorter.
  Result<void> copy_chunks(const XfsLogItem& item, const BufferFormat& format, std::uint64_t offset,
                           std::uint64_t length) {
    const auto is_set = [map = XfsFields(item.format())](std::size_t bit) {
      return (map.little32(20 + bit / 32 * 4) >> (bit % 32) & 1U) != 0;
    };
    const std::size_t bits = std::size_t{format.map_words} * 32;
    std::size_t bit = 0;
    for (std::size_t index = 1; index < item.regions.size(); ++index) {
      while (bit < bits && !is_set(bit)) ++bit;
      std::size_t count = 0;
      while (bit + count < bits && is_set(bit + count)) ++count;
      count = std::min(count, item.regions[index].size() / kChunk);
      if (count == 0 || (bit + count) * kChunk > length)
        return damaged("a change that does not fit its block", offset);
      PVHGRUB_TRY(overlay_.write(offset + bit * kChunk, Bytes(item.regions[index]).first(count * kChunk)));
      bit += count;
    }
    return {};
  }

  // Trees of free space, of inodes, of owners are logged as trees of extents are; only those are read.
  [[nodiscard]] static bool may_be_read(const XfsLogItem& item, const BufferFormat& format) {
    if (format.flags >> kTypeShift != kTree || item.regions.size() < 2) return true;
    if ((XfsFields(item.format()).little32(20) & 1U) == 0) return true;  // not its beginning
    const std::uint32_t magic = XfsFields(item.regions[1]).u32(0);
    return magic == 0x424d4150 || magic == 0x424d4133;  // "BMAP", "BMA3"
  }

  // The log sequence number with which a block was written last; 0 for one that does not tell.
  Result<std::uint64_t> written_lsn(std::uint64_t offset, std::uint64_t length) {
    struct Kind {
      std::uint32_t magic;
      std::size_t lsn;
      std::size_t uuid;
    };
    static constexpr std::array kKinds = {
        Kind{0x424d4133, 32, 40},   // "BMA3", a tree of extents
        Kind{0x58444233, 16, 24},   // "XDB3", a directory's only block
        Kind{0x58444433, 16, 24},   // "XDD3", one of several
        Kind{0x58534c4d, 48, 16},   // "XSLM", a link's target
        Kind{0x58465342, 240, 32},  // "XFSB", whose own uuid is the user's
    };
    std::array<std::byte, kXfsBasicBlock> bytes{};
    if (length < bytes.size()) return std::uint64_t{0};
    PVHGRUB_TRY(overlay_.read_at(offset, bytes));
    const XfsFields fields(bytes);
    const auto* kind = std::ranges::find(kKinds, fields.u32(0), &Kind::magic);
    if (kind == kKinds.end()) return std::uint64_t{0};
    const auto& uuid = kind->lsn == 240 ? superblock_.user_uuid : superblock_.metadata_uuid;
    return std::ranges::equal(fields.run(kind->uuid, 16), uuid) ? fields.u64(kind->lsn) : 0;
  }

  // New inodes, of which the log has only how many, and where; their contents follow as changes.
  Result<void> apply_inode_create(const XfsLogItem& item) {
    const XfsFields fields(item.format());
    const std::uint64_t first =
        (std::uint64_t{fields.u32(4)} << superblock_.group_block_bits) | fields.u32(8);
    const std::uint32_t count = fields.u32(12);
    const std::uint32_t length = fields.u32(20);
    const auto offset = superblock_.offset_of_block(first, length);
    if (!superblock_.checksums || item.format().size() < 28 || !offset ||
        fields.u32(16) != superblock_.inode_size ||
        std::uint64_t{count} * superblock_.inode_size != std::uint64_t{length} * superblock_.block_size ||
        count > 65536)
      return damaged("new inodes that do not fit the file system", offset.value_or(0));
    const std::uint64_t begin = *offset / kXfsBasicBlock;
    const std::uint64_t end = begin + std::uint64_t{length} * superblock_.block_size / kXfsBasicBlock;
    const auto freed = cancelled_.lower_bound({begin, 0});
    if (freed != cancelled_.end() && freed->first.first < end) return {};
    PVHGRUB_TRY(budget_.charge_steps(count, "replaying the log"));
    for (std::uint32_t i = 0; i < count; ++i)
      PVHGRUB_TRY(overlay_.write(*offset + std::uint64_t{i} * superblock_.inode_size,
                                 free_inode((first << superblock_.inodes_per_block_bits) + i)));
    return {};
  }

  // What the kernel writes for one; its forks are behind and mean nothing yet.
  [[nodiscard]] std::array<std::byte, XfsOverlay::kSector> free_inode(std::uint64_t number) const {
    std::array<std::byte, XfsOverlay::kSector> inode{};
    inode[0] = std::byte{'I'};
    inode[1] = std::byte{'N'};
    inode[4] = std::byte{3};
    for (std::size_t i = 0; i < 8; ++i)
      inode[152 + i] = static_cast<std::byte>((number >> (56 - 8 * i)) & 0xffU);
    std::ranges::copy(superblock_.metadata_uuid, inode.begin() + 160);
    return inode;
  }

  Result<void> apply_inode(const XfsLogItem& item, std::uint64_t lsn) {
    PVHGRUB_TRY_ASSIGN(const XfsLogInodeFormat format, XfsLogInodeFormat::parse(item.format()));
    if (is_cancelled(format.buffer, format.buffer_blocks)) return {};
    if (format.moves_tree()) replay_.moved_trees.insert(format.number);
    return replay_xfs_inode(item, format, lsn, superblock_, overlay_);
  }

  Result<void> note_intent(const XfsLogItem& item) {
    const XfsFields fields(item.format());
    const std::uint64_t id = fields.little64(8);
    if (item.is(XfsLogType::kMapIntent)) {
      const std::uint32_t flags = fields.little32(44);
      const std::uint32_t kind = flags & kTypeMask;
      if ((flags & (kAttributeFork | kRealtime)) != 0 || (kind != kMap && kind != kUnmap)) return {};
      replay_.pending_mappings.push_back({id, fields.little64(16), fields.little64(32), fields.little64(24),
                                          fields.little32(40), kind == kMap, (flags & kUnwritten) != 0});
    } else if (item.is(XfsLogType::kMapDone)) {
      return forget_last(replay_.pending_mappings, &XfsPendingMapping::intent, id);
    } else if (item.is(XfsLogType::kExchangeIntent)) {
      replay_.unfinished_exchanges.push_back({id, fields.little64(16), fields.little64(24)});
    } else if (item.is(XfsLogType::kExchangeDone)) {
      return forget_last(replay_.unfinished_exchanges, &XfsReplay::Exchange::intent, id);
    }
    return {};
  }

  // Ends follow soon on beginnings, so the one that is looked for is near the end.
  template <typename T>
  Result<void> forget_last(std::vector<T>& pending, std::uint64_t T::* intent, std::uint64_t id) {
    const auto found = std::ranges::find(pending.rbegin(), pending.rend(), id, intent);
    PVHGRUB_TRY(
        budget_.charge_steps(static_cast<std::uint64_t>(found - pending.rbegin()), "replaying the log"));
    if (found != pending.rend()) pending.erase(std::next(found).base());
    return {};
  }

  XfsLog& log_;
  XfsOverlay& overlay_;
  Budget& budget_;
  XfsSuperblock& superblock_;
  std::map<Place, std::uint32_t> cancelled_;  // how often each is freed in what is still to be replayed
  XfsReplay replay_;
};

}  // namespace

Result<XfsReplay> replay_xfs_log(XfsLog& log, XfsOverlay& overlay, Budget& budget,
                                 XfsSuperblock& superblock) {
  return Replayer(log, overlay, budget, superblock).run();
}

}  // namespace pvhgrub::fs
