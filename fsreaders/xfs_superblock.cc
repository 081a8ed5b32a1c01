// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_superblock.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <string_view>

#include "base/hexadecimal.h"
#include "fsreaders/xfs_checksum.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::string_view kWhere = "XFS superblock at byte 0";
constexpr std::uint32_t kMagic = 0x58465342;  // "XFSB"
constexpr std::size_t kChecksumOffset = 224;
constexpr std::size_t kSmallestSector = 512;

// sb_versionnum: the version in the low four bits, features above.
constexpr std::uint32_t kVersionMask = 0x000f;
constexpr std::uint32_t kSharedBit = 0x0200;
constexpr std::uint32_t kDirectoryV2Bit = 0x2000;
constexpr std::uint32_t kAsciiCaseBit = 0x4000;
constexpr std::uint32_t kMoreBitsBit = 0x8000;
// sb_features2
constexpr std::uint32_t kFileTypes2 = 0x0200;
// sb_features_incompat
constexpr std::uint32_t kFileTypes = 1U << 0U;
constexpr std::uint32_t kSparseInodes = 1U << 1U;
constexpr std::uint32_t kMetadataUuid = 1U << 2U;
constexpr std::uint32_t kBigTime = 1U << 3U;
constexpr std::uint32_t kNeedsRepair = 1U << 4U;
constexpr std::uint32_t kManyExtents = 1U << 5U;
constexpr std::uint32_t kExchangeRange = 1U << 6U;
constexpr std::uint32_t kParentPointers = 1U << 7U;
constexpr std::uint32_t kMetadataDirectory = 1U << 8U;
constexpr std::uint32_t kZoned = 1U << 9U;
constexpr std::uint32_t kZoneGaps = 1U << 10U;

// Parent pointers are extended attributes; exchanges of contents leave nothing behind once the log is
// replayed; a metadata directory holds what belongs to quota and to the realtime device.
constexpr std::uint32_t kKnown = kFileTypes | kSparseInodes | kMetadataUuid | kBigTime | kManyExtents |
                                 kExchangeRange | kParentPointers | kMetadataDirectory;

struct FeatureName {
  std::uint32_t bit;
  std::string_view name;
};
constexpr FeatureName kNames[] = {{kZoned, "zoned"}, {kZoneGaps, "zone_gaps"}};

std::string feature_names(std::uint32_t features) {
  std::string text;
  for (unsigned index = 0; index < 32; ++index) {
    const std::uint32_t bit = std::uint32_t{1} << index;
    if ((features & bit) == 0) continue;
    if (!text.empty()) text += ", ";
    const auto* known = std::ranges::find(kNames, bit, &FeatureName::bit);
    text += known != std::end(kNames) ? std::string(known->name) : "bit " + std::to_string(index);
  }
  return text;
}

std::unexpected<Error> damaged(const std::string& message) {
  return fail(ErrorCode::kDamaged, message + kXfsRepair, std::string(kWhere));
}

std::unexpected<Error> unsupported(std::string message) {
  return fail(ErrorCode::kUnsupported, std::move(message), std::string(kWhere));
}

bool is_power_of_two_within(std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  return std::has_single_bit(value) && value >= least && value <= most;
}

Result<void> check_version_4(const XfsFields& fields, XfsSuperblock& superblock) {
  const std::uint32_t version = fields.u16(100);
  if ((version & kDirectoryV2Bit) == 0)
    return unsupported("version 1 directories, which Linux never read; copy the files to a new file system");
  if ((version & kSharedBit) != 0)
    return unsupported("the feature shared, which no Linux knows; copy the files to a new file system");
  const std::uint32_t features2 = (version & kMoreBitsBit) != 0 ? fields.u32(200) : 0;
  superblock.file_types = (features2 & kFileTypes2) != 0;
  return {};
}

Result<void> check_version_5(const XfsFields& fields, XfsSuperblock& superblock) {
  const std::uint32_t incompatible = fields.u32(216);
  if ((incompatible & kNeedsRepair) != 0)
    return damaged("the file system is marked as one that must be repaired first");
  if (const std::uint32_t unknown = incompatible & ~kKnown; unknown != 0)
    return unsupported("XFS features that this program does not know: " + feature_names(unknown) +
                       "; use a newer pvhgrub, or make /boot without them");
  superblock.checksums = true;
  superblock.file_types = (incompatible & kFileTypes) != 0;
  superblock.log_incompatible = fields.u32(220);
  const Bytes uuid = (incompatible & kMetadataUuid) != 0 ? fields.run(248, 16) : fields.run(32, 16);
  std::ranges::copy(uuid, superblock.metadata_uuid.begin());
  return {};
}

// Sizes, each against its logarithm beside it and against the others.
Result<void> read_sizes(const XfsFields& fields, XfsSuperblock& superblock) {
  superblock.block_size = fields.u32(4);
  if (!is_power_of_two_within(superblock.block_size, 512, 65536) ||
      static_cast<unsigned>(std::countr_zero(superblock.block_size)) != fields.u8(120))
    return damaged("blocks of " + std::to_string(superblock.block_size) + " bytes");
  superblock.inode_size = fields.u16(104);
  if (!is_power_of_two_within(superblock.inode_size, superblock.checksums ? 512 : 256, 2048) ||
      superblock.inode_size > superblock.block_size)
    return damaged("inodes of " + std::to_string(superblock.inode_size) + " bytes");
  superblock.inodes_per_block_bits =
      static_cast<std::uint32_t>(std::countr_zero(superblock.block_size / superblock.inode_size));
  if (superblock.inodes_per_block_bits != fields.u8(123))
    return damaged("a number of inodes in a block that does not follow from their sizes");
  const unsigned directory_bits = fields.u8(192);
  if (directory_bits > 7 || (std::uint64_t{superblock.block_size} << directory_bits) > 65536)
    return damaged("directory blocks of more than 65536 bytes");
  superblock.directory_block_size = superblock.block_size << directory_bits;
  return {};
}

