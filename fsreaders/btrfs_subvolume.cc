// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_subvolume.h"

#include <string>

#include "base/bytes.h"

namespace pvhgrub::fs {
namespace {

// "ROOT_ITEM": behind an inode item.
constexpr std::size_t kGenerationOffset = 160;
constexpr std::size_t kLogicalOffset = 176;
constexpr std::size_t kReferencesOffset = 216;
constexpr std::size_t kLevelOffset = 238;

constexpr std::uint8_t kNameIsEncrypted = 0x80;

}  // namespace

Result<BtrfsTreeRoot> parse_btrfs_root_item(Bytes item) {
  BtrfsTreeRoot root;
  ByteReader reader(item);
  PVHGRUB_TRY(reader.seek(kGenerationOffset));
  PVHGRUB_TRY_ASSIGN(root.generation, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kLogicalOffset));
  PVHGRUB_TRY_ASSIGN(root.logical, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kLevelOffset));
  PVHGRUB_TRY_ASSIGN(root.level, reader.little_endian<std::uint8_t>());
  return root;
}

Result<std::optional<BtrfsTreeRoot>> find_btrfs_tree(BtrfsVolume& volume, std::uint64_t id) {
  // A snapshot's key tells the generation that it was made in; the newest counts.
  const BtrfsTree tree(volume, volume.superblock().root_tree);
  PVHGRUB_TRY_ASSIGN(const BtrfsTreeCursor cursor, tree.floor({id, BtrfsItem::kRoot, ~std::uint64_t{0}}));
  if (cursor.at_end() || cursor.key().object != id || cursor.key().type != BtrfsItem::kRoot)
    return std::optional<BtrfsTreeRoot>();
  ByteReader reader(cursor.item());
  PVHGRUB_TRY(reader.seek(kReferencesOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint32_t references, reader.little_endian<std::uint32_t>());
  if (references == 0) return std::optional<BtrfsTreeRoot>();
  PVHGRUB_TRY_ASSIGN(const BtrfsTreeRoot root, parse_btrfs_root_item(cursor.item()));
  return std::optional(root);
}

Result<std::uint64_t> read_btrfs_default_subvolume(BtrfsVolume& volume) {
  const BtrfsTree tree(volume, volume.superblock().root_tree);
  const std::uint64_t directory = volume.superblock().root_directory;
  PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor, tree.lower_bound({directory, BtrfsItem::kDirectoryItem, 0}));
  for (; !cursor.at_end() && cursor.key().object == directory &&
         cursor.key().type == BtrfsItem::kDirectoryItem;) {
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsName> names, parse_btrfs_names(cursor.item()));
    for (const BtrfsName& name : names)
      if (name.name == "default" && name.location.subvolume) return name.location.number;
    PVHGRUB_TRY(cursor.next());
  }
  return kBtrfsTopLevelTree;
}

Result<std::vector<BtrfsName>> parse_btrfs_names(Bytes item) {
  std::vector<BtrfsName> names;
  for (ByteReader reader(item); reader.remaining() > 0;) {
    BtrfsName name;
    PVHGRUB_TRY_ASSIGN(const BtrfsKey location, read_btrfs_key(reader));
    PVHGRUB_TRY(reader.skip(sizeof(std::uint64_t)));  // generation
    PVHGRUB_TRY_ASSIGN(const std::uint16_t data_length, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint16_t name_length, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(name.type, reader.little_endian<std::uint8_t>());
    name.type &= static_cast<std::uint8_t>(~kNameIsEncrypted);
    PVHGRUB_TRY_ASSIGN(const Bytes text, reader.take(name_length));
    name.name = as_text(text);
    PVHGRUB_TRY_ASSIGN(name.data, reader.take(data_length));
    name.location = {location.type == BtrfsItem::kRoot, location.object};
    names.push_back(name);
  }
  return names;
}

}  // namespace pvhgrub::fs
