// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_inode.h"

#include <bit>
#include <optional>
#include <vector>

#include "fsreaders/btrfs_subvolume.h"
#include "fsreaders/file_mode.h"

namespace pvhgrub::fs {
namespace {

// "INODE_ITEM".
constexpr std::size_t kSizeOffset = 16;
constexpr std::size_t kModeOffset = 52;
constexpr std::size_t kFlagsOffset = 64;
constexpr std::size_t kModificationTimeOffset = 136;

std::optional<FileType> type_of_entry(std::uint8_t type) {
  switch (type) {  // "DIR_ITEM", type
    case 1:
      return FileType::kRegular;
    case 2:
      return FileType::kDirectory;
    case 3:
    case 4:
    case 5:
    case 6:
      return FileType::kOther;
    case 7:
      return FileType::kSymlink;
    default:
      return std::nullopt;
  }
}

}  // namespace

FileType BtrfsInode::type() const {
  return type_of_mode(mode);
}

Result<BtrfsInode> read_btrfs_inode(const BtrfsTree& tree, std::uint32_t subvolume, std::uint64_t number) {
  BtrfsInode inode;
  inode.subvolume = subvolume;
  inode.number = number;
  if (number >= kBtrfsInodeNumbers)
    return fail(ErrorCode::kDamaged, inode.name() + " is no inode's number; run `btrfs check` in the guest");
  PVHGRUB_TRY_ASSIGN(const auto item, tree.find({number, BtrfsItem::kInode, 0}));
  if (!item) return fail(ErrorCode::kDamaged, inode.name() + " is missing; run `btrfs check` in the guest");
  ByteReader reader(*item);
  PVHGRUB_TRY(reader.seek(kSizeOffset));
  PVHGRUB_TRY_ASSIGN(inode.size, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kModeOffset));
  PVHGRUB_TRY_ASSIGN(inode.mode, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.seek(kFlagsOffset));
  PVHGRUB_TRY_ASSIGN(inode.flags, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kModificationTimeOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint64_t seconds, reader.little_endian<std::uint64_t>());
  inode.modification_time = std::bit_cast<std::int64_t>(seconds);
  return inode;
}

Result<DirectoryListing> read_btrfs_directory(const BtrfsTree& tree, const BtrfsInode& inode) {
  DirectoryListing listing;
  const BtrfsKey first{inode.number, BtrfsItem::kDirectoryItem, 0};
  PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor, tree.lower_bound(first));
  while (!cursor.at_end() && cursor.key().object == first.object && cursor.key().type == first.type) {
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsName> names, parse_btrfs_names(cursor.item()));
    for (const BtrfsName& name : names) {
      if (name.location.number >= kBtrfsSubvolumeHandle) continue;  // no number of a file
      const std::uint64_t handle =
          name.location.number | (name.location.subvolume ? kBtrfsSubvolumeHandle : std::uint64_t{0});
      PVHGRUB_TRY(listing.add(name.name, handle, type_of_entry(name.type)));
    }
    PVHGRUB_TRY(cursor.next());
  }
  listing.finish();
  return listing;
}

}  // namespace pvhgrub::fs
