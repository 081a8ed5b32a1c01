// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/btrfs_key.h"
#include "fsreaders/btrfs_superblock.h"

namespace pvhgrub::fs {

/// One node of a btrfs tree, its order and the bounds of its items checked. Keys ascend, all different.
class BtrfsNode {
 public:
  struct Entry {
    BtrfsKey key;
    std::uint64_t child = 0;       ///< of an inner node: the child's logical address
    std::uint64_t generation = 0;  ///< of an inner node: that the child must have
    std::uint32_t offset = 0;      ///< of a leaf: the item's bytes within the node
    std::uint32_t size = 0;
  };

  /// Parses what was read of `place`. kDamaged: it is another node, an older one, or no node.
  [[nodiscard]] static Result<BtrfsNode> parse(std::vector<std::byte> bytes, const BtrfsTreeRoot& place,
                                               const BtrfsSuperblock& superblock);

  [[nodiscard]] std::uint64_t logical() const { return logical_; }
  [[nodiscard]] std::uint8_t level() const { return level_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// An item of a leaf; lives as long as the node.
  [[nodiscard]] Bytes item(std::size_t index) const {
    const Entry& entry = entries_[index];
    return Bytes(bytes_).subspan(entry.offset, entry.size);
  }
  /// The last entry whose key is `key` or below; nothing where all are above.
  [[nodiscard]] std::optional<std::size_t> floor(const BtrfsKey& key) const;
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return bytes_.capacity() + entries_.capacity() * sizeof(Entry); }

 private:
  [[nodiscard]] Result<void> parse_entries(std::uint32_t count);

  std::uint64_t logical_ = 0;
  std::uint64_t generation_ = 0;
  std::uint8_t level_ = 0;
  std::vector<std::byte> bytes_;  // empty for an inner node, whose entries say all
  std::vector<Entry> entries_;
};

}  // namespace pvhgrub::fs
