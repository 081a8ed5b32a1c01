// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>

#include "base/checked.h"
#include "base/crc32c.h"
#include "fsreaders/ufs_volume.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kSuperblockBytes = 1376;
constexpr std::size_t kMagicOffset = 1372;
constexpr std::size_t kCheckHashOffset = 1304;
constexpr std::uint64_t kUfs2Place = 65'536;
constexpr std::uint64_t kUfs1Place = 8192;
// fs.h, SBLOCKSEARCH: hard disks of UFS2 and UFS1, diskettes, and behind a large loader.
constexpr std::array kPlaces = {kUfs2Place, kUfs1Place, std::uint64_t{0}, std::uint64_t{262'144}};

constexpr std::uint32_t kUfs1Magic = 0x011954;
constexpr std::uint32_t kUfs2Magic = 0x19540119;
constexpr std::uint32_t kUfs2ExtendedMagic =
    0x19012038;  // NetBSD 10, FS_UFS2EA_MAGIC: as UFS2 but for attributes

constexpr std::uint32_t kFlagSoftUpdates = 0x02;
constexpr std::uint32_t kFlagNeedsCheck = 0x04;
constexpr std::uint32_t kFlagSoftUpdatesJournal = 0x08;
constexpr std::uint32_t kFlagJournal = 0x40;         // gjournal
constexpr std::uint32_t kFlagNetbsdJournal = 0x100;  // WAPBL
constexpr std::uint32_t kFlagCheckHashes = 0x200;
constexpr std::uint32_t kCheckHashOfSuperblock = 0x01;

std::unexpected<Error> damaged(const std::string& what, std::uint64_t place) {
  return fail(ErrorCode::kDamaged, "the UFS superblock says " + what + "; run fsck_ffs on it in the guest",
              "offset " + std::to_string(place));
}

std::string text_at(Bytes superblock, std::size_t offset, std::size_t length) {
  const std::string_view text = as_text(superblock.subspan(offset, length));
  return std::string(text.substr(0, text.find('\0')));
}

// As GRUB prints fs_id: two numbers of eight digits; none where both are 0.
std::string uuid_of(const LittleEndianFields& fields) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::uint64_t id = (std::uint64_t{fields.u32(144)} << 32U) | fields.u32(148);
  std::string text;
  if (id == 0) return text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(id >> static_cast<unsigned>(shift)) & 0xFU];
  return text;
}

std::string journal_of(std::uint32_t flags) {
  if ((flags & (kFlagSoftUpdatesJournal | kFlagJournal | kFlagNetbsdJournal)) != 0)
    return "its journal is not replayed here";
  return (flags & kFlagSoftUpdates) != 0 ? "it has soft updates and no journal" : "it has no journal";
}

// fs_ckhash: CRC-32C without the last inversion, over fs_sbsize bytes with the hash itself as 0.
Result<bool> has_wrong_check_hash(BlockSource& source, std::uint64_t place,
                                  const LittleEndianFields& fields) {
  if ((fields.u32(1312) & kFlagCheckHashes) == 0 || (fields.u32(1308) & kCheckHashOfSuperblock) == 0)
    return false;
  const std::uint32_t size = fields.u32(104);
  if (size < kSuperblockBytes || size > 8192 || !range_inside<std::uint64_t>(place, size, source.size()))
    return true;
  std::vector<std::byte> bytes(size);
  PVHGRUB_TRY(source.read_at(place, bytes));
  std::fill_n(bytes.begin() + kCheckHashOffset, 4, std::byte{0});
  return crc32c_carry(~std::uint32_t{0}, bytes) != fields.u32(kCheckHashOffset);
}

