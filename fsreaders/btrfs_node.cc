// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_node.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/checked.h"

namespace pvhgrub::fs {
namespace {

// "Header" of the on-disk format: what stands before a node's entries.
constexpr std::size_t kHeaderBytes = 101;
constexpr std::size_t kChecksumField = 32;
constexpr std::uint8_t kLevels = 8;  // BTRFS_MAX_LEVEL

std::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::kDamaged, "a btrfs tree node " + what + "; run `btrfs check` in the guest");
}

}  // namespace

Result<BtrfsNode> BtrfsNode::parse(std::vector<std::byte> bytes, const BtrfsTreeRoot& place,
                                   const BtrfsSuperblock& superblock) {
  if (!btrfs_checksum_matches(superblock.checksum, Bytes(bytes).subspan(kChecksumField),
                              Bytes(bytes).first(kChecksumField)))
    return damaged("with a wrong checksum (" + std::string(btrfs_checksum_name(superblock.checksum)) + ")");
  BtrfsNode node;
  node.bytes_ = std::move(bytes);
  ByteReader reader(node.bytes_);
  PVHGRUB_TRY(reader.skip(kChecksumField));
  PVHGRUB_TRY_ASSIGN(const Bytes fsid, reader.take(superblock.metadata_fsid.size()));
  PVHGRUB_TRY_ASSIGN(node.logical_, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.skip(8 + 16));  // flags, chunk tree's UUID
  PVHGRUB_TRY_ASSIGN(node.generation_, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.skip(8));  // owner
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(node.level_, reader.little_endian<std::uint8_t>());
  if (!std::ranges::equal(fsid, superblock.metadata_fsid)) return damaged("of another file system");
  if (node.logical_ != place.logical)
    return damaged("that belongs at logical byte " + std::to_string(node.logical_));
  if (node.generation_ != place.generation)
    return damaged("of generation " + std::to_string(node.generation_) + " where " +
                   std::to_string(place.generation) + " is wanted (a write that was lost)");
  if (node.level_ != place.level || node.level_ >= kLevels)
    return damaged("of level " + std::to_string(node.level_) + " where " + std::to_string(place.level) +
                   " is wanted");
  PVHGRUB_TRY(node.parse_entries(count));
  return node;
}

Result<void> BtrfsNode::parse_entries(std::uint32_t count) {
  const std::size_t entry_bytes = kBtrfsKeyBytes + (level_ == 0 ? 8 : 16);
  if (count > (bytes_.size() - kHeaderBytes) / entry_bytes)
    return damaged("with " + std::to_string(count) + " entries, which do not fit");
  entries_.reserve(count);
  ByteReader reader(bytes_);
  PVHGRUB_TRY(reader.seek(kHeaderBytes));
  for (std::uint32_t i = 0; i < count; ++i) {
    Entry entry;
    PVHGRUB_TRY_ASSIGN(entry.key, read_btrfs_key(reader));
    if (level_ > 0) {
      PVHGRUB_TRY_ASSIGN(entry.child, reader.little_endian<std::uint64_t>());
      PVHGRUB_TRY_ASSIGN(entry.generation, reader.little_endian<std::uint64_t>());
    } else {
      PVHGRUB_TRY_ASSIGN(const std::uint32_t offset, reader.little_endian<std::uint32_t>());
      PVHGRUB_TRY_ASSIGN(entry.size, reader.little_endian<std::uint32_t>());
      const std::uint64_t begin = std::uint64_t{offset} + kHeaderBytes;
      if (!range_inside<std::uint64_t>(begin, entry.size, bytes_.size()))
        return damaged("with an item that lies outside of it");
      entry.offset = static_cast<std::uint32_t>(begin);
    }
    if (!entries_.empty() && !(entries_.back().key < entry.key))
      return damaged("whose keys are not in their order");
    entries_.push_back(entry);
  }
  if (level_ == 0) return {};
  if (entries_.empty()) return damaged("of level " + std::to_string(level_) + " without children");
  bytes_ = {};
  return {};
}

std::optional<std::size_t> BtrfsNode::floor(const BtrfsKey& key) const {
  const auto above = std::ranges::upper_bound(entries_, key, {}, &Entry::key);
  if (above == entries_.begin()) return std::nullopt;
  return static_cast<std::size_t>(above - entries_.begin()) - 1;
}

}  // namespace pvhgrub::fs
