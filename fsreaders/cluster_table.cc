// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/cluster_table.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::fs {

namespace {

// Bytes of the table that are read at once, and how many such pieces are kept: a file of 100 MiB in clusters
// of 4 KiB needs 25 of them in FAT32, and two fragmented files in turn find theirs again.
constexpr std::uint64_t kPieceBytes = 4096;
constexpr std::size_t kCachedPieces = 64;
// Bytes of a directory that are read at once.
constexpr std::uint64_t kDirectoryPieceBytes = 16 * limits::kKiB;

constexpr std::string_view kRemedy = "; check the file system in the guest (fsck.fat, fsck.exfat)";

struct Width {
  unsigned bits;        // of an entry
  std::uint32_t bad;    // "bad cluster"; what is larger ends a chain
  std::uint32_t mask;   // of the bits that count
  std::uint32_t bytes;  // that are read of an entry
};

// fatgen103, "FAT Data Structure": the upper four bits of a FAT32 entry are reserved. exFAT specification,
// section 4.1.3.
Width width_of(ClusterLayout::Kind kind) {
  switch (kind) {
    case ClusterLayout::Kind::kFat12:
      return {12, 0xFF7, 0xFFF, 2};
    case ClusterLayout::Kind::kFat16:
      return {16, 0xFFF7, 0xFFFF, 2};
    case ClusterLayout::Kind::kFat32:
      return {32, 0x0FFF'FFF7, 0x0FFF'FFFF, 4};
    case ClusterLayout::Kind::kExfat:
      break;
  }
  return {32, 0xFFFF'FFF7, 0xFFFF'FFFF, 4};
}

std::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::kDamaged, what + std::string(kRemedy));
}

void append(BlockRuns& runs, std::uint32_t block, std::uint32_t logical) {
  if (!runs.empty() && runs.back().physical + runs.back().count == block)
    ++runs.back().count;
  else
    runs.push_back({logical, 1, block});
}

// Whether a block comes twice: a chain that leads in a circle. Sorts in place, since a file may have millions
// of runs, and back.
bool has_overlap(BlockRuns& runs) {
  std::ranges::sort(runs, {}, &BlockRun::physical);
  const auto overlapping = std::ranges::adjacent_find(
      runs, [](const BlockRun& a, const BlockRun& b) { return a.physical + a.count > b.physical; });
  const bool found = overlapping != runs.end();
  std::ranges::sort(runs, {}, &BlockRun::logical);
  return found;
}

}  // namespace

ClusterTable::ClusterTable(BlockSource& source, Budget& budget, const ClusterLayout& layout)
    : source_(source), budget_(budget), layout_(layout), cache_(kCachedPieces) {}

Result<std::byte> ClusterTable::table_byte(std::uint64_t index) {
  const std::uint64_t piece = index / kPieceBytes;
  CachedPiece& cached = cache_[static_cast<std::size_t>(piece % kCachedPieces)];
  if (cached.number != piece + 1) {
    const std::uint64_t offset = layout_.table_offset + piece * kPieceBytes;
    if (offset >= source_.size() || index % kPieceBytes >= source_.size() - offset)
      return damaged("the allocation table goes on behind the end of the device");
    PVHGRUB_TRY(budget_.charge_bytes(kPieceBytes, "reading an allocation table"));
    cached.number = 0;
    cached.bytes.resize(static_cast<std::size_t>(std::min(kPieceBytes, source_.size() - offset)));
    PVHGRUB_TRY(source_.read_at(offset, cached.bytes));
    cached.number = piece + 1;
  }
  const auto place = static_cast<std::size_t>(index % kPieceBytes);
  if (place >= cached.bytes.size())
    return damaged("the allocation table goes on behind the end of the device");
  return cached.bytes[place];
}

Result<std::uint32_t> ClusterTable::entry(std::uint32_t cluster) {
  const Width width = width_of(layout_.kind);
  const std::uint64_t start = std::uint64_t{cluster} * width.bits / 8;
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < width.bytes; ++i) {
    PVHGRUB_TRY_ASSIGN(const std::byte byte, table_byte(start + i));
    value |= std::to_integer<std::uint32_t>(byte) << (8 * i);
  }
  // Two entries of 12 bits share three bytes.
  if (width.bits == 12 && cluster % 2 != 0) value >>= 4U;
  return value & width.mask;
}

