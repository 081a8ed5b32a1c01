// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "fsreaders/block_run.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// A journal as the file that it is: its blocks by number, wherever they lie in the file system.
class JournalFile {
 public:
  /// `source` holds the file system and outlives this. `block_size` in bytes, `blocks` the file's length in
  /// blocks.
  JournalFile(BlockSource& source, std::uint32_t block_size, std::uint64_t blocks, BlockRuns runs)
      : source_(&source), block_size_(block_size), blocks_(blocks), runs_(std::move(runs)) {}

  [[nodiscard]] std::uint32_t block_size() const { return block_size_; }
  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }
  /// Blocks of the file system's size that the source has room for.
  [[nodiscard]] std::uint64_t source_blocks() const { return source_->size() / block_size_; }

  /// Byte offset in the source of block `index`; kDamaged for a hole or past the end.
  [[nodiscard]] Result<std::uint64_t> offset_of(std::uint64_t index) const;

  /// Fills `block` (block_size() bytes or fewer) from the start of block `index`.
  [[nodiscard]] Result<void> read(std::uint64_t index, std::span<std::byte> block) const;

  /// Reads bytes of the source, wherever they lie.
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const {
    return source_->read_at(offset, out);
  }

 private:
  BlockSource* source_;
  std::uint32_t block_size_;
  std::uint64_t blocks_;
  BlockRuns runs_;
};

}  // namespace pvhgrub::fs
