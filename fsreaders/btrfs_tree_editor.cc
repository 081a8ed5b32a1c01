// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_tree_editor.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/limits.h"
#include "fsreaders/btrfs_inode.h"

namespace pvhgrub::fs {
namespace {

// What an item takes in memory beside its bytes.
constexpr std::size_t kItemMemory = 128;

template <std::unsigned_integral T>
void append(std::vector<std::byte>& bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes.push_back(static_cast<std::byte>(std::uint64_t{value} >> (8 * i)));
}

void append(std::vector<std::byte>& bytes, std::string_view text) {
  const Bytes added = as_bytes(text);
  bytes.insert(bytes.end(), added.begin(), added.end());
}

// As parse_btrfs_names() reads it.
void append_name(std::vector<std::byte>& bytes, const BtrfsName& name) {
  append(bytes, name.location.number);
  append(bytes, static_cast<std::uint8_t>(name.location.subvolume ? BtrfsItem::kRoot : BtrfsItem::kInode));
  append(bytes, std::uint64_t{0});
  append(bytes, std::uint64_t{0});  // generation: nobody looks
  append(bytes, static_cast<std::uint16_t>(name.data.size()));
  append(bytes, static_cast<std::uint16_t>(name.name.size()));
  append(bytes, name.type);
  append(bytes, name.name);
  append(bytes, as_text(name.data));
}

void append_reference(std::vector<std::byte>& bytes, const BtrfsKey& key, const BtrfsReference& reference) {
  if (key.type == BtrfsItem::kExtendedReference) append(bytes, reference.directory);
  append(bytes, reference.index);
  append(bytes, static_cast<std::uint16_t>(reference.name.size()));
  append(bytes, std::string_view(reference.name));
}

// "DIR_ITEM": the name's CRC-32C, begun with ~1 and not inverted at its end.
BtrfsKey name_key(std::uint64_t directory, std::string_view name) {
  return {directory, BtrfsItem::kDirectoryItem, crc32c_carry(~std::uint32_t{1}, as_bytes(name))};
}

std::uint8_t type_of(const BtrfsInode& inode) {
  if (S_ISREG(inode.mode)) return 1;
  if (S_ISDIR(inode.mode)) return 2;
  if (S_ISLNK(inode.mode)) return 7;
  return 3;  // one of those that a boot does not read
}

}  // namespace

Result<std::vector<BtrfsReference>> parse_btrfs_references(const BtrfsKey& key, Bytes item) {
  std::vector<BtrfsReference> references;
  for (ByteReader reader(item); reader.remaining() > 0;) {
    BtrfsReference reference;
    reference.directory = key.offset;
    if (key.type == BtrfsItem::kExtendedReference) {
      PVHGRUB_TRY_ASSIGN(reference.directory, reader.little_endian<std::uint64_t>());
    }
    PVHGRUB_TRY_ASSIGN(reference.index, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint16_t length, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(length));
    reference.name = as_text(name);
    references.push_back(std::move(reference));
  }
  return references;
}

BtrfsKey btrfs_reference_key(std::uint64_t inode, std::uint64_t directory) {
  return {inode, BtrfsItem::kInodeReference, directory};
}

BtrfsKey btrfs_extended_reference_key(std::uint64_t inode, const BtrfsReference& reference) {
  // "INODE_EXTREF": begun with the directory's number.
  return {inode, BtrfsItem::kExtendedReference,
          crc32c_carry(static_cast<std::uint32_t>(reference.directory), as_bytes(reference.name))};
}

Result<std::vector<BtrfsTreeEditor::Item>> BtrfsTreeEditor::items(std::uint64_t object,
                                                                  BtrfsItem type) const {
  std::vector<Item> items;
  std::size_t memory = 0;
  PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor, tree_.lower_bound({object, type, 0}));
  while (!cursor.at_end() && cursor.key().object == object && cursor.key().type == type) {
    const Bytes item = cursor.item();
    memory += item.size() + kItemMemory;
    if (memory > limits::kBtrfsLogBytes)
      return fail(ErrorCode::kLimit,
                  "inode " + std::to_string(object) + ", which is in the log, is too large");
    items.emplace_back(cursor.key(), std::vector<std::byte>(item.begin(), item.end()));
    PVHGRUB_TRY(cursor.next());
  }
  return items;
}

Result<void> BtrfsTreeEditor::put(const BtrfsKey& key, std::vector<std::byte> item) {
  bytes_ += item.size() + kItemMemory;
  if (bytes_ > limits::kBtrfsLogBytes)
    return fail(ErrorCode::kLimit,
                "the log changes more than " + std::to_string(limits::kBtrfsLogBytes) + " bytes of items");
  changes_[key] = std::move(item);
  return {};
}

