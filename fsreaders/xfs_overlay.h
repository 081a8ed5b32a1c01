// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>

#include "base/bytes.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// A source with some of its sectors replaced in memory: an XFS file system as it is once its log is
/// replayed.
class XfsOverlay final : public BlockSource {
 public:
  static constexpr std::size_t kSector = 512;  ///< bytes: nothing that a log changes is smaller

  /// `below` outlives this.
  explicit XfsOverlay(BlockSource& below) : below_(below) {}

  [[nodiscard]] std::uint64_t size() const override { return below_.size(); }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  /// kUnsupported where a sector is replaced: its bytes lie nowhere as they are.
  [[nodiscard]] Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<void> send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override;

  /// Replaces bytes; what of their sectors is not given stays as it was. kDamaged: past the end. kLimit: more
  /// than limits::kXfsOverlayBytes would be held.
  [[nodiscard]] Result<void> write(std::uint64_t offset, Bytes bytes);
  /// Whether a byte of [offset, offset + length) is in a sector that was replaced.
  [[nodiscard]] bool covers(std::uint64_t offset, std::uint64_t length) const;
  [[nodiscard]] bool empty() const { return sectors_.empty(); }

 private:
  using Sectors = std::map<std::uint64_t, std::array<std::byte, kSector>>;
  /// What a range begins with: `length` bytes of one replaced sector, or that many of none.
  struct Piece {
    std::uint64_t length = 0;
    Bytes replaced;
  };
  [[nodiscard]] Piece first_piece(std::uint64_t offset, std::uint64_t length) const;

  BlockSource& below_;
  Sectors sectors_;  // by number
};

}  // namespace pvhgrub::fs
