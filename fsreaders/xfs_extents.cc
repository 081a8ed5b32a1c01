// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: "XFS Algorithms & Data Structures", "Data Extents".
#include "fsreaders/xfs_extents.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint32_t kTreeMagic = 0x424d4150;   // "BMAP", version 4
constexpr std::uint32_t kTreeMagic3 = 0x424d4133;  // "BMA3", version 5
constexpr std::size_t kTreeHeaderBytes = 24;
constexpr std::size_t kTreeHeaderBytes3 = 72;
constexpr XfsHeaderPlaces kTreePlaces{.checksum = 64, .place = 24, .uuid = 40, .owner = 56};
constexpr std::size_t kRecordBytes = 16;
constexpr std::size_t kRootHeaderBytes = 4;
// A tree of the smallest blocks with more extents than kFileRuns has 7 levels.
constexpr unsigned kMostLevels = 12;

class RunCollector {
 public:
  RunCollector(XfsVolume& volume, const XfsInode& inode, std::uint64_t end)
      : volume_(volume), inode_(inode), end_(end) {}

  // Takes the extents in `records`, in the order of the file.
  Result<void> add_all(Bytes records) {
    PVHGRUB_TRY(volume_.budget().charge_steps(records.size() / kRecordBytes, "reading a file's extents"));
    for (; records.size() >= kRecordBytes; records = records.subspan(kRecordBytes)) {
      const XfsFields fields(records);
      PVHGRUB_TRY(add(fields.u64(0), fields.u64(8)));
    }
    return {};
  }

  [[nodiscard]] BlockRuns take() {
    runs_.shrink_to_fit();
    return std::move(runs_);
  }

 private:
  // One extent: a bit that it was never written, 54 of the first block in the file, 52 of its place, 21 of
  // its length.
  Result<void> add(std::uint64_t high, std::uint64_t low) {
    const bool unwritten = high >> 63U != 0;
    const std::uint64_t logical = (high >> 9U) & ((std::uint64_t{1} << 54U) - 1);
    const std::uint64_t place = ((high & 0x1ffU) << 43U) | (low >> 21U);
    std::uint64_t count = low & ((std::uint64_t{1} << 21U) - 1);
    if (count == 0 || logical < next_) return inode_.damaged("its extents are not in order");
    next_ = logical + count;
    const auto offset = volume_.superblock().offset_of_block(place, count);
    if (!offset) return inode_.damaged("an extent lies outside of the file system");
    if (unwritten || logical >= end_) return {};
    count = std::min(count, end_ - logical);
    if (logical + count > std::uint64_t{1} << 32U)
      return fail(ErrorCode::kLimit, "a file of more than 2^32 blocks",
                  "inode " + std::to_string(inode_.number));
    const BlockRun run{static_cast<std::uint32_t>(logical), static_cast<std::uint32_t>(count),
                       *offset / volume_.superblock().block_size};
    if (!runs_.empty() && runs_.back().logical_end() == logical &&
        runs_.back().physical + runs_.back().count == run.physical) {
      runs_.back().count += run.count;
      return {};
    }
    if (runs_.size() >= limits::kFileRuns)
      return fail(
          ErrorCode::kLimit,
          "a file in more than " + std::to_string(limits::kFileRuns) + " pieces; copy it anew in the guest",
          "inode " + std::to_string(inode_.number));
    runs_.push_back(run);
    return {};
  }

  XfsVolume& volume_;
  const XfsInode& inode_;
  std::uint64_t end_;
  std::uint64_t next_ = 0;  // block of the file that the next extent may begin at
  BlockRuns runs_;
};

class TreeReader {
 public:
  TreeReader(XfsVolume& volume, const XfsInode& inode, RunCollector& collector)
      : volume_(volume),
        inode_(inode),
        collector_(collector),
        header_(volume.superblock().checksums ? kTreeHeaderBytes3 : kTreeHeaderBytes) {}

  // Level by level, each from left to right.
  Result<void> read() {
    const XfsFields root(inode_.fork);
    const unsigned levels = root.u16(0);
    const std::size_t count = root.u16(2);
    const std::size_t room = (inode_.fork.size() - kRootHeaderBytes) / kRecordBytes;
    if (levels == 0 || levels > kMostLevels || count == 0 || count > room)
      return inode_.damaged("the root of its tree of extents is no such root");
    std::vector<std::uint64_t> blocks;
    blocks.reserve(count);
    for (std::size_t i = 0; i < count; ++i) blocks.push_back(root.u64(kRootHeaderBytes + 8 * room + 8 * i));
    for (unsigned level = levels; level-- > 0;) {
      std::vector<std::uint64_t> below;
      for (const std::uint64_t block : blocks) PVHGRUB_TRY(read_block(block, level, below));
      blocks = std::move(below);
    }
    return {};
  }

