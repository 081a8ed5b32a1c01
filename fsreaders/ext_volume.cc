// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_volume.h"

#include <algorithm>
#include <string>

#include "base/checked.h"

namespace pvhgrub::fs {

namespace {

// Bytes of metadata blocks that are remembered: a walk of /boot/grub touches some ten blocks again and again.
constexpr std::size_t kCacheBytes = 256 * std::size_t{1024};

}  // namespace

void ExtVolume::set_overlay(JournalOverlay overlay) {
  cache_.clear();
  overlay_.emplace(std::move(overlay));
}

Result<ExtVolume::Piece> ExtVolume::first_piece(std::uint64_t offset, std::uint64_t length) const {
  if (!overlay_ || overlay_->size() == 0) return Piece{length, 0, std::nullopt};
  const std::uint64_t block = offset / block_size_;
  const std::uint64_t within = offset % block_size_;
  const std::uint64_t last_block = (offset + (length - 1)) / block_size_;
  PVHGRUB_TRY_ASSIGN(const JournalOverlay::Segment segment,
                     overlay_->first_segment(block, last_block - block + 1));
  return Piece{std::min(length, segment.count * block_size_ - within), within, segment.copy};
}

Result<void> ExtVolume::check_inside(std::uint64_t offset, std::uint64_t length) const {
  if (!range_inside<std::uint64_t>(offset, length, source_.size()))
    return fail(ErrorCode::kDamaged, "the file system points past its end; run e2fsck on it",
                "file system byte " + std::to_string(offset));
  return {};
}

Result<void> ExtVolume::read_at(std::uint64_t offset, std::span<std::byte> out) {
  PVHGRUB_TRY(check_inside(offset, out.size()));
  std::vector<std::byte> block;
  while (!out.empty()) {
    PVHGRUB_TRY_ASSIGN(const Piece piece, first_piece(offset, out.size()));
    const std::span<std::byte> part = out.first(static_cast<std::size_t>(piece.length));
    if (!piece.copy) {
      PVHGRUB_TRY(source_.read_at(offset, part));
    } else {
      block.resize(block_size_);
      PVHGRUB_TRY(overlay_->read_copy(*piece.copy, block));
      std::ranges::copy(std::span(block).subspan(static_cast<std::size_t>(piece.within), part.size()),
                        part.begin());
    }
    offset += piece.length;
    out = out.subspan(part.size());
  }
  return {};
}

Result<const std::vector<std::byte>*> ExtVolume::cached_block(std::uint64_t block) {
  const auto found = std::ranges::find(cache_, block, &CachedBlock::block);
  if (found != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, found);
    return &cache_.front().bytes;
  }
  PVHGRUB_TRY(budget_.charge_bytes(block_size_, "reading the file system's metadata"));
  CachedBlock fresh{block, std::vector<std::byte>(block_size_)};
  PVHGRUB_TRY(read_at(block * block_size_, fresh.bytes));
  if ((cache_.size() + 1) * block_size_ > kCacheBytes) cache_.pop_back();
  cache_.push_front(std::move(fresh));
  return &cache_.front().bytes;
}

Result<void> ExtVolume::read_metadata(std::uint64_t offset, std::span<std::byte> out) {
  PVHGRUB_TRY(budget_.charge_steps(1, "reading the file system's metadata"));
  const std::uint64_t within = offset % block_size_;
  if (out.size() > block_size_ - within || offset / block_size_ >= blocks()) {
    PVHGRUB_TRY(budget_.charge_bytes(out.size(), "reading the file system's metadata"));
    return read_at(offset, out);
  }
  PVHGRUB_TRY_ASSIGN(const std::vector<std::byte>* bytes, cached_block(offset / block_size_));
  std::ranges::copy(std::span(*bytes).subspan(static_cast<std::size_t>(within), out.size()), out.begin());
  return {};
}

Result<std::vector<std::byte>> ExtVolume::copied_block(const JournalOverlay::Copy& copy) {
  PVHGRUB_TRY(budget_.charge_bytes(block_size_, "reading the journal"));
  std::vector<std::byte> block(block_size_);
  PVHGRUB_TRY(overlay_->read_copy(copy, block));
  return block;
}

Result<void> ExtVolume::send_copy(const Piece& piece, ContentSink& sink) {
  const JournalOverlay::Copy& copy = *piece.copy;
  if (copy.escaped || overlay_->has_checksums()) {
    PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> block, copied_block(copy));
    if (copy.escaped)
      return sink.bytes(std::span(block).subspan(static_cast<std::size_t>(piece.within),
                                                 static_cast<std::size_t>(piece.length)));
  }
  return source_.send(copy.offset + piece.within, piece.length, sink);
}

Result<DiskExtent> ExtVolume::locate(std::uint64_t offset, std::uint64_t length) {
  PVHGRUB_TRY(check_inside(offset, std::max<std::uint64_t>(length, 1)));
  PVHGRUB_TRY_ASSIGN(const Piece piece, first_piece(offset, length));
  if (!piece.copy) return source_.locate(offset, piece.length);
  if (piece.copy->escaped)
    return fail(ErrorCode::kUnsupported, "the journal holds these bytes changed",
                "file system byte " + std::to_string(offset));
  if (overlay_->has_checksums()) PVHGRUB_TRY(copied_block(*piece.copy));
  return source_.locate(piece.copy->offset + piece.within, piece.length);
}

Result<void> ExtVolume::send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) {
  PVHGRUB_TRY(check_inside(offset, length));
  while (length > 0) {
    PVHGRUB_TRY_ASSIGN(const Piece piece, first_piece(offset, length));
    PVHGRUB_TRY(piece.copy ? send_copy(piece, sink) : source_.send(offset, piece.length, sink));
    offset += piece.length;
    length -= piece.length;
  }
  return {};
}

}  // namespace pvhgrub::fs
