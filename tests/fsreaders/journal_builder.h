// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes journals byte by byte, as the kernel documentation lays them out (filesystems/ext4, "Journal
// (jbd2)"): for tests. Its checksums are computed here, bit by bit, not by the code under test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fsreaders/journal_fast_commit.h"
#include "fsreaders/journal_file.h"
#include "fsreaders/journal_format.h"
#include "fsreaders/journal_log.h"
#include "fsreaders/journal_overlay.h"
#include "tests/fsreaders/memory_source.h"

namespace pvhgrub::fs::test {

/// CRC-32C, least significant bit first, without inversions.
inline std::uint32_t slow_crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
  }
  return crc;
}

/// CRC-32, most significant bit first, without inversions.
inline std::uint32_t slow_crc32_be(std::uint32_t crc, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte) << 24U;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1U) ^ ((crc & 0x80000000U) != 0 ? 0x04c11db7U : 0U);
  }
  return crc;
}

class JournalBuilder {
 public:
  static constexpr std::uint32_t kBlockSize = 1024;
  static constexpr std::uint32_t kDiskBlocks = 4096;
  static constexpr std::uint32_t kJournalAt = 100;  ///< disk block of the journal's block 0

  std::uint32_t journal_blocks = 64;
  std::uint32_t start = 1;
  std::uint32_t sequence = 10;
  JournalChecksum checksum = JournalChecksum::kNone;
  bool wide = false;
  bool async_commit = false;
  bool fast_commit = false;
  std::uint32_t fast_commit_blocks = 0;
  bool version_1 = false;
  std::uint64_t commit_seconds = 1000;
  /// Runs of the journal file; by default one, all of it at kJournalAt.
  BlockRuns runs;

  JournalBuilder() : bytes_(std::size_t{kDiskBlocks} * kBlockSize) {
    // What a disk block holds without the journal: its number's low byte.
    for (std::uint32_t block = 0; block < kDiskBlocks; ++block)
      std::ranges::fill(disk_block(block), static_cast<std::byte>(block));
  }

  std::span<std::byte> disk_block(std::uint64_t block) {
    return std::span(bytes_).subspan(static_cast<std::size_t>(block) * kBlockSize, kBlockSize);
  }
  std::span<std::byte> journal_block(std::uint32_t index) {
    if (runs.empty()) return disk_block(kJournalAt + index);
    const auto run = find_run(runs, index);
    return disk_block(run->physical + (index - run->logical));
  }
  /// The journal block that the next call writes.
  [[nodiscard]] std::uint32_t cursor() const { return cursor_ == 0 ? start : cursor_; }
  void set_cursor(std::uint32_t index) { cursor_ = index; }