Result<std::optional<std::uint32_t>> ClusterTable::next(std::uint32_t cluster) {
  PVHGRUB_TRY(budget_.charge_steps(1, "following a chain of clusters"));
  PVHGRUB_TRY_ASSIGN(const std::uint32_t value, entry(cluster));
  if (value > width_of(layout_.kind).bad) return std::optional<std::uint32_t>();
  if (!is_cluster(value))
    return damaged("behind cluster " + std::to_string(cluster) + " of a chain stands " +
                   std::to_string(value) + ", which is no cluster of data (2 to " +
                   std::to_string(std::uint64_t{layout_.cluster_count} + 1) + ")");
  return std::optional(value);
}

Result<std::uint64_t> ClusterTable::offset_of(std::uint32_t cluster) const {
  if (!is_cluster(cluster))
    return damaged("cluster " + std::to_string(cluster) + " is no cluster of data (2 to " +
                   std::to_string(std::uint64_t{layout_.cluster_count} + 1) + ")");
  const std::uint64_t offset =
      layout_.data_offset + std::uint64_t{cluster - kFirstCluster} * layout_.cluster_size;
  if (!range_inside<std::uint64_t>(offset, layout_.cluster_size, source_.size()))
    return damaged("cluster " + std::to_string(cluster) + " lies behind the end of the device");
  return offset;
}

Result<BlockRuns> ClusterTable::chain(std::uint32_t first, std::uint64_t count) {
  if (count > layout_.cluster_count)
    return damaged(std::to_string(count) + " clusters are said to be in use, of " +
                   std::to_string(layout_.cluster_count));
  BlockRuns runs;
  std::uint32_t cluster = first;
  for (std::uint32_t i = 0; i < count; ++i) {
    PVHGRUB_TRY(offset_of(cluster));
    append(runs, cluster - kFirstCluster, i);
    if (runs.size() > limits::kFileRuns)
      return fail(ErrorCode::kLimit,
                  "a file in more than " + std::to_string(limits::kFileRuns) + " fragments");
    if (i + 1 == count) break;
    PVHGRUB_TRY_ASSIGN(const std::optional<std::uint32_t> following, next(cluster));
    if (!following)
      return damaged("a chain ends after " + std::to_string(i + 1) + " of " + std::to_string(count) +
                     " clusters, at cluster " + std::to_string(cluster));
    cluster = *following;
  }
  if (has_overlap(runs))
    return damaged("the chain from cluster " + std::to_string(first) + " leads in a circle");
  return runs;
}

Result<BlockRuns> ClusterTable::contiguous(std::uint32_t first, std::uint64_t count) const {
  if (count == 0) return BlockRuns{};
  if (!is_cluster(first) || count > layout_.cluster_count - (first - kFirstCluster))
    return damaged(std::to_string(count) + " clusters from " + std::to_string(first) +
                   " on are more than the " + std::to_string(layout_.cluster_count) + " that there are");
  const auto blocks = static_cast<std::uint32_t>(count);
  PVHGRUB_TRY(offset_of(first + (blocks - 1)));
  return BlockRuns{{0, blocks, first - kFirstCluster}};
}

Result<ClusterStream> ClusterStream::of_chain(ClusterTable& table, std::uint32_t first) {
  ClusterStream stream(table);
  PVHGRUB_TRY_ASSIGN(stream.offset_, table.offset_of(first));
  stream.cluster_ = first;
  stream.mark_ = first;
  stream.left_ = table.layout().cluster_size;
  return stream;
}

ClusterStream ClusterStream::of_region(ClusterTable& table, std::uint64_t offset, std::uint64_t length) {
  ClusterStream stream(table);
  stream.offset_ = offset;
  stream.left_ = length;
  return stream;
}

Result<Bytes> ClusterStream::next() {
  if (left_ == 0) {
    if (cluster_ == 0) return Bytes{};
    PVHGRUB_TRY_ASSIGN(const std::optional<std::uint32_t> following, table_->next(cluster_));
    if (!following) {
      cluster_ = 0;
      return Bytes{};
    }
    PVHGRUB_TRY_ASSIGN(offset_, table_->offset_of(*following));
    cluster_ = *following;
    if (cluster_ == mark_)
      return damaged("the chain of a directory leads in a circle, to cluster " + std::to_string(cluster_));
    if (++since_mark_ == next_mark_) {
      mark_ = cluster_;
      since_mark_ = 0;
      next_mark_ *= 2;
    }
    left_ = table_->layout().cluster_size;
  }
  const std::uint64_t length = std::min(left_, kDirectoryPieceBytes);
  PVHGRUB_TRY(table_->budget().charge_bytes(length, "reading a directory"));
  piece_.resize(static_cast<std::size_t>(length));
  PVHGRUB_TRY(table_->source().read_at(offset_, piece_));
  piece_offset_ = offset_;
  offset_ += length;
  left_ -= length;
  return Bytes(piece_);
}

}  // namespace pvhgrub::fs
