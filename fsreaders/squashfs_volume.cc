// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/squashfs_volume.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {
namespace {

constexpr std::uint32_t kMagic = 0x73717368;  // "hsqs"
constexpr std::size_t kSuperblockBytes = 96;
constexpr std::size_t kMetadataBytes = 8192;
constexpr std::uint16_t kPlainMetadata = 0x8000;
constexpr std::uint32_t kPlainData = 1U << 24U;
constexpr std::size_t kFragmentEntryBytes = 16;
constexpr std::size_t kFragmentsPerBlock = kMetadataBytes / kFragmentEntryBytes;

std::optional<BlockCompression> compression_of(std::uint16_t number) {
  switch (number) {
    case 1:
      return BlockCompression::kZlib;
    case 2:
      return BlockCompression::kLzma;
    case 3:
      return BlockCompression::kLzo1x;
    case 4:
      return BlockCompression::kXz;
    case 5:
      return BlockCompression::kLz4;
    case 6:
      return BlockCompression::kZstd;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::unexpected<Error> damaged_squashfs(std::string what, std::uint64_t offset) {
  return fail(ErrorCode::kDamaged, "SquashFS, byte " + std::to_string(offset) + ": " + std::move(what) +
                                       "; the image is damaged or cut off, make or copy it anew");
}

Result<SquashfsSuperblock> read_squashfs_superblock(BlockSource& source) {
  std::array<std::byte, kSuperblockBytes> bytes{};
  if (source.size() < bytes.size()) return fail(ErrorCode::kUnsupported, "not a SquashFS file system");
  PVHGRUB_TRY(source.read_at(0, bytes));
  const LittleEndianFields fields(bytes);
  if (fields.u32(0) != kMagic) return fail(ErrorCode::kUnsupported, "not a SquashFS file system");
  if (fields.u16(28) != 4 || fields.u16(30) != 0)
    return fail(ErrorCode::kUnsupported, "SquashFS of version " + std::to_string(fields.u16(28)) + "." +
                                             std::to_string(fields.u16(30)) + "; only 4.0 can be read");
  const std::optional<BlockCompression> compression = compression_of(fields.u16(20));
  if (!compression)
    return fail(ErrorCode::kUnsupported,
                "SquashFS with compression number " + std::to_string(fields.u16(20)) + ", which is unknown");
  SquashfsSuperblock superblock;
  superblock.compression = *compression;
  superblock.block_size = fields.u32(12);
  superblock.fragment_count = fields.u32(16);
  superblock.root = fields.u64(32);
  superblock.size = fields.u64(40);
  superblock.inodes = fields.u64(64);
  superblock.directories = fields.u64(72);
  superblock.fragments = fields.u64(80);
  if (!std::has_single_bit(superblock.block_size) || superblock.block_size < 4096 ||
      superblock.block_size > limits::kMiB)
    return damaged_squashfs("blocks of " + std::to_string(superblock.block_size) + " bytes", 12);
  if (superblock.size > source.size())
    return damaged_squashfs("it has " + std::to_string(superblock.size) + " bytes, the device only " +
                                std::to_string(source.size()),
                            40);
  if (superblock.inodes >= superblock.size || superblock.directories >= superblock.size)
    return damaged_squashfs("tables past its end", 64);
  return superblock;
}

Result<const SquashfsVolume::Metadata*> SquashfsVolume::metadata_block(std::uint64_t offset) {
  if (const Metadata* const kept = metadata_.find(offset)) return kept;
  std::array<std::byte, 2> header{};
  if (!range_inside<std::uint64_t>(offset, header.size(), superblock_.size))
    return damaged_squashfs("metadata past the end", offset);
  PVHGRUB_TRY(source_.read_at(offset, header));
  const std::uint16_t field = LittleEndianFields(header).u16(0);
  const auto length = static_cast<std::size_t>(field & (kPlainMetadata - 1U));
  if (length == 0 || length > kMetadataBytes ||
      !range_inside<std::uint64_t>(offset + header.size(), length, superblock_.size))
    return damaged_squashfs("a block of metadata of " + std::to_string(length) + " bytes", offset);
  PVHGRUB_TRY(budget_.charge_steps(1, "reading metadata of SquashFS"));
  PVHGRUB_TRY(budget_.charge_bytes(kMetadataBytes, "reading metadata of SquashFS"));
  Metadata block{std::vector<std::byte>(length), offset + header.size() + length};
  PVHGRUB_TRY(source_.read_at(offset + header.size(), block.bytes));
  if ((field & kPlainMetadata) == 0) {
    std::vector<std::byte> out(kMetadataBytes);
    const auto count = decompress_block(superblock_.compression, block.bytes, out);
    if (!count) return std::unexpected(at("SquashFS, byte " + std::to_string(offset), count.error()));
    out.resize(*count);
    block.bytes = std::move(out);
  }
  return &metadata_.put(offset, std::move(block));
}

Result<std::vector<std::byte>> SquashfsVolume::read_metadata(SquashfsPosition& position, std::size_t length) {
  std::vector<std::byte> out;
  while (out.size() < length) {
    PVHGRUB_TRY_ASSIGN(const Metadata* const block, metadata_block(position.block));
    if (position.offset > block->bytes.size() || block->bytes.empty())
      return damaged_squashfs("byte " + std::to_string(position.offset) + " of a block of metadata with " +
                                  std::to_string(block->bytes.size()),
                              position.block);
    const Bytes rest = Bytes(block->bytes).subspan(position.offset);
    const Bytes part = rest.first(std::min(rest.size(), length - out.size()));
    out.insert(out.end(), part.begin(), part.end());
    position.offset += part.size();
    // At a block's end the next one follows; only its last byte makes it the next one's turn.
    if (position.offset == block->bytes.size()) position = {block->next, 0};
  }
  return out;
}

Result<SquashfsBlock> SquashfsVolume::checked_block(std::uint64_t offset, std::uint32_t size_field) const {
  const SquashfsBlock block{offset, size_field & (kPlainData - 1), (size_field & kPlainData) == 0};
  if ((size_field & ~(kPlainData | (kPlainData - 1))) != 0 || block.length > superblock_.block_size ||
      !range_inside<std::uint64_t>(offset, block.length, superblock_.size))
    return damaged_squashfs("a block of data of " + std::to_string(block.length) + " bytes", offset);
  return block;
}

Result<Bytes> SquashfsVolume::decompressed(const SquashfsBlock& block) {
  if (const std::vector<std::byte>* const kept = data_.find(block.offset)) return Bytes(*kept);
  PVHGRUB_TRY(budget_.charge_steps(1, "decompressing SquashFS"));
  std::vector<std::byte> in(block.length);
  PVHGRUB_TRY(source_.read_at(block.offset, in));
  std::vector<std::byte> out(superblock_.block_size);
  const auto count = decompress_block(superblock_.compression, in, out);
  if (!count) return std::unexpected(at("SquashFS, byte " + std::to_string(block.offset), count.error()));
  PVHGRUB_TRY(budget_.charge_bytes(in.size() + *count, "decompressing SquashFS"));
  out.resize(*count);
  return Bytes(data_.put(block.offset, std::move(out)));
}

// The fragment table: disk offsets, each of a block of metadata with up to 512 entries.
Result<SquashfsBlock> SquashfsVolume::fragment(std::uint32_t number) {
  const std::uint64_t list =
      superblock_.fragments + std::uint64_t{number / kFragmentsPerBlock} * sizeof(std::uint64_t);
  if (number >= superblock_.fragment_count || superblock_.fragments >= superblock_.size ||
      !range_inside<std::uint64_t>(list, sizeof(std::uint64_t), superblock_.size))
    return damaged_squashfs("there is no fragment " + std::to_string(number), superblock_.fragments);
  std::array<std::byte, sizeof(std::uint64_t)> pointer{};
  PVHGRUB_TRY(source_.read_at(list, pointer));
  SquashfsPosition position{LittleEndianFields(pointer).u64(0),
                            (number % kFragmentsPerBlock) * kFragmentEntryBytes};
  PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> entry, read_metadata(position, kFragmentEntryBytes));
  const LittleEndianFields fields(entry);
  return checked_block(fields.u64(0), fields.u32(8));
}

}  // namespace pvhgrub::fs
