// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/erofs_compressed_file.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/erofs_cluster_map.h"
#include "fsreaders/joining_sink.h"

namespace pvhgrub::fs {
namespace {

// Contents of many clusters that are sent at once.
constexpr std::size_t kBatchBytes = 512 * limits::kKiB;
// What is sent begins and ends at multiples of this where it can: who writes it spares half-filled pages.
constexpr std::size_t kAlignment = limits::kFramePayload;
// The largest cluster that is decompressed into a batch.
constexpr std::size_t kBatchedBytes = kBatchBytes - kAlignment;
// Plain contents of less than this go with those around them: as an extent they cost their receiver more.
constexpr std::uint64_t kLeastExtent = 64 * limits::kKiB;

// Contents that are made one behind the other, and sent when there is no room for more.
class Batch {
 public:
  // `offset`: bytes of the file that were sent before.
  Batch(ContentSink& sink, std::uint64_t offset) : sink_(sink), offset_(offset) {}

  // Room for the next `length` bytes, at most kBatchedBytes.
  Result<std::span<std::byte>> room(std::size_t length) {
    if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<std::byte[]>(kBatchBytes);
    if (length > kBatchBytes - filled_) PVHGRUB_TRY(send_aligned());
    const std::span<std::byte> out(buffer_.get() + filled_, length);
    filled_ += length;
    return out;
  }
  Result<void> append(Bytes bytes) {
    while (!bytes.empty()) {
      const Bytes part = bytes.first(std::min(bytes.size(), kBatchedBytes));
      PVHGRUB_TRY_ASSIGN(const auto out, room(part.size()));
      std::ranges::copy(part, out.begin());
      bytes = bytes.subspan(part.size());
    }
    return {};
  }
  // Sends all, before `length` bytes are sent in another way.
  Result<void> flush(std::uint64_t length = 0) {
    PVHGRUB_TRY(send(filled_));
    offset_ += length;
    return {};
  }

 private:
  Result<void> send_aligned() {
    const auto behind = static_cast<std::size_t>((offset_ + filled_) % kAlignment);
    return send(behind < filled_ ? filled_ - behind : filled_);
  }
  Result<void> send(std::size_t count) {
    if (count == 0) return {};
    const Bytes all(buffer_.get(), filled_);
    PVHGRUB_TRY(sink_.bytes(all.first(count)));
    std::ranges::copy(all.subspan(count), buffer_.get());
    filled_ -= count;
    offset_ += count;
    return {};
  }

  ContentSink& sink_;
  std::uint64_t offset_;  // of the buffer's start, in the file
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t filled_ = 0;
};

class ErofsCompressedFile final : public File {
 public:
  // `packed`: the packed inode's contents where the file's end lies there, else nullptr.
  ErofsCompressedFile(ErofsVolume& volume, const ErofsInode& inode, ErofsClusterMap map, File* packed)
      : volume_(volume), size_(inode.size), place_(inode.behind), map_(std::move(map)), packed_(packed) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    const std::size_t wanted = out.size();
    while (!out.empty()) {
      PVHGRUB_TRY_ASSIGN(const Piece piece, piece_at(offset, out.size()));
      const auto part = out.first(static_cast<std::size_t>(piece.length));
      PVHGRUB_TRY(read_piece(piece, part));
      offset += part.size();
      out = out.subspan(part.size());
    }
    return wanted;
  }