Result<UfsSuperblock> parse(BlockSource& source, Bytes bytes, std::uint64_t place) {
  const LittleEndianFields fields(bytes);
  UfsSuperblock block;
  block.is_ufs2 = fields.u32(kMagicOffset) != kUfs1Magic;
  block.block_size = fields.u32(48);
  block.fragment_size = fields.u32(52);
  block.fragments_per_block = fields.u32(56);
  if (!std::has_single_bit(block.block_size) || block.block_size < 4096 || block.block_size > 65'536 ||
      !std::has_single_bit(block.fragment_size) || block.fragment_size < 512 ||
      block.fragment_size > block.block_size || block.block_size / block.fragment_size > 8 ||
      block.fragments_per_block != block.block_size / block.fragment_size)
    return damaged("blocks have " + std::to_string(block.block_size) + " bytes, fragments " +
                       std::to_string(block.fragment_size),
                   place);
  // UFS1's inodes before 4.4BSD have other names in directories.
  if (!block.is_ufs2 && fields.u32(1324) != 2)
    return fail(ErrorCode::kUnsupported, "a UFS1 of 4.2BSD, from before 1993; fsck_ffs -c 2 converts it",
                "offset " + std::to_string(place));
  block.fragments = block.is_ufs2 ? fields.u64(1080) : fields.u32(36);
  block.groups = fields.u32(44);
  block.inodes_per_group = fields.u32(184);
  block.fragments_per_group = fields.u32(188);
  block.inode_table = fields.u32(16);
  if (!block.is_ufs2) {
    block.group_offset = fields.u32(24);
    block.group_mask = fields.u32(28);
  }
  const std::uint64_t inode_bytes = std::uint64_t{block.inodes_per_group} * block.inode_bytes();
  if (block.groups == 0 || block.inodes_per_group == 0 ||
      inode_bytes > std::uint64_t{block.fragments_per_group} * block.fragment_size ||
      block.inode_table >= block.fragments_per_group || block.fragments == 0 ||
      block.fragments > UINT64_MAX / block.fragment_size)
    return damaged(std::to_string(block.groups) + " groups of " + std::to_string(block.fragments_per_group) +
                       " fragments and " + std::to_string(block.inodes_per_group) + " inodes",
                   place);
  block.short_link_bytes =
      std::min(fields.u32(1320), static_cast<std::uint32_t>((12 + 3) * block.pointer_bytes()));
  block.uuid = uuid_of(fields);
  block.label = text_at(bytes, 680, 32);
  const std::uint32_t flags = fields.u32(1312);
  if (fields.u8(209) == 0 || (flags & kFlagNeedsCheck) != 0)
    block.notes.push_back("UFS was not shut down cleanly and " + journal_of(flags) +
                          ": what was written last may be missing; fsck_ffs in the guest mends it");
  PVHGRUB_TRY_ASSIGN(const bool wrong_hash, has_wrong_check_hash(source, place, fields));
  if (wrong_hash)
    block.notes.push_back("the check hash of the UFS superblock is wrong; run fsck_ffs in the guest");
  return block;
}

}  // namespace

Result<UfsSuperblock> read_ufs_superblock(BlockSource& source) {
  for (const std::uint64_t place : kPlaces) {
    std::array<std::byte, kSuperblockBytes> bytes{};
    if (!range_inside<std::uint64_t>(place, bytes.size(), source.size())) continue;
    PVHGRUB_TRY(source.read_at(place, bytes));
    const LittleEndianFields fields{Bytes(bytes)};
    const std::uint32_t magic = fields.u32(kMagicOffset);
    const std::uint32_t swapped = __builtin_bswap32(magic);
    if (swapped == kUfs1Magic || swapped == kUfs2Magic || swapped == kUfs2ExtendedMagic)
      return fail(ErrorCode::kUnsupported, "UFS of a big-endian machine, whose guests cannot run here",
                  "offset " + std::to_string(place));
    // At 65536 a UFS1 may have a copy; and a UFS2 says where it should lie.
    if (magic == kUfs1Magic && place != kUfs2Place) return parse(source, bytes, place);
    if ((magic == kUfs2Magic || magic == kUfs2ExtendedMagic) && fields.u64(1000) == place)
      return parse(source, bytes, place);
  }
  return fail(ErrorCode::kUnsupported, "not a UFS file system");
}

}  // namespace pvhgrub::fs
