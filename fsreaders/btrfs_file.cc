// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_file.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "fsreaders/btrfs_extent.h"
#include "fsreaders/joining_sink.h"

namespace pvhgrub::fs {
namespace {

// Bytes of plain contents that are read and checked at once.
constexpr std::uint64_t kReadPiece = 256 * limits::kKiB;

class BtrfsFile final : public File {
 public:
  BtrfsFile(BtrfsVolume& volume, BtrfsData& data, const BtrfsInode& inode, BtrfsExtents contents)
      : volume_(volume),
        data_(data),
        size_(inode.size),
        checked_(inode.has_checksums()),
        contents_(std::move(contents)) {
    if (contents_.inline_bytes.size() > size_) contents_.inline_bytes.resize(static_cast<std::size_t>(size_));
  }

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    const std::size_t wanted = out.size();
    while (!out.empty()) {
      const Piece piece = piece_at(offset);
      const auto part =
          out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), piece.length)));
      if (piece.extent == nullptr)
        fill(piece, offset, part);
      else if (piece.extent->compression == BtrfsCompression::kNone)
        PVHGRUB_TRY(read_plain(*piece.extent, offset, part));
      else
        PVHGRUB_TRY(read_compressed(*piece.extent, offset, part));
      offset += part.size();
      out = out.subspan(part.size());
    }
    return wanted;
  }

  Result<void> send(ContentSink& sink) override { return send_range(0, size_, sink); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override {
    JoiningSink joining(sink);
    for (const std::uint64_t end = offset + length; offset < end;) {
      Piece piece = piece_at(offset);
      piece.length = std::min(piece.length, end - offset);
      PVHGRUB_TRY(send_piece(piece, offset, joining));
      offset += piece.length;
    }
    return joining.flush();
  }

  Result<std::vector<DiskExtent>> overwritable_extents() override {
    return fail(
        ErrorCode::kUnsupported,
        "btrfs keeps checksums of its files and shares their bytes among snapshots, so nothing can be "
        "overwritten in place");
  }

 private:
  struct Piece {
    const BtrfsExtent* extent = nullptr;  // nullptr: a hole, or within the tree
    bool inline_bytes = false;
    std::uint64_t length = 0;  // bytes, at least 1, not past the file's end
  };

  // What the file consists of from `offset` (less than the size) on.
  [[nodiscard]] Piece piece_at(std::uint64_t offset) const {
    if (offset < contents_.inline_bytes.size())
      return {nullptr, true, contents_.inline_bytes.size() - offset};
    const auto found = std::ranges::upper_bound(contents_.extents, offset, {}, [](const BtrfsExtent& extent) {
      return extent.begin + extent.length;
    });
    if (found == contents_.extents.end()) return {nullptr, false, size_ - offset};
    if (offset < found->begin) return {nullptr, false, std::min(found->begin, size_) - offset};
    return {&*found, false, std::min(found->begin + found->length, size_) - offset};
  }

  void fill(const Piece& piece, std::uint64_t offset, std::span<std::byte> out) const {
    if (piece.inline_bytes)
      std::ranges::copy(
          std::span(contents_.inline_bytes).subspan(static_cast<std::size_t>(offset), out.size()),
          out.begin());
    else
      std::ranges::fill(out, std::byte{0});
  }

  // Whole sectors are read, since only they have checksums.
  Result<void> read_plain(const BtrfsExtent& extent, std::uint64_t offset, std::span<std::byte> out) {
    const std::uint64_t sector = volume_.superblock().sector_size;
    std::vector<std::byte> buffer;
    for (std::uint64_t place = extent.logical + (offset - extent.begin); !out.empty();) {
      const std::uint64_t begin = place / sector * sector;
      const std::uint64_t end =
          std::min(begin + kReadPiece, (place + out.size() + sector - 1) / sector * sector);
      buffer.resize(static_cast<std::size_t>(end - begin));
      PVHGRUB_TRY(data_.read(begin, buffer, checked_));
      const auto part = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), end - place)));
      std::ranges::copy(std::span(buffer).subspan(static_cast<std::size_t>(place - begin), part.size()),
                        part.begin());
      place += part.size();
      out = out.subspan(part.size());
    }
    return {};
  }

  Result<void> read_compressed(const BtrfsExtent& extent, std::uint64_t offset, std::span<std::byte> out) {
    PVHGRUB_TRY_ASSIGN(const Bytes bytes, decompressed(extent));
    const auto within = static_cast<std::size_t>(extent.skipped + (offset - extent.begin));
    std::ranges::copy(bytes.subspan(within, out.size()), out.begin());
    return {};
  }

  Result<void> send_piece(const Piece& piece, std::uint64_t offset, JoiningSink& sink) {
    if (piece.inline_bytes)
      return sink.bytes(
          std::span(contents_.inline_bytes)
              .subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(piece.length)));
    if (piece.extent == nullptr) return sink.hole(piece.length);
    const BtrfsExtent& extent = *piece.extent;
    if (extent.compression == BtrfsCompression::kNone)
      return data_.send(extent.logical + (offset - extent.begin), piece.length, checked_, sink);
    PVHGRUB_TRY_ASSIGN(const Bytes bytes, decompressed(extent));
    return sink.bytes(bytes.subspan(static_cast<std::size_t>(extent.skipped + (offset - extent.begin)),
                                    static_cast<std::size_t>(piece.length)));
  }

  // The whole of a compressed extent, kept for the next piece of it.
  Result<Bytes> decompressed(const BtrfsExtent& extent) {
    if (decompressed_logical_ == extent.logical && decompressed_.size() == extent.uncompressed_bytes)
      return Bytes(decompressed_);
    PVHGRUB_TRY(volume_.budget().charge_bytes(
        std::uint64_t{extent.compressed_bytes} + extent.uncompressed_bytes, "decompressing a file of btrfs"));
    decompressed_logical_.reset();
    std::vector<std::byte> compressed(extent.compressed_bytes);
    PVHGRUB_TRY(data_.read(extent.logical, compressed, checked_));
    decompressed_.resize(extent.uncompressed_bytes);
    auto done = decompress_btrfs_extent(extent.compression, compressed, decompressed_,
                                        volume_.superblock().sector_size);
    if (!done) return std::unexpected(at(volume_.place_name(extent.logical), std::move(done).error()));
    decompressed_logical_ = extent.logical;
    return Bytes(decompressed_);
  }

  BtrfsVolume& volume_;
  BtrfsData& data_;
  std::uint64_t size_;
  bool checked_;
  BtrfsExtents contents_;
  std::optional<std::uint64_t> decompressed_logical_;  // of the extent that is in decompressed_
  std::vector<std::byte> decompressed_;
};

}  // namespace

