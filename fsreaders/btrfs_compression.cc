// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_compression.h"

#include <algorithm>
#include <string>

#include "fsreaders/block_decompression.h"

namespace pvhgrub::fs {
namespace {

constexpr std::size_t kLengthBytes = 4;

// LZO has no container of its own: btrfs writes the length of the whole, then for each sector its length and
// an LZO1X block. No length crosses a sector of the compressed data.
Result<std::size_t> decompress_lzo(Bytes in, std::span<std::byte> out, std::size_t sector_size) {
  ByteReader reader(in);
  PVHGRUB_TRY_ASSIGN(const std::uint32_t total, reader.little_endian<std::uint32_t>());
  if (total < kLengthBytes || total > in.size())
    return fail(ErrorCode::kDamaged, "a compressed extent (LZO) of " + std::to_string(total) + " bytes");
  reader = ByteReader(in.first(total));
  PVHGRUB_TRY(reader.skip(kLengthBytes));
  std::size_t produced = 0;
  while (reader.remaining() >= kLengthBytes && produced < out.size()) {
    PVHGRUB_TRY_ASSIGN(const std::uint32_t length, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(const Bytes block, reader.take(length));
    const auto room = out.subspan(produced, std::min(out.size() - produced, sector_size));
    PVHGRUB_TRY_ASSIGN(const std::size_t count, decompress_block(BlockCompression::kLzo1x, block, room));
    produced += count;
    const std::size_t left = sector_size - reader.position() % sector_size;
    if (left < kLengthBytes) PVHGRUB_TRY(reader.skip(std::min(left, reader.remaining())));
    if (count == 0) break;
  }
  return produced;
}

Result<std::size_t> decompress(BtrfsCompression compression, Bytes in, std::span<std::byte> out,
                               std::size_t sector_size) {
  switch (compression) {
    case BtrfsCompression::kZlib:
      return decompress_block(BlockCompression::kZlib, in, out);
    case BtrfsCompression::kLzo:
      return decompress_lzo(in, out, sector_size);
    case BtrfsCompression::kZstd:
      return decompress_block(BlockCompression::kZstd, in, out);
    default:
      return fail(ErrorCode::kUnsupported, "a file compressed in an unknown way (" +
                                               std::to_string(static_cast<unsigned>(compression)) + ")");
  }
}

}  // namespace

Result<void> decompress_btrfs_extent(BtrfsCompression compression, Bytes in, std::span<std::byte> out,
                                     std::size_t sector_size) {
  PVHGRUB_TRY_ASSIGN(const std::size_t produced, decompress(compression, in, out, sector_size));
  std::ranges::fill(out.subspan(produced), std::byte{0});
  return {};
}

}  // namespace pvhgrub::fs
