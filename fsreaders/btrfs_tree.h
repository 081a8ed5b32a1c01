// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/btrfs_key.h"
#include "fsreaders/btrfs_node.h"

namespace pvhgrub::fs {

class BtrfsVolume;

/// Items that replace those of a tree, or come beside them; nothing: the item is gone.
using BtrfsChanges = std::map<BtrfsKey, std::optional<std::vector<std::byte>>>;

/// Goes through the items of a tree in the order of their keys. Lives no longer than the volume and the
/// changes, which stay as they are meanwhile.
class BtrfsTreeCursor {
 public:
  [[nodiscard]] bool at_end() const { return !in_changes_ && path_.empty(); }
  /// Of the item that it stands on: not at the end.
  [[nodiscard]] const BtrfsKey& key() const;
  /// The item's bytes, until the next step.
  [[nodiscard]] Bytes item() const;
  /// Steps to the next item, or to the end.
  [[nodiscard]] Result<void> next();

 private:
  friend class BtrfsTree;
  struct Step {
    std::shared_ptr<const BtrfsNode> node;
    std::size_t index = 0;
  };
  BtrfsTreeCursor(BtrfsVolume& volume, const BtrfsChanges* changes) : volume_(&volume), changes_(changes) {}
  [[nodiscard]] const BtrfsKey& tree_key() const;
  /// Goes down from the last step of the path to the leaf, always along the first child.
  [[nodiscard]] Result<void> descend_first();
  [[nodiscard]] Result<void> next_in_tree();
  /// Looks which of the tree's item and the changes' comes first; skips what is gone.
  [[nodiscard]] Result<void> settle();

  BtrfsVolume* volume_;
  const BtrfsChanges* changes_;
  BtrfsChanges::const_iterator change_;
  bool in_changes_ = false;  // stands on `change_`, not on the tree's item
  std::vector<Step> path_;   // from the root to the leaf; empty behind the last item
};

class BtrfsTree {
 public:
  /// `changes` may be nullptr; it and the volume outlive the tree.
  BtrfsTree(BtrfsVolume& volume, const BtrfsTreeRoot& root, const BtrfsChanges* changes = nullptr)
      : volume_(&volume), root_(root), changes_(changes) {}

  /// On the first item whose key is `key` or above.
  [[nodiscard]] Result<BtrfsTreeCursor> lower_bound(const BtrfsKey& key) const;
  /// On the last item whose key is `key` or below, without regard to changes; at the end where there is none.
  [[nodiscard]] Result<BtrfsTreeCursor> floor(const BtrfsKey& key) const;
  /// A copy of the item with that key.
  [[nodiscard]] Result<std::optional<std::vector<std::byte>>> find(const BtrfsKey& key) const;

 private:
  [[nodiscard]] Result<std::vector<BtrfsTreeCursor::Step>> path_to(const BtrfsKey& key, bool& above) const;

  BtrfsVolume* volume_;
  BtrfsTreeRoot root_;
  const BtrfsChanges* changes_;
};

}  // namespace pvhgrub::fs
