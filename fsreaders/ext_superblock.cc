// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_superblock.h"

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>

#include "base/hexadecimal.h"
#include "base/limits.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::string_view kWhere = "ext superblock at byte 1024";

struct FeatureName {
  std::uint32_t bit;
  std::string_view name;
};

// The names of mke2fs(8) and ext4(5), for a refusal that a person can look up.
constexpr FeatureName kIncompatibleNames[] = {{EXT2_FEATURE_INCOMPAT_COMPRESSION, "compression"},
                                              {EXT4_FEATURE_INCOMPAT_DIRDATA, "dirdata"}};

// What this reader knows: everything that Linux 6.x knows but journal_dev, which is no file system.
constexpr std::uint32_t kKnownIncompatible =
    EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_RECOVER | EXT2_FEATURE_INCOMPAT_META_BG |
    EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_MMP |
    EXT4_FEATURE_INCOMPAT_FLEX_BG | EXT4_FEATURE_INCOMPAT_EA_INODE | EXT4_FEATURE_INCOMPAT_CSUM_SEED |
    EXT4_FEATURE_INCOMPAT_LARGEDIR | EXT4_FEATURE_INCOMPAT_INLINE_DATA | EXT4_FEATURE_INCOMPAT_ENCRYPT |
    EXT4_FEATURE_INCOMPAT_CASEFOLD;

std::string hexadecimal(std::uint32_t value) {
  char digits[8];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value, 16);
  return "0x" + std::string(std::begin(digits), end.ptr);
}

std::string feature_names(std::uint32_t features) {
  std::string text;
  for (unsigned index = 0; index < 32; ++index) {
    const std::uint32_t bit = std::uint32_t{1} << index;
    if ((features & bit) == 0) continue;
    if (!text.empty()) text += ", ";
    const auto* known = std::ranges::find(kIncompatibleNames, bit, &FeatureName::bit);
    text += known != std::end(kIncompatibleNames) ? std::string(known->name) : "bit " + hexadecimal(bit);
  }
  return text;
}

std::unexpected<Error> damaged(std::string message) {
  return fail(ErrorCode::kDamaged, std::move(message), std::string(kWhere));
}

Result<void> check_features(std::uint32_t incompat) {
  if ((incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV) != 0)
    return fail(ErrorCode::kUnsupported,
                "this is the external journal of an ext file system, not a file system", std::string(kWhere));
  if (const std::uint32_t unknown = incompat & ~kKnownIncompatible; unknown != 0)
    return fail(ErrorCode::kUnsupported,
                "the ext file system has features that this program does not know: " + feature_names(unknown),
                std::string(kWhere));
  return {};
}

// Sizes of blocks, inodes and descriptors, as ext4's mount checks them.
Result<void> read_sizes(const LittleEndianFields& fields, ExtSuperblock& superblock) {
  const std::uint32_t revision = fields.u32(0x4c);
  if (revision > EXT2_DYNAMIC_REV)
    return fail(ErrorCode::kUnsupported, "ext revision " + std::to_string(revision) + " is unknown",
                std::string(kWhere));
  const std::uint32_t log_block_size = fields.u32(0x18);
  if (log_block_size > EXT2_MAX_BLOCK_LOG_SIZE - EXT2_MIN_BLOCK_LOG_SIZE)
    return damaged("the block size 2^(10+" + std::to_string(log_block_size) + ") is over 65536 bytes");
  superblock.block_size = std::uint32_t{1024} << log_block_size;
  superblock.inode_size = revision == EXT2_GOOD_OLD_REV ? EXT2_GOOD_OLD_INODE_SIZE : fields.u16(0x58);
  if (superblock.inode_size < EXT2_GOOD_OLD_INODE_SIZE || superblock.inode_size > superblock.block_size ||
      !std::has_single_bit(superblock.inode_size))
    return damaged("an inode has " + std::to_string(superblock.inode_size) + " bytes");
  const bool wide = (superblock.feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT) != 0;
  superblock.descriptor_size = wide ? fields.u16(0xfe) : EXT2_MIN_DESC_SIZE;
  if (superblock.descriptor_size < (wide ? std::uint32_t{EXT2_MIN_DESC_SIZE_64BIT} : EXT2_MIN_DESC_SIZE) ||
      superblock.descriptor_size > 1024 || !std::has_single_bit(superblock.descriptor_size))
    return damaged("a group descriptor has " + std::to_string(superblock.descriptor_size) + " bytes");
  return {};
}

