// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_subvolume.h"

#include <string>

#include "base/bytes.h"
#include "base/limits.h"

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

namespace {

std::unexpected<Error> no_way_to(std::uint64_t id) {
  return fail(ErrorCode::kNotFound, "nothing leads to subvolume " + std::to_string(id));
}

// Puts a name in front of a path.
Result<void> prepend(std::string& path, Bytes name) {
  if (name.empty() || path.size() + name.size() >= limits::kPathBytes)
    return fail(ErrorCode::kLimit, "the way to a subvolume is too long");
  path.insert(0, "/" + std::string(as_text(name)));
  return {};
}

// Puts the way from the subvolume's root to a directory in front of the path. Each step makes it longer, so
// this ends.
Result<void> prepend_directories(BtrfsVolume& volume, std::uint64_t id, std::uint64_t directory,
                                 std::string& path) {
  PVHGRUB_TRY_ASSIGN(const std::optional<BtrfsTreeRoot> root, find_btrfs_tree(volume, id));
  if (!root) return no_way_to(id);
  while (directory != kBtrfsFirstFreeObject) {
    PVHGRUB_TRY_ASSIGN(const BtrfsTreeCursor cursor,
                       BtrfsTree(volume, *root).lower_bound({directory, BtrfsItem::kInodeReference, 0}));
    if (cursor.at_end() || cursor.key().object != directory ||
        cursor.key().type != BtrfsItem::kInodeReference)
      return no_way_to(id);
    ByteReader reader(cursor.item());
    PVHGRUB_TRY(reader.skip(sizeof(std::uint64_t)));  // index
    PVHGRUB_TRY_ASSIGN(const std::uint16_t length, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(length));
    PVHGRUB_TRY(prepend(path, name));
    directory = cursor.key().offset;
  }
  return {};
}

}  // namespace

Result<std::string> read_btrfs_subvolume_path(BtrfsVolume& volume, std::uint64_t id) {
  std::string path;
  const BtrfsTree roots(volume, volume.superblock().root_tree);
  while (id != kBtrfsTopLevelTree) {
    PVHGRUB_TRY_ASSIGN(const BtrfsTreeCursor cursor,
                       roots.lower_bound({id, BtrfsItem::kRootBackReference, 0}));
    if (cursor.at_end() || cursor.key().object != id || cursor.key().type != BtrfsItem::kRootBackReference)
      return no_way_to(id);
    ByteReader reader(cursor.item());
    PVHGRUB_TRY_ASSIGN(const std::uint64_t directory, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY(reader.skip(sizeof(std::uint64_t)));  // sequence
    PVHGRUB_TRY_ASSIGN(const std::uint16_t length, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(length));
    PVHGRUB_TRY(prepend(path, name));
    id = cursor.key().offset;
    PVHGRUB_TRY(prepend_directories(volume, id, directory, path));
  }
  return path;
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
