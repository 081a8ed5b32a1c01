// SPDX-License-Identifier: LGPL-2.1-or-later
// The table that chains clusters, in which FAT12, FAT16, FAT32 and exFAT differ in little more than the width
// of an entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_run.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// The first cluster of all: entries 0 and 1 of the table stand for none.
inline constexpr std::uint32_t kFirstCluster = 2;

/// Where table and clusters lie. The boot sector's parser has checked that nothing overflows.
struct ClusterLayout {
  enum class Kind : std::uint8_t { kFat12, kFat16, kFat32, kExfat };
  Kind kind = Kind::kFat16;
  std::uint64_t table_offset = 0;   ///< bytes; of the table that counts, where there are several
  std::uint64_t data_offset = 0;    ///< bytes; where cluster 2 begins
  std::uint32_t cluster_size = 0;   ///< bytes
  std::uint32_t cluster_count = 0;  ///< clusters 2 to cluster_count + 1; the table has an entry for each
};

/// Reads chains. Errors name the cluster and are kDamaged: chkdsk or fsck.fat in the guest mends them.
class ClusterTable {
 public:
  /// Both outlive the table.
  ClusterTable(BlockSource& source, Budget& budget, const ClusterLayout& layout);

  [[nodiscard]] const ClusterLayout& layout() const { return layout_; }
  [[nodiscard]] BlockSource& source() const { return source_; }
  [[nodiscard]] Budget& budget() const { return budget_; }

  /// The cluster behind `cluster` in its chain; nothing at the chain's end.
  [[nodiscard]] Result<std::optional<std::uint32_t>> next(std::uint32_t cluster);
  /// Where a cluster's bytes begin in the source; all of them lie inside it.
  [[nodiscard]] Result<std::uint64_t> offset_of(std::uint32_t cluster) const;

  /// The first `count` clusters of a chain as runs of blocks of one cluster, block 0 at data_offset. No
  /// cluster comes twice.
  [[nodiscard]] Result<BlockRuns> chain(std::uint32_t first, std::uint64_t count);
  /// The same of clusters that follow on each other, as exFAT stores what is not fragmented.
  [[nodiscard]] Result<BlockRuns> contiguous(std::uint32_t first, std::uint64_t count) const;

 private:
  [[nodiscard]] Result<std::uint32_t> entry(std::uint32_t cluster);
  [[nodiscard]] Result<std::byte> table_byte(std::uint64_t index);
  [[nodiscard]] bool is_cluster(std::uint32_t cluster) const {
    return cluster >= kFirstCluster && cluster - kFirstCluster < layout_.cluster_count;
  }

  struct CachedPiece {
    std::uint64_t number = 0;  // of the piece in the table, plus 1; 0: empty
    std::vector<std::byte> bytes;
  };

  BlockSource& source_;
  Budget& budget_;
  ClusterLayout layout_;
  std::vector<CachedPiece> cache_;
};

/// Reads the bytes of a directory in order, piece after piece: it ends where its reader sees its end, which
/// may be long before its last cluster.
class ClusterStream {
 public:
  /// `table` outlives the stream.
  [[nodiscard]] static Result<ClusterStream> of_chain(ClusterTable& table, std::uint32_t first);
  /// A run of bytes, which lies inside the source.
  [[nodiscard]] static ClusterStream of_region(ClusterTable& table, std::uint64_t offset,
                                               std::uint64_t length);

  /// The next piece, a multiple of 512 bytes where it is of a chain; empty at the end. Lives until the next
  /// call.
  [[nodiscard]] Result<Bytes> next();
  /// Where the last piece began in the source, in bytes.
  [[nodiscard]] std::uint64_t offset() const { return piece_offset_; }

 private:
  explicit ClusterStream(ClusterTable& table) : table_(&table) {}

  ClusterTable* table_;
  std::uint32_t cluster_ = 0;  // 0: of a region
  // A cluster that must not come again, set anew after 1, 2, 4, ... clusters (R. P. Brent, 1980): so a chain
  // in a circle is found after at most three times its length.
  std::uint32_t mark_ = 0;
  std::uint64_t since_mark_ = 0;
  std::uint64_t next_mark_ = 1;
  std::uint64_t offset_ = 0;  // of the bytes that come next
  std::uint64_t left_ = 0;    // of this cluster, or of the region
  std::uint64_t piece_offset_ = 0;
  std::vector<std::byte> piece_;
};

}  // namespace pvhgrub::fs
