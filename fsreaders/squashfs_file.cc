// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/squashfs_file.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "fsreaders/joining_sink.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {
namespace {

constexpr std::uint32_t kStoredBytes = (1U << 24U) - 1;  // of a size field; above it flags

class SquashfsFile final : public File {
 public:
  SquashfsFile(SquashfsVolume& volume, const SquashfsInode& inode, std::vector<std::uint32_t> sizes)
      : volume_(volume),
        size_(inode.size),
        sizes_(std::move(sizes)),
        fragment_(inode.fragment),
        fragment_offset_(inode.fragment_offset) {
    // Blocks lie one behind the other: where some begin, so that a read needs not add up all sizes.
    std::uint64_t offset = inode.blocks_start;
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      if (i % kStride == 0) starts_.push_back(offset);
      offset += sizes_[i] & kStoredBytes;  // at most 2^22 blocks of 16 MiB
    }
  }

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    const std::size_t wanted = out.size();
    while (!out.empty()) {
      PVHGRUB_TRY_ASSIGN(const Piece piece, piece_at(offset, out.size()));
      const auto part = out.first(static_cast<std::size_t>(piece.length));
      if (piece.kind == Piece::kHole)
        std::ranges::fill(part, std::byte{0});
      else if (piece.kind == Piece::kPlain)
        PVHGRUB_TRY(volume_.source().read_at(piece.place, part));
      else
        std::ranges::copy(piece.bytes, part.begin());
      offset += part.size();
      out = out.subspan(part.size());
    }
    return wanted;
  }

  Result<void> send(ContentSink& sink) override { return send_range(0, size_, sink); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override {
    JoiningSink joining(sink);
    for (const std::uint64_t end = offset + length; offset < end;) {
      PVHGRUB_TRY_ASSIGN(const Piece piece, piece_at(offset, end - offset));
      if (piece.kind == Piece::kHole)
        PVHGRUB_TRY(joining.hole(piece.length));
      else if (piece.kind == Piece::kPlain)
        PVHGRUB_TRY(volume_.source().send(piece.place, piece.length, joining));
      else
        PVHGRUB_TRY(joining.bytes(piece.bytes));
      offset += piece.length;
    }
    return joining.flush();
  }

 private:
  static constexpr std::size_t kStride = 64;

  struct Piece {
    enum Kind : std::uint8_t { kHole, kPlain, kBytes } kind = kHole;
    std::uint64_t length = 0;  // bytes, at least 1, not past the file's end
    std::uint64_t place = 0;   // of plain ones: bytes from the file system's start
    Bytes bytes = {};          // of decompressed ones; they live until the next piece
  };

  // What the file consists of from `offset` (less than the size) on, at most `wanted` bytes of it.
  Result<Piece> piece_at(std::uint64_t offset, std::uint64_t wanted) {
    PVHGRUB_TRY(volume_.budget().charge_steps(1, "reading a file of SquashFS"));
    const std::uint64_t block_size = volume_.superblock().block_size;
    const std::uint64_t number = offset / block_size;
    const std::uint64_t within = offset % block_size;
    const std::uint64_t whole = std::min(block_size, size_ - number * block_size);
    const std::uint64_t length = std::min(wanted, whole - within);
    if (number >= sizes_.size()) {
      PVHGRUB_TRY_ASSIGN(const SquashfsBlock block, volume_.fragment(*fragment_));
      return piece_of(block, fragment_offset_ + within, length);
    }
    const auto index = static_cast<std::size_t>(number);
    if ((sizes_[index] & kStoredBytes) == 0) return Piece{Piece::kHole, length};
    std::uint64_t start = starts_[index / kStride];
    for (std::size_t i = index / kStride * kStride; i < index; ++i) start += sizes_[i] & kStoredBytes;
    PVHGRUB_TRY_ASSIGN(const SquashfsBlock block, volume_.checked_block(start, sizes_[index]));
    return piece_of(block, within, length);
  }

  Result<Piece> piece_of(const SquashfsBlock& block, std::uint64_t within, std::uint64_t length) {
    if (!block.compressed) {
      if (!range_inside<std::uint64_t>(within, length, block.length)) return too_short(block);
      return Piece{Piece::kPlain, length, block.offset + within};
    }
    PVHGRUB_TRY_ASSIGN(const Bytes bytes, volume_.decompressed(block));
    if (!range_inside<std::uint64_t>(within, length, bytes.size())) return too_short(block);
    return Piece{Piece::kBytes, length, 0,
                 bytes.subspan(static_cast<std::size_t>(within), static_cast<std::size_t>(length))};
  }

  static std::unexpected<Error> too_short(const SquashfsBlock& block) {
    return damaged_squashfs("a block that holds less of its file than it must", block.offset);
  }

  SquashfsVolume& volume_;
  std::uint64_t size_;
  std::vector<std::uint32_t> sizes_;  // the size fields of its blocks
  std::vector<std::uint64_t> starts_;
  std::optional<std::uint32_t> fragment_;
  std::uint32_t fragment_offset_;
};

}  // namespace

Result<std::unique_ptr<File>> open_squashfs_file(SquashfsVolume& volume, const SquashfsInode& inode) {
  // The last block is a whole one unless the end lies in a fragment.
  const std::uint64_t block_size = volume.superblock().block_size;
  const std::uint64_t blocks =
      inode.size / block_size + (!inode.fragment && inode.size % block_size != 0 ? 1 : 0);
  if (blocks > limits::kFileRuns)
    return fail(ErrorCode::kLimit, "a file of more than " + std::to_string(limits::kFileRuns) + " blocks");
  if (inode.blocks_start > volume.superblock().size)
    return damaged_squashfs("a file that begins past the end", inode.blocks_start);
  std::vector<std::uint32_t> sizes;
  SquashfsPosition position = inode.block_list;
  constexpr std::uint64_t kAtOnce = 1024;
  while (sizes.size() < blocks) {
    const auto count = static_cast<std::size_t>(std::min(kAtOnce, blocks - sizes.size()));
    PVHGRUB_TRY(volume.budget().charge_steps(count, "reading a file of SquashFS"));
    PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> list, volume.read_metadata(position, count * 4));
    for (std::size_t i = 0; i < count; ++i) sizes.push_back(LittleEndianFields(list).u32(i * 4));
  }
  return std::make_unique<SquashfsFile>(volume, inode, std::move(sizes));
}

}  // namespace pvhgrub::fs