// How many blocks and groups there are, held against the source, before libext2fs allocates for them.
Result<void> read_geometry(const LittleEndianFields& fields, std::uint64_t source_size,
                           ExtSuperblock& superblock) {
  const bool wide = (superblock.feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT) != 0;
  superblock.blocks_count = fields.u32(0x04) | (wide ? std::uint64_t{fields.u32(0x150)} << 32U : 0);
  if (superblock.blocks_count > source_size / superblock.block_size)
    return damaged("the file system has " + std::to_string(superblock.blocks_count) + " blocks of " +
                   std::to_string(superblock.block_size) + " bytes, but the partition only " +
                   std::to_string(source_size) + " bytes: is the image cut off?");
  const std::uint32_t first_block = fields.u32(0x14);
  if (first_block >= superblock.blocks_count) return damaged("the first data block lies past the last block");
  const std::uint32_t blocks_per_group = fields.u32(0x20);
  const std::uint32_t inodes_per_group = fields.u32(0x28);
  const std::uint32_t inodes_per_block = superblock.block_size / superblock.inode_size;
  if (blocks_per_group < 8 || inodes_per_group < inodes_per_block ||
      inodes_per_group > 8 * superblock.block_size)
    return damaged("a group has " + std::to_string(blocks_per_group) + " blocks and " +
                   std::to_string(inodes_per_group) + " inodes");
  superblock.groups_count = (superblock.blocks_count - first_block - 1) / blocks_per_group + 1;
  superblock.inodes_count = fields.u32(0x00);
  if (superblock.inodes_count < EXT2_GOOD_OLD_FIRST_INO ||
      superblock.inodes_count > superblock.groups_count * inodes_per_group)
    return damaged(std::to_string(superblock.inodes_count) + " inodes do not fit into " +
                   std::to_string(superblock.groups_count) + " groups");
  // groups_count < 2^48 and the size at most 1024: no overflow.
  if (superblock.groups_count * superblock.descriptor_size > limits::kExtGroupDescriptorBytes)
    return fail(ErrorCode::kLimit,
                "the descriptors of " + std::to_string(superblock.groups_count) +
                    " block groups are more than the " + std::to_string(limits::kExtGroupDescriptorBytes) +
                    " bytes that are read of them",
                std::string(kWhere));
  return {};
}

}  // namespace

bool ExtSuperblock::has_journal() const {
  return (feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL) != 0;
}

bool ExtSuperblock::needs_recovery() const {
  return (feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER) != 0;
}

// What e2fsck must do first, or whoever has it mounted, would meet bytes that changed under it. A feature
// that only readers may not know (its read-only compatible ones) may mean that contents have a checksum or a
// second user: so those that are known to leave contents alone are listed, and all others refuse.
std::string ExtSuperblock::overwriting_obstacle() const {
  constexpr std::uint32_t kMultiMountProtection = EXT4_FEATURE_INCOMPAT_MMP;
  constexpr std::uint32_t kHarmless =
      EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
      EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
      EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_QUOTA | EXT4_FEATURE_RO_COMPAT_BIGALLOC |
      EXT4_FEATURE_RO_COMPAT_METADATA_CSUM | EXT4_FEATURE_RO_COMPAT_PROJECT | EXT4_FEATURE_RO_COMPAT_VERITY;
  if (needs_recovery())
    return "its journal must be replayed first: the file system is mounted, or was not shut down cleanly";
  if ((state & EXT2_ERROR_FS) != 0) return "the file system is marked as damaged; run e2fsck on it";
  if ((state & EXT2_VALID_FS) == 0)
    return "the file system is marked as in use: it is mounted, or was not shut down cleanly";
  if ((feature_incompat & kMultiMountProtection) != 0)
    return "the file system is meant to be shared by several machines (mmp)";
  if ((feature_ro_compat & EXT4_FEATURE_RO_COMPAT_SHARED_BLOCKS) != 0)
    return "files of the file system share blocks (shared_blocks)";
  if ((feature_ro_compat & EXT4_FEATURE_RO_COMPAT_READONLY) != 0)
    return "the file system is marked as read-only (tune2fs -O ^read-only takes that away)";
  if (const std::uint32_t unknown = feature_ro_compat & ~kHarmless; unknown != 0)
    return "the file system has a feature that allows only reading here (" + hexadecimal(unknown) + ")";
  return {};
}

Result<ExtSuperblock> parse_ext_superblock(Bytes bytes, std::uint64_t source_size) {
  if (bytes.size() < kExtSuperblockBytes) return damaged("the superblock is cut off");
  const LittleEndianFields fields(bytes);
  if (fields.u16(0x38) != EXT2_SUPER_MAGIC)
    return fail(ErrorCode::kUnsupported, "not an ext2, ext3 or ext4 file system");
  ExtSuperblock superblock;
  superblock.feature_compat = fields.u32(0x5c);
  superblock.feature_incompat = fields.u32(0x60);
  superblock.feature_ro_compat = fields.u32(0x64);
  if (fields.u32(0x4c) == EXT2_GOOD_OLD_REV)  // the feature words do not exist yet
    superblock.feature_compat = superblock.feature_incompat = superblock.feature_ro_compat = 0;
  PVHGRUB_TRY(check_features(superblock.feature_incompat));
  PVHGRUB_TRY(read_sizes(fields, superblock));
  PVHGRUB_TRY(read_geometry(fields, source_size, superblock));
  superblock.state = fields.u16(0x3a);
  superblock.journal_inode = fields.u32(0xe0);
  superblock.uuid = uuid_text(fields.run(0x68, 16));
  const std::string_view label = as_text(fields.run(0x78, EXT2_LABEL_LEN));
  superblock.label = label.substr(0, label.find('\0'));
  return superblock;
}

}  // namespace pvhgrub::fs
