// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/erofs_superblock.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/crc32c.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {
namespace {

constexpr std::uint64_t kSuperblockOffset = 1024;
constexpr std::size_t kSuperblockBytes = 128;
constexpr std::uint32_t kMagic = 0xE0F5E1E2;
constexpr std::uint32_t kHasChecksum = 1;  // feature_compat
// Builds for fuzzing take any.
#ifdef PVHGRUB_FUZZING
constexpr bool kVerifyChecksums = false;
#else
constexpr bool kVerifyChecksums = true;
#endif

// 0x04 are chunks, 0x08 a second compressor or further devices, which extra_devices tells, 0x40 prefixes of
// attributes' names.
constexpr std::uint32_t kKnownFeatures = 0x7F;
constexpr std::uint32_t kWideAddresses = 0x80;   // EROFS_FEATURE_INCOMPAT_48BIT
constexpr std::uint32_t kMetadataInode = 0x100;  // EROFS_FEATURE_INCOMPAT_METABOX

std::string uuid_text(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto value = std::to_integer<unsigned>(bytes[i]);
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

// CRC-32C without its last inversion, over the superblock's block from the superblock on.
Result<void> check_superblock(BlockSource& source, std::uint32_t block_size, std::uint32_t stored) {
  const std::uint64_t length = block_size > kSuperblockOffset ? block_size - kSuperblockOffset : block_size;
  if (!range_inside<std::uint64_t>(kSuperblockOffset, length, source.size()))
    return damaged_erofs("it ends within its superblock's block", kSuperblockOffset);
  std::vector<std::byte> bytes(static_cast<std::size_t>(length));
  PVHGRUB_TRY(source.read_at(kSuperblockOffset, bytes));
  std::fill_n(bytes.begin() + 4, 4, std::byte{0});
  if (~crc32c(bytes) != stored) return damaged_erofs("a wrong checksum of the superblock", kSuperblockOffset);
  return {};
}

Result<void> check_features(std::uint32_t features) {
  if ((features & kWideAddresses) != 0)
    return fail(ErrorCode::kUnsupported,
                "an EROFS with addresses of 48 bits, which cannot be read; make it without them");
  if ((features & kMetadataInode) != 0)
    return fail(ErrorCode::kUnsupported,
                "an EROFS with compressed metadata, which cannot be read; make it without");
  if ((features & ~kKnownFeatures) != 0)
    return fail(ErrorCode::kUnsupported, "an EROFS with features that are unknown here (bits " +
                                             std::to_string(features) +
                                             "); make it by an older mkfs.erofs, or without them");
  return {};
}

}  // namespace

std::unexpected<Error> damaged_erofs(std::string what, std::uint64_t offset) {
  return fail(ErrorCode::kDamaged, "EROFS, byte " + std::to_string(offset) + ": " + std::move(what) +
                                       "; the image is damaged or cut off, make or copy it anew");
}

Result<ErofsSuperblock> read_erofs_superblock(BlockSource& source) {
  std::array<std::byte, kSuperblockBytes> bytes{};
  if (!range_inside<std::uint64_t>(kSuperblockOffset, bytes.size(), source.size()))
    return fail(ErrorCode::kUnsupported, "not an EROFS file system");
  PVHGRUB_TRY(source.read_at(kSuperblockOffset, bytes));
  const LittleEndianFields fields(bytes);
  if (fields.u32(0) != kMagic) return fail(ErrorCode::kUnsupported, "not an EROFS file system");
  const std::uint8_t block_bits = fields.u8(12);
  if (block_bits < 9 || block_bits > 16 || block_bits + fields.u8(90) > 16)
    return damaged_erofs("blocks of 2^" + std::to_string(block_bits) + " bytes", kSuperblockOffset + 12);
  ErofsSuperblock superblock;
  superblock.block_size = 1U << block_bits;
  superblock.directory_block_size = superblock.block_size << fields.u8(90);
  if (kVerifyChecksums && (fields.u32(8) & kHasChecksum) != 0)
    PVHGRUB_TRY(check_superblock(source, superblock.block_size, fields.u32(4)));
  superblock.features = fields.u32(80);
  PVHGRUB_TRY(check_features(superblock.features));
  if (fields.u16(86) != 0)
    return fail(ErrorCode::kUnsupported,
                "an EROFS over several devices; make it without --blobdev, on one device");
  superblock.root = fields.u16(14);
  superblock.build_time = static_cast<std::int64_t>(fields.u64(24));
  superblock.packed = fields.u64(96);
  superblock.inodes = std::uint64_t{fields.u32(40)} * superblock.block_size;
  superblock.uuid = uuid_text(fields.run(48, 16));
  const std::string_view label = as_text(fields.run(64, 16));
  superblock.label = label.substr(0, label.find('\0'));
  return superblock;
}

}  // namespace pvhgrub::fs