Result<void> read_geometry(const XfsFields& fields, std::uint64_t source_size, XfsSuperblock& superblock) {
  superblock.blocks = fields.u64(8);
  superblock.group_blocks = fields.u32(84);
  superblock.groups = fields.u32(88);
  superblock.group_block_bits = fields.u8(124);
  if (superblock.group_blocks == 0 ||
      superblock.group_block_bits != static_cast<unsigned>(std::bit_width(superblock.group_blocks - 1)) ||
      superblock.group_block_bits > 31)
    return damaged("allocation groups of " + std::to_string(superblock.group_blocks) + " blocks");
  // Both factors fit 32 bits.
  const std::uint64_t most = std::uint64_t{superblock.groups} * superblock.group_blocks;
  if (superblock.groups == 0 || superblock.blocks > most ||
      superblock.blocks <= most - superblock.group_blocks)
    return damaged(std::to_string(superblock.blocks) + " blocks do not make " +
                   std::to_string(superblock.groups) + " allocation groups");
  if (superblock.blocks > source_size / superblock.block_size)
    return fail(ErrorCode::kDamaged,
                "the file system has " + std::to_string(superblock.blocks) + " blocks of " +
                    std::to_string(superblock.block_size) + " bytes, but what it lies on has " +
                    std::to_string(source_size) + " bytes; is the disk image cut short?",
                std::string(kWhere));
  superblock.inode_alignment = fields.u32(180);
  superblock.root_inode = fields.u64(56);
  if (!superblock.offset_of_inode(superblock.root_inode))
    return damaged("the root has the impossible inode number " + std::to_string(superblock.root_inode));
  superblock.log_start = fields.u64(48);
  superblock.log_blocks = fields.u32(96);
  if (superblock.log_start != 0 && !superblock.offset_of_block(superblock.log_start, superblock.log_blocks))
    return damaged("the log lies outside of the file system");
  return {};
}

}  // namespace

std::optional<std::uint64_t> XfsSuperblock::offset_of_block(std::uint64_t number, std::uint64_t count) const {
  const std::uint64_t group = number >> group_block_bits;
  const std::uint64_t in_group = number & ((std::uint64_t{1} << group_block_bits) - 1);
  if (group >= groups || count == 0 || !range_inside<std::uint64_t>(in_group, count, group_blocks))
    return std::nullopt;
  const std::uint64_t block = group * group_blocks + in_group;
  if (!range_inside(block, count, blocks)) return std::nullopt;
  return block * block_size;
}

std::optional<std::uint64_t> XfsSuperblock::offset_of_inode(std::uint64_t number) const {
  const auto block = offset_of_block(number >> inodes_per_block_bits);
  if (number == 0 || !block) return std::nullopt;
  const std::uint64_t index = number & ((std::uint64_t{1} << inodes_per_block_bits) - 1);
  return *block + index * inode_size;
}

Result<XfsSuperblock> parse_xfs_superblock(Bytes bytes, std::uint64_t source_size, bool replayed) {
  const XfsFields fields(bytes);
  if (bytes.size() < kSmallestSector || fields.u32(0) != kMagic) return unsupported("not an XFS file system");
  const std::uint32_t sector_size = fields.u16(102);
  if (!is_power_of_two_within(sector_size, kSmallestSector, 32768) || sector_size > bytes.size() ||
      static_cast<unsigned>(std::countr_zero(sector_size)) != fields.u8(121))
    return damaged("sectors of " + std::to_string(sector_size) + " bytes");
  const std::uint32_t version = fields.u16(100) & kVersionMask;
  XfsSuperblock superblock;
  if (version == 5) {
    if (!replayed && !xfs_checksum_holds(bytes.first(sector_size), kChecksumOffset))
      return damaged("its checksum is wrong");
    PVHGRUB_TRY(check_version_5(fields, superblock));
  } else if (version == 4) {
    PVHGRUB_TRY(check_version_4(fields, superblock));
  } else {
    return unsupported("XFS of version " + std::to_string(version) +
                       "; versions 4 and 5 can be read: copy the files to a new file system");
  }
  if (fields.u8(126) != 0) return damaged("mkfs.xfs did not finish, or it is the target of an xfs_copy");
  superblock.folds_case = (fields.u16(100) & kAsciiCaseBit) != 0;
  PVHGRUB_TRY(read_sizes(fields, superblock));
  PVHGRUB_TRY(read_geometry(fields, source_size, superblock));
  std::ranges::copy(fields.run(32, 16), superblock.user_uuid.begin());
  superblock.uuid = uuid_text(superblock.user_uuid);
  const std::string_view label = as_text(fields.run(108, 12));
  superblock.label = label.substr(0, label.find('\0'));
  return superblock;
}

}  // namespace pvhgrub::fs
