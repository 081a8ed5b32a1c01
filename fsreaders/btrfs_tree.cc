// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_tree.h"

#include <utility>

#include "fsreaders/btrfs_volume.h"

namespace pvhgrub::fs {
namespace {

std::unexpected<Error> wrong_order(const BtrfsVolume& volume, const BtrfsNode& node) {
  return fail(ErrorCode::kDamaged,
              "a btrfs tree whose nodes are not in the order of their keys; run `btrfs check` in the guest",
              volume.place_name(node.logical()));
}

// The child of an inner node, which must begin with the key that the node has for it.
Result<std::shared_ptr<const BtrfsNode>> child_of(BtrfsVolume& volume, const BtrfsNode& parent,
                                                  std::size_t index) {
  const BtrfsNode::Entry& entry = parent.entries()[index];
  const auto level = static_cast<std::uint8_t>(parent.level() - 1);
  PVHGRUB_TRY_ASSIGN(std::shared_ptr<const BtrfsNode> child,
                     volume.node({entry.child, entry.generation, level}));
  if (child->entries().empty() || child->entries().front().key != entry.key)
    return wrong_order(volume, *child);
  return child;
}

}  // namespace

const BtrfsKey& BtrfsTreeCursor::tree_key() const {
  const Step& leaf = path_.back();
  return leaf.node->entries()[leaf.index].key;
}

const BtrfsKey& BtrfsTreeCursor::key() const {
  return in_changes_ ? change_->first : tree_key();
}

Bytes BtrfsTreeCursor::item() const {
  return in_changes_ ? Bytes(*change_->second) : path_.back().node->item(path_.back().index);
}

Result<void> BtrfsTreeCursor::descend_first() {
  while (path_.back().node->level() > 0) {
    PVHGRUB_TRY_ASSIGN(std::shared_ptr<const BtrfsNode> child,
                       child_of(*volume_, *path_.back().node, path_.back().index));
    path_.push_back({std::move(child), 0});
  }
  return {};
}

Result<void> BtrfsTreeCursor::next_in_tree() {
  const BtrfsKey before = tree_key();
  while (!path_.empty() && ++path_.back().index >= path_.back().node->entries().size()) path_.pop_back();
  if (path_.empty()) return {};
  PVHGRUB_TRY(descend_first());
  // Else a node that several parents name would be gone through again and again.
  if (!(before < tree_key())) return wrong_order(*volume_, *path_.back().node);
  return {};
}

Result<void> BtrfsTreeCursor::settle() {
  in_changes_ = false;
  if (changes_ == nullptr) return {};
  while (change_ != changes_->end() && (path_.empty() || change_->first <= tree_key())) {
    if (!path_.empty() && change_->first == tree_key()) PVHGRUB_TRY(next_in_tree());
    if (change_->second) {
      in_changes_ = true;
      return {};
    }
    ++change_;
  }
  return {};
}

Result<void> BtrfsTreeCursor::next() {
  PVHGRUB_TRY(volume_->budget().charge_steps(1, "reading btrfs trees"));
  if (in_changes_)
    ++change_;
  else
    PVHGRUB_TRY(next_in_tree());
  return settle();
}

// The way to the last item at or below `key`; `above`: there is none, and it leads to the first item.
Result<std::vector<BtrfsTreeCursor::Step>> BtrfsTree::path_to(const BtrfsKey& key, bool& above) const {
  std::vector<BtrfsTreeCursor::Step> path;
  PVHGRUB_TRY_ASSIGN(std::shared_ptr<const BtrfsNode> node, volume_->node(root_));
  for (;;) {
    const std::optional<std::size_t> index = node->floor(key);
    above = !index;
    path.push_back({node, index.value_or(0)});
    if (node->level() == 0) break;
    PVHGRUB_TRY_ASSIGN(node, child_of(*volume_, *path.back().node, path.back().index));
  }
  if (node->entries().empty()) path.clear();  // an empty tree is one empty leaf
  return path;
}

Result<BtrfsTreeCursor> BtrfsTree::lower_bound(const BtrfsKey& key) const {
  BtrfsTreeCursor cursor(*volume_, changes_);
  bool above = false;
  PVHGRUB_TRY_ASSIGN(cursor.path_, path_to(key, above));
  if (!cursor.path_.empty() && cursor.tree_key() < key) PVHGRUB_TRY(cursor.next_in_tree());
  if (changes_ != nullptr) cursor.change_ = changes_->lower_bound(key);
  PVHGRUB_TRY(cursor.settle());
  return cursor;
}

Result<BtrfsTreeCursor> BtrfsTree::floor(const BtrfsKey& key) const {
  BtrfsTreeCursor cursor(*volume_, nullptr);
  bool above = false;
  PVHGRUB_TRY_ASSIGN(cursor.path_, path_to(key, above));
  if (above) cursor.path_.clear();
  return cursor;
}

Result<std::optional<std::vector<std::byte>>> BtrfsTree::find(const BtrfsKey& key) const {
  PVHGRUB_TRY_ASSIGN(const BtrfsTreeCursor cursor, lower_bound(key));
  if (cursor.at_end() || cursor.key() != key) return std::optional<std::vector<std::byte>>();
  const Bytes item = cursor.item();
  return std::vector<std::byte>(item.begin(), item.end());
}

}  // namespace pvhgrub::fs
