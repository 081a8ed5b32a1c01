// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/erofs_volume.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/erofs_inode.h"

namespace pvhgrub::fs {
namespace {

// What Linux reads at once (erofs_fs.h: Z_EROFS_PCLUSTER_MAX_SIZE, Z_EROFS_PCLUSTER_MAX_DSIZE); mkfs.erofs
// writes no larger ones.
constexpr std::uint64_t kStoredBytes = 1 * limits::kMiB;
constexpr std::uint64_t kDecodedBytes = 12 * limits::kMiB;

// Stored bytes that are read at once for a reader that goes on in order: many clusters are one block.
constexpr std::size_t kReadAhead = 256 * limits::kKiB;
// What is kept decompressed, for readers that go to and fro. The last cluster always is, however large.
constexpr std::size_t kKeptBytes = 4 * limits::kMiB;
constexpr std::size_t kKeptClusters = 64;

constexpr std::uint64_t kPackedNumber = 1024 + 96;  // of the superblock, packed_nid

constexpr std::string_view kWhat = "decompressing EROFS";

// erofs_fs.h, Z_EROFS_COMPRESSION_...; "deflate" is without zlib's container (RFC 1951).
std::optional<BlockCompression> compression_of(std::uint32_t algorithm) {
  switch (algorithm) {
    case 0:
      return BlockCompression::kLz4;
    case 1:
      return BlockCompression::kMicroLzma;
    case 2:
      return BlockCompression::kDeflate;
    case 3:
      return BlockCompression::kZstd;
    default:
      return std::nullopt;
  }
}

}  // namespace

ErofsVolume::ErofsVolume(BlockSource& source, Budget& budget, ErofsSuperblock superblock)
    : source_(source), budget_(budget), superblock_(std::move(superblock)) {}
ErofsVolume::~ErofsVolume() = default;

Result<void> ErofsVolume::fill_window(std::uint64_t offset, std::size_t length) {
  PVHGRUB_TRY(budget_.charge_bytes(length, kWhat));
  window_.resize(length);
  window_offset_ = offset;
  auto done = source_.read_at(offset, window_);
  if (!done) window_.clear();
  return done;
}

Result<Bytes> ErofsVolume::stored(std::uint64_t offset, std::size_t length) {
  const bool in_order = offset == expected_offset_;
  expected_offset_ = offset + length;
  const bool in_window = offset >= window_offset_ &&
                         range_inside<std::uint64_t>(offset - window_offset_, length, window_.size());
  if (!in_window) {
    const auto ahead = static_cast<std::size_t>(std::min<std::uint64_t>(kReadAhead, source_.size() - offset));
    // A bad sector further on is no fault of this cluster.
    if (!in_order || ahead <= length || !fill_window(offset, ahead)) PVHGRUB_TRY(fill_window(offset, length));
  }
  return Bytes(window_).subspan(static_cast<std::size_t>(offset - window_offset_), length);
}

Result<void> ErofsVolume::decompress(const ErofsCluster& cluster, std::span<std::byte> out) {
  const std::optional<BlockCompression> compression = compression_of(cluster.algorithm);
  if (!compression)
    return fail(ErrorCode::kUnsupported, "it is compressed by an algorithm that is unknown here (number " +
                                             std::to_string(cluster.algorithm) +
                                             "); make the image with lz4");
  if (cluster.length > kStoredBytes || cluster.decoded > kDecodedBytes)
    return fail(ErrorCode::kUnsupported,
                "a compressed cluster of " + std::to_string(cluster.length) + " bytes that gives " +
                    std::to_string(cluster.decoded) + ", which is more than Linux reads",
                "EROFS, byte " + std::to_string(cluster.offset));
  if (cluster.length == 0 || !range_inside<std::uint64_t>(cluster.offset, cluster.length, source_.size()))
    return damaged_erofs(
        "a compressed cluster of " + std::to_string(cluster.length) + " bytes, or past the device's end",
        cluster.offset);
  PVHGRUB_TRY(budget_.charge_steps(1, kWhat));
  PVHGRUB_TRY(budget_.charge_bytes(cluster.decoded, kWhat));
  PVHGRUB_TRY_ASSIGN(Bytes in, stored(cluster.offset, cluster.length));
  // The data end where the cluster ends, behind zeros ("0padding"); no format begins with one. LZ4 of before
  // has them behind its data, whose length it does not tell.
  const bool padded_in_front =
      (superblock_.features & kErofsZeroPadding) != 0 || *compression != BlockCompression::kLz4;
  if (padded_in_front) {
    const auto data = std::ranges::find_if(in, [](std::byte each) { return each != std::byte{0}; });
    in = in.subspan(static_cast<std::size_t>(std::distance(in.begin(), data)));
    if (in.empty()) return damaged_erofs("a compressed cluster without data", cluster.offset);
  }
  auto done = decompress_exactly(*compression, in, out, cluster.whole && padded_in_front);
  if (!done) return std::unexpected(at("EROFS, byte " + std::to_string(cluster.offset), done.error()));
  return {};
}

// Forgets what was used longest ago; gives one of the buffers back for use again.
std::vector<std::byte> ErofsVolume::make_room(std::size_t bytes) {
  std::vector<std::byte> buffer;
  while (!kept_.empty() && (kept_bytes_ + bytes > kKeptBytes || kept_.size() >= kKeptClusters)) {
    kept_bytes_ -= kept_.back().bytes.size();
    buffer = std::move(kept_.back().bytes);
    kept_.pop_back();
  }
  buffer.resize(bytes);
  return buffer;
}

Result<Bytes> ErofsVolume::decompressed(const ErofsCluster& cluster) {
  const auto found = std::ranges::find(kept_, cluster, &Kept::cluster);
  if (found != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, found);
    return Bytes(kept_.front().bytes);
  }
  // A size that a damaged index has made up needs no memory.
  if (cluster.decoded > kDecodedBytes) return std::unexpected(decompress(cluster, {}).error());
  std::vector<std::byte> buffer = make_room(cluster.decoded);
  PVHGRUB_TRY(decompress(cluster, buffer));
  kept_bytes_ += buffer.size();
  kept_.push_front({cluster, std::move(buffer)});
  return Bytes(kept_.front().bytes);
}

Result<File*> ErofsVolume::packed_file() {
  if (packed_file_) return packed_file_.get();
  if ((superblock_.features & kErofsFragments) == 0)
    return damaged_erofs("a file whose end lies in the packed inode, but there is none", kPackedNumber);
  PVHGRUB_TRY_ASSIGN(const ErofsInode inode, read_erofs_inode(*this, superblock_.packed));
  PVHGRUB_TRY_ASSIGN(packed_file_, open_erofs_inode(*this, inode));
  return packed_file_.get();
}

}  // namespace pvhgrub::fs