 private:
  Result<void> read_block(std::uint64_t number, unsigned level, std::vector<std::uint64_t>& below) {
    const auto offset = volume_.superblock().offset_of_block(number);
    if (!offset) return inode_.damaged("a block of its tree of extents lies outside of the file system");
    std::vector<std::byte> block(volume_.superblock().block_size);
    PVHGRUB_TRY(volume_.read_metadata(*offset, block));
    const XfsFields fields(block);
    const std::uint32_t magic = volume_.superblock().checksums ? kTreeMagic3 : kTreeMagic;
    const std::size_t room = (block.size() - header_) / kRecordBytes;
    const std::size_t count = fields.u16(6);
    if (fields.u32(0) != magic || fields.u16(4) != level || count == 0 || count > room)
      return XfsVolume::damaged_block("a block of a tree of extents", "is no such block", *offset);
    PVHGRUB_TRY(
        volume_.check_header(block, *offset, kTreePlaces, inode_.number, "a block of a tree of extents"));
    if (level == 0) return collector_.add_all(fields.run(header_, count * kRecordBytes));
    if (below.size() + count > limits::kFileRuns) return inode_.damaged("its tree of extents is too large");
    for (std::size_t i = 0; i < count; ++i) below.push_back(fields.u64(header_ + 8 * room + 8 * i));
    return {};
  }

  XfsVolume& volume_;
  const XfsInode& inode_;
  RunCollector& collector_;
  std::size_t header_;
};

}  // namespace

namespace {

// Takes blocks [begin, end) out of the runs.
void unmap(BlockRuns& runs, std::uint64_t begin, std::uint64_t end) {
  BlockRuns rest;
  rest.reserve(runs.size() + 1);
  for (const BlockRun& run : runs) {
    const std::uint64_t before = std::min(run.logical_end(), std::max<std::uint64_t>(begin, run.logical));
    const std::uint64_t after = std::max<std::uint64_t>(run.logical, std::min(end, run.logical_end()));
    if (before > run.logical)
      rest.push_back({run.logical, static_cast<std::uint32_t>(before - run.logical), run.physical});
    if (after < run.logical_end() && after >= before)
      rest.push_back({static_cast<std::uint32_t>(after),
                      static_cast<std::uint32_t>(run.logical_end() - after),
                      run.physical + (after - run.logical)});
  }
  runs = std::move(rest);
}

// What the kernel would still do to the mapping when it has replayed the log.
Result<void> finish_mappings(XfsVolume& volume, const XfsInode& inode, std::uint64_t end, BlockRuns& runs) {
  PVHGRUB_TRY(volume.budget().charge_steps(volume.replay().pending_mappings.size(), "replaying the log"));
  for (const XfsPendingMapping& pending : volume.replay().pending_mappings) {
    if (pending.inode != inode.number || pending.logical >= end || pending.count == 0) continue;
    PVHGRUB_TRY(volume.budget().charge_steps(runs.size(), "replaying the log"));
    const std::uint64_t stop = std::min(end, pending.logical + std::min<std::uint64_t>(pending.count, end));
    unmap(runs, pending.logical, stop);
    if (!pending.maps || pending.unwritten) continue;
    const auto offset = volume.superblock().offset_of_block(pending.place, pending.count);
    if (!offset || stop > std::uint64_t{1} << 32U)
      return inode.damaged("the log maps blocks outside of the file system");
    const BlockRun run{static_cast<std::uint32_t>(pending.logical),
                       static_cast<std::uint32_t>(stop - pending.logical),
                       *offset / volume.superblock().block_size};
    runs.insert(find_run(runs, pending.logical), run);
  }
  return {};
}

}  // namespace

Result<BlockRuns> read_xfs_runs(XfsVolume& volume, const XfsInode& inode, std::uint64_t end) {
  RunCollector collector(volume, inode, end);
  if (inode.format == XfsFork::kExtents) {
    if (inode.extents > inode.fork.size() / kRecordBytes)
      return inode.damaged("it has no room for as many extents");
    PVHGRUB_TRY(
        collector.add_all(Bytes(inode.fork).first(static_cast<std::size_t>(inode.extents) * kRecordBytes)));
  } else if (inode.format == XfsFork::kTree) {
    if (inode.fork.size() < kRootHeaderBytes) return inode.damaged("it has no room for a tree of extents");
    PVHGRUB_TRY(TreeReader(volume, inode, collector).read());
  } else {
    return inode.damaged("its contents are not in blocks");
  }
  BlockRuns runs = collector.take();
  PVHGRUB_TRY(finish_mappings(volume, inode, end, runs));
  return runs;
}

}  // namespace pvhgrub::fs