  Result<void> send(ContentSink& sink) override { return send_range(0, size_, sink); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override {
    JoiningSink joining(sink);
    Batch batch(joining, offset);
    for (const std::uint64_t end = offset + length; offset < end;) {
      PVHGRUB_TRY_ASSIGN(Piece piece, piece_at(offset, end - offset));
      if (piece.kind == Piece::kPlain) PVHGRUB_TRY(lengthen(piece, offset, end));
      PVHGRUB_TRY(send_piece(piece, batch, joining));
      offset += piece.length;
    }
    PVHGRUB_TRY(batch.flush());
    return joining.flush();
  }

 private:
  struct Piece {
    enum Kind : std::uint8_t { kPlain, kPacked, kCompressed } kind = kPlain;
    std::uint64_t length = 0;  // bytes, at least 1, not past the file's end
    std::uint64_t place =
        0;  // plain: bytes from the file system's start; packed: of the packed inode's contents
    std::uint64_t within = 0;   // compressed: bytes from what the cluster gives
    ErofsCluster cluster = {};  // compressed
    [[nodiscard]] bool is_whole() const { return within == 0 && length == cluster.decoded; }
  };

  // What the file consists of from `offset` (less than the size) on, at most `wanted` bytes of it.
  Result<Piece> piece_at(std::uint64_t offset, std::uint64_t wanted) const {
    const auto next = std::ranges::upper_bound(map_.extents, offset, {}, &ErofsExtent::logical);
    const ErofsExtent& extent = *std::prev(next);  // the first begins at 0
    const bool last = next == map_.extents.end();
    const std::uint64_t whole = (last ? size_ : next->logical) - extent.logical;
    const std::uint64_t within = offset - extent.logical;
    Piece piece;
    piece.length = std::min(wanted, whole - within);
    if (last && map_.tail == ErofsTail::kPackedInode) {
      piece.kind = Piece::kPacked;
      piece.place = map_.tail_offset + within;
      if (!range_inside<std::uint64_t>(map_.tail_offset, whole, packed_->size()))
        return damaged_erofs("a file whose end would lie past the packed inode's", place_);
      return piece;
    }
    const bool behind_indexes = last && map_.tail == ErofsTail::kBehindIndexes;
    ErofsCluster& cluster = piece.cluster;
    const std::uint64_t block_size = volume_.superblock().block_size;
    cluster.offset = behind_indexes ? map_.tail_offset : extent.block * block_size;
    cluster.length = behind_indexes ? map_.tail_bytes
                                    : static_cast<std::uint32_t>(extent.blocks * block_size);  // of 11 bits
    if (extent.type == ErofsClusterType::kPlain)
      return plain_piece(piece, extent.logical, whole, within, map_.interlaced && !behind_indexes);
    piece.kind = Piece::kCompressed;
    piece.within = within;
    // More than a number of 32 bits is refused as more than the largest one that is read.
    cluster.decoded = static_cast<std::uint32_t>(std::min<std::uint64_t>(whole, UINT32_MAX));
    cluster.algorithm = map_.algorithms[extent.type == ErofsClusterType::kHead1 ? 0 : 1];
    cluster.whole = !extent.partial;
    return piece;
  }

  // Plain contents begin at the cluster's start; interlaced ones at the same byte of its last block as in the
  // file's block, and go on at its start.
  Result<Piece> plain_piece(Piece piece, std::uint64_t logical, std::uint64_t whole, std::uint64_t within,
                            bool interlaced) const {
    const ErofsCluster& cluster = piece.cluster;
    const std::uint64_t block_size = volume_.superblock().block_size;
    if (whole > cluster.length ||
        !range_inside<std::uint64_t>(cluster.offset, cluster.length, volume_.source().size()))
      return damaged_erofs("a file with " + std::to_string(whole) + " bytes in a cluster of " +
                               std::to_string(cluster.length) + " at byte " + std::to_string(cluster.offset),
                           place_);
    piece.kind = Piece::kPlain;
    piece.place = cluster.offset + within;
    if (!interlaced) return piece;
    const std::uint64_t in_last_block = block_size - logical % block_size;
    if (within < in_last_block) {
      piece.place = cluster.offset + cluster.length - in_last_block + within;
      piece.length = std::min(piece.length, in_last_block - within);
    } else {
      piece.place = cluster.offset + within - in_last_block;
    }
    return piece;
  }

  Result<void> read_piece(const Piece& piece, std::span<std::byte> out) {
    PVHGRUB_TRY(volume_.budget().charge_steps(1, "reading a file of EROFS"));
    switch (piece.kind) {
      case Piece::kPlain:
        return volume_.source().read_at(piece.place, out);
      case Piece::kPacked: {
        PVHGRUB_TRY(packed_->read(piece.place, out));
        return {};
      }
      case Piece::kCompressed:
        break;
    }
    if (piece.is_whole()) return volume_.decompress(piece.cluster, out);
    PVHGRUB_TRY_ASSIGN(const Bytes bytes, volume_.decompressed(piece.cluster));
    std::ranges::copy(bytes.subspan(static_cast<std::size_t>(piece.within), out.size()), out.begin());
    return {};
  }

  // Joins what follows a plain piece in the file and in the file system to it, until it is worth an extent.
  Result<void> lengthen(Piece& piece, std::uint64_t offset, std::uint64_t end) const {
    while (piece.length < kLeastExtent && offset + piece.length < end) {
      PVHGRUB_TRY_ASSIGN(const Piece next, piece_at(offset + piece.length, end - offset - piece.length));
      if (next.kind != Piece::kPlain || next.place != piece.place + piece.length) break;
      piece.length += next.length;
    }
    return {};
  }

  Result<void> send_piece(const Piece& piece, Batch& batch, JoiningSink& sink) {
    PVHGRUB_TRY(volume_.budget().charge_steps(1, "reading a file of EROFS"));
    switch (piece.kind) {
      case Piece::kPlain:
        if (piece.length < kLeastExtent) return batch_plain(piece, batch);
        PVHGRUB_TRY(batch.flush(piece.length));
        return volume_.source().send(piece.place, piece.length, sink);
      case Piece::kPacked:
        PVHGRUB_TRY(batch.flush(piece.length));
        return packed_->send_range(piece.place, piece.length, sink);
      case Piece::kCompressed:
        break;
    }
    if (piece.is_whole() && piece.length <= kBatchedBytes) {
      PVHGRUB_TRY_ASSIGN(const auto out, batch.room(static_cast<std::size_t>(piece.length)));
      return volume_.decompress(piece.cluster, out);
    }
    PVHGRUB_TRY_ASSIGN(const Bytes bytes, volume_.decompressed(piece.cluster));
    return batch.append(
        bytes.subspan(static_cast<std::size_t>(piece.within), static_cast<std::size_t>(piece.length)));
  }

  Result<void> batch_plain(const Piece& piece, Batch& batch) {
    PVHGRUB_TRY(volume_.budget().charge_bytes(piece.length, "reading a file of EROFS"));
    PVHGRUB_TRY_ASSIGN(const auto out, batch.room(static_cast<std::size_t>(piece.length)));
    return volume_.source().read_at(piece.place, out);
  }

  ErofsVolume& volume_;
  std::uint64_t size_;
  std::uint64_t place_;  // of the inode, for messages
  ErofsClusterMap map_;
  File* packed_;
};

}  // namespace

Result<std::unique_ptr<File>> open_erofs_compressed_file(ErofsVolume& volume, const ErofsInode& inode) {
  ErofsClusterMap map;
  if (inode.size > 0) {
    PVHGRUB_TRY_ASSIGN(map, read_erofs_cluster_map(volume, inode));
  }
  File* packed = nullptr;
  if (map.tail == ErofsTail::kPackedInode) {
    if (inode.number == volume.superblock().packed)
      return damaged_erofs("a packed inode whose end lies in the packed inode", inode.behind);
    PVHGRUB_TRY_ASSIGN(packed, volume.packed_file());
  }
  return std::make_unique<ErofsCompressedFile>(volume, inode, std::move(map), packed);
}

}  // namespace pvhgrub::fs
