// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of an ext file system as they are after journal replay.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"
#include "fsreaders/journal_overlay.h"

namespace pvhgrub::fs {

class ExtVolume final : public BlockSource {
 public:
  /// `source` and `budget` outlive this. `block_size` in bytes.
  ExtVolume(BlockSource& source, Budget& budget, std::uint32_t block_size)
      : source_(source), budget_(budget), block_size_(block_size) {}

  [[nodiscard]] std::uint32_t block_size() const { return block_size_; }
  /// Whole blocks that the source has room for.
  [[nodiscard]] std::uint64_t blocks() const { return source_.size() / block_size_; }
  [[nodiscard]] Budget& budget() { return budget_; }
  [[nodiscard]] BlockSource& source() { return source_; }

  /// Why nothing may be overwritten in place, in words; empty where it may.
  [[nodiscard]] const std::string& overwriting_obstacle() const { return overwriting_obstacle_; }
  void set_overwriting_obstacle(std::string obstacle) { overwriting_obstacle_ = std::move(obstacle); }

  /// From now on, blocks that have a copy in the journal are read from there.
  void set_overlay(JournalOverlay overlay);

  [[nodiscard]] std::uint64_t size() const override { return source_.size(); }
  /// kDamaged past the end.
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;

  /// The same for metadata: charges the budget, and remembers the last blocks.
  [[nodiscard]] Result<void> read_metadata(std::uint64_t offset, std::span<std::byte> out);

  /// Bytes lie on the disk unchanged inside the journal, too. kUnsupported: an escaped copy, which does not.
  [[nodiscard]] Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<void> send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override;

 private:
  struct CachedBlock {
    std::uint64_t block = 0;
    std::vector<std::byte> bytes;
  };
  /// A part of a range: plain bytes of the source, or a part of a block that has a copy in the journal.
  struct Piece {
    std::uint64_t length = 0;  ///< bytes
    std::uint64_t within = 0;  ///< of a copy: bytes from the block's start
    std::optional<JournalOverlay::Copy> copy;
  };
  [[nodiscard]] Result<Piece> first_piece(std::uint64_t offset, std::uint64_t length) const;
  [[nodiscard]] Result<const std::vector<std::byte>*> cached_block(std::uint64_t block);
  [[nodiscard]] Result<void> check_inside(std::uint64_t offset, std::uint64_t length) const;
  /// The block that a copy holds, read and verified.
  [[nodiscard]] Result<std::vector<std::byte>> copied_block(const JournalOverlay::Copy& copy);
  [[nodiscard]] Result<void> send_copy(const Piece& piece, ContentSink& sink);

  BlockSource& source_;
  Budget& budget_;
  std::uint32_t block_size_;
  std::string overwriting_obstacle_;
  std::optional<JournalOverlay> overlay_;
  std::list<CachedBlock> cache_;  // the last used first
};

}  // namespace pvhgrub::fs