  /// One descriptor block and the data blocks: {disk block, fill character}; 'M' is a block that begins with
  /// the journal's magic and so is escaped.
  void log(const std::vector<std::pair<std::uint64_t, char>>& blocks) {
    const std::span<std::byte> descriptor = next();
    header(descriptor, 1);
    std::size_t offset = 12;
    std::vector<std::span<std::byte>> data;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      data.push_back(next());
      std::ranges::fill(data.back(), static_cast<std::byte>(blocks[i].second));
      const bool escaped = blocks[i].second == 'M';
      if (escaped) put32(data.back(), 0, 0);
      const std::uint32_t flags =
          (escaped ? 1U : 0U) | (i > 0 ? 2U : 0U) | (i + 1 == blocks.size() ? 8U : 0U);
      offset = tag(descriptor, offset, blocks[i].first, flags, data.back());
    }
    tail(descriptor);
    if (checksum != JournalChecksum::kV1) return;
    crc_ = slow_crc32_be(crc_, descriptor);
    for (const auto block : data) crc_ = slow_crc32_be(crc_, block);
  }

  void revoke(const std::vector<std::uint64_t>& blocks) {
    const std::span<std::byte> block = next();
    header(block, 5);
    std::size_t offset = 16;
    for (const std::uint64_t number : blocks) {
      if (wide) {
        put32(block, offset, static_cast<std::uint32_t>(number >> 32U));
        offset += 4;
      }
      put32(block, offset, static_cast<std::uint32_t>(number));
      offset += 4;
    }
    put32(block, 12, static_cast<std::uint32_t>(offset));
    tail(block);
  }

  /// Ends the transaction.
  void commit() {
    const std::span<std::byte> block = next();
    header(block, 2);
    put32(block, 0x30, static_cast<std::uint32_t>(commit_seconds >> 32U));
    put32(block, 0x34, static_cast<std::uint32_t>(commit_seconds));
    if (checksum == JournalChecksum::kV1) {
      block[12] = std::byte{1};
      block[13] = std::byte{4};
      put32(block, 0x10, crc_);
    } else if (has_block_checksums()) {
      put32(block, 0x10, slow_crc32c(seed(), block));
    }
    ++sequence_;
    crc_ = ~std::uint32_t{0};
  }

  /// Bytes into the fast commit area, from its block `index` on.
  void fast_commit_bytes(std::uint32_t index, std::span<const std::byte> contents) {
    const std::uint32_t count = fast_commit_blocks == 0 ? 256 : fast_commit_blocks;
    const auto block = journal_block(journal_blocks - count + 1 + index);
    std::ranges::fill(block, std::byte{0});
    std::ranges::copy(contents, block.begin());
  }

  [[nodiscard]] std::uint32_t next_sequence() const { return sequence + sequence_; }

  /// The journal's superblock with what the fields say; called by source(), or before damage is done to it.
  std::vector<std::byte> superblock() {
    std::vector<std::byte> block(1024);
    put32(block, 0, kJournalMagic);
    put32(block, 4, version_1 ? 3 : 4);
    put32(block, 0x0c, kBlockSize);
    put32(block, 0x10, journal_blocks);
    put32(block, 0x14, 1);
    put32(block, 0x18, sequence);
    put32(block, 0x1c, start);
    put32(block, 0x24, checksum == JournalChecksum::kV1 ? 1 : 0);
    put32(block, 0x28,
          1U | (wide ? 2U : 0U) | (async_commit ? 4U : 0U) | (checksum == JournalChecksum::kV2 ? 8U : 0U) |
              (checksum == JournalChecksum::kV3 ? 16U : 0U) | (fast_commit ? 32U : 0U));
    for (std::size_t i = 0; i < 16; ++i) block[0x30 + i] = static_cast<std::byte>(i + 1);
    put32(block, 0x54, fast_commit_blocks);
    if (has_block_checksums()) {
      block[0x50] = std::byte{4};
      put32(block, 0xfc, slow_crc32c(~std::uint32_t{0}, block));
    }
    return block;
  }

  MemorySource& source() {
    if (!source_) source_ = std::make_unique<MemorySource>(bytes_);
    return *source_;
  }
  JournalFile file() {
    const BlockRuns whole{{0, journal_blocks, kJournalAt}};
    return {source(), kBlockSize, journal_blocks, runs.empty() ? whole : runs};
  }

  static void put32(std::span<std::byte> block, std::size_t offset, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i)
      block[offset + i] = static_cast<std::byte>((value >> (24 - 8 * i)) & 0xffU);
  }

 private:
  [[nodiscard]] bool has_block_checksums() const {
    return checksum == JournalChecksum::kV2 || checksum == JournalChecksum::kV3;
  }
  [[nodiscard]] static std::uint32_t seed() {
    std::vector<std::byte> uuid;
    for (std::size_t i = 0; i < 16; ++i) uuid.push_back(static_cast<std::byte>(i + 1));
    return slow_crc32c(~std::uint32_t{0}, uuid);
  }
  std::span<std::byte> next() {
    const std::uint32_t end =
        journal_blocks - (fast_commit ? (fast_commit_blocks == 0 ? 256 : fast_commit_blocks) : 0);
    const std::uint32_t index = cursor();
    cursor_ = index + 1 >= end ? 1 : index + 1;
    return journal_block(index);
  }
  void header(std::span<std::byte> block, std::uint32_t type) const {
    std::ranges::fill(block, std::byte{0});
    put32(block, 0, kJournalMagic);
    put32(block, 4, type);
    put32(block, 8, next_sequence());
  }
  void tail(std::span<std::byte> block) const {
    if (has_block_checksums()) put32(block, kBlockSize - 4, slow_crc32c(seed(), block));
  }
  // Returns the offset after the tag.
  std::size_t tag(std::span<std::byte> descriptor, std::size_t offset, std::uint64_t block,
                  std::uint32_t flags, std::span<const std::byte> data) const {
    std::vector<std::byte> big_endian(4);
    put32(big_endian, 0, next_sequence());
    const std::uint32_t crc = slow_crc32c(slow_crc32c(seed(), big_endian), data);
    put32(descriptor, offset, static_cast<std::uint32_t>(block));
    std::size_t length = wide ? 12 : 8;
    if (checksum == JournalChecksum::kV3) {
      put32(descriptor, offset + 4, flags);
      put32(descriptor, offset + 12, crc);
      length = 16;
    } else {
      put32(descriptor, offset + 4, (checksum == JournalChecksum::kV2 ? crc << 16U : 0U) | flags);
      if (checksum == JournalChecksum::kV2) length += 2;
    }
    if (wide) put32(descriptor, offset + 8, static_cast<std::uint32_t>(block >> 32U));
    return offset + length + ((flags & 2U) != 0 ? 0 : 16);
  }

  std::vector<std::byte> bytes_;
  std::unique_ptr<MemorySource> source_;
  std::uint32_t cursor_ = 0;
  std::uint32_t sequence_ = 0;  // transactions committed so far
  std::uint32_t crc_ = ~std::uint32_t{0};
};

/// A journal's replay, from its superblock to the overlay.
struct Replayed {
  JournalFile file;
  JournalSuperblock superblock;
  JournalOverlay overlay;
  std::string damage;
  std::uint32_t end_sequence = 0;

  /// The fill character of a disk block after replay: of the journal's copy, or of the disk ('.').
  char block(std::uint64_t number) {
    const auto segment = overlay.first_segment(number, 1);
    if (!segment) return '?';
    if (!segment->copy) return '.';
    std::vector<std::byte> contents(JournalBuilder::kBlockSize);
    if (!overlay.read_copy(*segment->copy, contents)) return '!';
    return static_cast<char>(contents[100]);
  }
};

inline Result<Replayed> replay(JournalBuilder& builder) {
  const std::vector<std::byte> bytes = builder.superblock();
  PVHGRUB_TRY_ASSIGN(const JournalSuperblock superblock,
                     parse_journal_superblock(bytes, JournalBuilder::kBlockSize, builder.journal_blocks));
  Budget budget = Budget::standard();
  JournalFile file = builder.file();
  PVHGRUB_TRY_ASSIGN(JournalLog log, scan_journal_log(file, superblock, budget));
  const std::string damage = log.damage;
  const std::uint32_t end_sequence = log.end_sequence;
  PVHGRUB_TRY_ASSIGN(JournalOverlay overlay, JournalOverlay::build(file, superblock, std::move(log), budget));
  return Replayed{std::move(file), superblock, std::move(overlay), damage, end_sequence};
}

}  // namespace pvhgrub::fs::test