Result<std::unique_ptr<File>> open_btrfs_file(BtrfsVolume& volume, BtrfsData& data, const BtrfsTree& tree,
                                              const BtrfsInode& inode) {
  PVHGRUB_TRY_ASSIGN(BtrfsExtents contents, read_btrfs_extents(volume, tree, inode));
  return std::make_unique<BtrfsFile>(volume, data, inode, std::move(contents));
}

Result<std::string> read_btrfs_link(BtrfsVolume& volume, BtrfsData& data, const BtrfsTree& tree,
                                    const BtrfsInode& inode) {
  if (inode.size == 0 || inode.size > limits::kPathBytes)
    return fail(ErrorCode::kDamaged, inode.name() + ": a symbolic link with a target of " +
                                         std::to_string(inode.size) +
                                         " bytes; run `btrfs check` in the guest");
  std::string target(static_cast<std::size_t>(inode.size), '\0');
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<File> file, open_btrfs_file(volume, data, tree, inode));
  PVHGRUB_TRY(file->read(0, std::as_writable_bytes(std::span(target))));
  target.resize(std::min(target.find('\0'), target.size()));  // as every user of a C string sees it
  if (target.empty())
    return fail(ErrorCode::kDamaged,
                inode.name() + ": a symbolic link without a target; run `btrfs check` in the guest");
  return target;
}

}  // namespace pvhgrub::fs
