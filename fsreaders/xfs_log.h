// SPDX-License-Identifier: LGPL-2.1-or-later
// The log of an XFS file system: a ring of blocks of 512 bytes, each stamped with the number of the turn
// (cycle) in which it was written. Layout: "XFS Algorithms & Data Structures", "Journaling Log".
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/xfs_superblock.h"

namespace pvhgrub::fs {

/// One record: a piece of the stream of operations, as it was before it was stamped.
struct XfsLogRecord {
  std::uint64_t lsn = 0;         ///< log sequence number: cycle in the upper 32 bits, block in the lower
  std::uint32_t operations = 0;  ///< that begin in it
  std::vector<std::byte> data;
};

class XfsLog {
 public:
  /// Finds where the log begins and ends, as the kernel does. The superblock has an internal log. `source`
  /// and `budget` outlive the result. kDamaged: no log; kUnsupported: one that waits for replay and was
  /// written on a machine of another byte order.
  [[nodiscard]] static Result<XfsLog> open(BlockSource& source, Budget& budget,
                                           const XfsSuperblock& superblock);

  /// Nothing waits for replay: the file system was unmounted.
  [[nodiscard]] bool clean() const { return head_ == tail_; }

  using Take = std::function<Result<void>(const XfsLogRecord& record)>;
  /// Each record that waits for replay, the oldest first.
  [[nodiscard]] Result<void> for_each_record(const Take& take);

 private:
  struct Header {
    std::uint32_t header_blocks = 1;
    std::uint32_t length = 0;  ///< bytes behind the header's blocks
    std::uint32_t operations = 0;
    std::uint32_t checksum = 0;
    std::uint32_t window = 0;  ///< bytes of the largest record of this mount
    std::uint64_t lsn = 0;
    std::uint64_t tail_block = 0;
    [[nodiscard]] std::uint64_t blocks() const;
  };
  struct Found {
    std::uint64_t block = 0;
    Header header;
  };

  XfsLog(BlockSource& source, Budget& budget, const XfsSuperblock& superblock);
  [[nodiscard]] std::unexpected<Error> damaged(std::string_view what, std::uint64_t block) const;
  [[nodiscard]] std::uint64_t wrap(std::uint64_t block) const { return block % blocks_; }
  /// Blocks from `from` on to `to`, around the end.
  [[nodiscard]] std::uint64_t distance(std::uint64_t from, std::uint64_t to) const;

  [[nodiscard]] Result<void> read(std::uint64_t block, std::span<std::byte> out);
  [[nodiscard]] Result<std::uint32_t> cycle_of(std::uint64_t block);
  [[nodiscard]] Result<std::optional<std::uint64_t>> first_of_cycle(std::uint64_t begin, std::uint64_t end,
                                                                    std::uint32_t cycle);
  [[nodiscard]] Result<std::uint64_t> search_cycle(std::uint32_t cycle);
  [[nodiscard]] Result<std::optional<Found>> record_before(std::uint64_t block, std::uint64_t most);
  [[nodiscard]] Result<std::uint64_t> find_stamped_end();
  [[nodiscard]] Result<void> find_head_and_tail();
  [[nodiscard]] Result<bool> ends_with_unmount(const Found& last);
  [[nodiscard]] Result<void> drop_torn_records(Found& last);
  [[nodiscard]] Result<void> drop_overwritten_tail(const Found& last);

  [[nodiscard]] Result<Header> read_header(std::uint64_t block);
  /// The record of `header` at `block`; nothing where its checksum is wrong.
  [[nodiscard]] Result<std::optional<XfsLogRecord>> read_record(std::uint64_t block, const Header& header);
  /// The first record from `block` on that is not sound, or nothing.
  [[nodiscard]] Result<std::optional<std::uint64_t>> first_bad_record(std::uint64_t block);

  BlockSource& source_;
  Budget& budget_;
  std::array<std::byte, 16> uuid_;
  std::uint64_t start_;   // bytes from the source's start
  std::uint64_t blocks_;  // of 512 bytes
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
};

}  // namespace pvhgrub::fs