Result<bool> BtrfsTreeEditor::has_inode(std::uint64_t inode) const {
  PVHGRUB_TRY_ASSIGN(const auto item, find({inode, BtrfsItem::kInode, 0}));
  return item.has_value();
}

Result<std::optional<BtrfsLocation>> BtrfsTreeEditor::find_name(std::uint64_t directory,
                                                                std::string_view name) const {
  PVHGRUB_TRY_ASSIGN(const auto item, find(name_key(directory, name)));
  if (!item) return std::optional<BtrfsLocation>();
  PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsName> names, parse_btrfs_names(*item));
  const auto found = std::ranges::find(names, name, &BtrfsName::name);
  return found != names.end() ? std::optional(found->location) : std::nullopt;
}

Result<std::optional<BtrfsLocation>> BtrfsTreeEditor::find_index(const BtrfsReference& reference) const {
  PVHGRUB_TRY_ASSIGN(const auto item,
                     find({reference.directory, BtrfsItem::kDirectoryIndex, reference.index}));
  if (!item) return std::optional<BtrfsLocation>();
  PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsName> names, parse_btrfs_names(*item));
  const auto found = std::ranges::find(names, reference.name, &BtrfsName::name);
  return found != names.end() ? std::optional(found->location) : std::nullopt;
}

Result<void> BtrfsTreeEditor::add_name(std::uint64_t inode, const BtrfsReference& reference,
                                       bool with_reference) {
  PVHGRUB_TRY_ASSIGN(const BtrfsInode target, read_btrfs_inode(tree_, 0, inode));
  const BtrfsName entry{{false, inode}, type_of(target), reference.name, {}};
  const BtrfsKey key = name_key(reference.directory, reference.name);
  PVHGRUB_TRY_ASSIGN(auto names, find(key));
  std::vector<std::byte> item = names ? *std::move(names) : std::vector<std::byte>();
  append_name(item, entry);
  PVHGRUB_TRY(put(key, std::move(item)));
  std::vector<std::byte> index;
  append_name(index, entry);
  PVHGRUB_TRY(put({reference.directory, BtrfsItem::kDirectoryIndex, reference.index}, std::move(index)));
  if (!with_reference) return {};
  const BtrfsKey own = btrfs_reference_key(inode, reference.directory);
  PVHGRUB_TRY_ASSIGN(auto references, find(own));
  item = references ? *std::move(references) : std::vector<std::byte>();
  append_reference(item, own, reference);
  return put(own, std::move(item));
}

Result<void> BtrfsTreeEditor::remove_from_hash(std::uint64_t directory, std::string_view name) {
  const BtrfsKey key = name_key(directory, name);
  PVHGRUB_TRY_ASSIGN(const auto item, find(key));
  if (!item) return {};
  PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsName> names, parse_btrfs_names(*item));
  std::vector<std::byte> rest;
  for (const BtrfsName& other : names)
    if (other.name != name) append_name(rest, other);
  if (!rest.empty()) return put(key, std::move(rest));
  erase(key);
  return {};
}

Result<std::optional<BtrfsReference>> BtrfsTreeEditor::remove_reference(std::uint64_t inode,
                                                                        const BtrfsReference& wanted) {
  for (const BtrfsKey& key :
       {btrfs_reference_key(inode, wanted.directory), btrfs_extended_reference_key(inode, wanted)}) {
    PVHGRUB_TRY_ASSIGN(const auto item, find(key));
    if (!item) continue;
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsReference> references, parse_btrfs_references(key, *item));
    std::optional<BtrfsReference> found;
    std::vector<std::byte> rest;
    for (const BtrfsReference& reference : references) {
      if (reference.same_name(wanted))
        found = reference;
      else
        append_reference(rest, key, reference);
    }
    if (!found) continue;
    if (rest.empty())
      erase(key);
    else
      PVHGRUB_TRY(put(key, std::move(rest)));
    return found;
  }
  return std::optional<BtrfsReference>();
}

Result<void> BtrfsTreeEditor::remove_name(std::uint64_t inode, std::uint64_t directory,
                                          const std::string& name) {
  PVHGRUB_TRY(remove_from_hash(directory, name));
  PVHGRUB_TRY_ASSIGN(const std::optional<BtrfsReference> reference,
                     remove_reference(inode, {directory, 0, name}));
  if (!reference) return {};
  PVHGRUB_TRY_ASSIGN(const auto at_index, find_index(*reference));
  if (at_index) erase({directory, BtrfsItem::kDirectoryIndex, reference->index});
  return {};
}

}  // namespace pvhgrub::fs
