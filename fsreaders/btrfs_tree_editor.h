// SPDX-License-Identifier: LGPL-2.1-or-later
// A subvolume as it is being changed in memory by the replay of its log: items, and the names of files, each
// of which stands in three places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/btrfs_key.h"
#include "fsreaders/btrfs_subvolume.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/btrfs_volume.h"

namespace pvhgrub::fs {

/// One name of an inode: the directory, and the place among its entries.
struct BtrfsReference {
  std::uint64_t directory = 0;
  std::uint64_t index = 0;
  std::string name;
  /// The index may change with the log, the name does not.
  [[nodiscard]] bool same_name(const BtrfsReference& other) const {
    return directory == other.directory && name == other.name;
  }
};

/// Of an item of kind kInodeReference or kExtendedReference.
[[nodiscard]] Result<std::vector<BtrfsReference>> parse_btrfs_references(const BtrfsKey& key, Bytes item);

/// Where an inode's names in a directory stand: first the usual place, then that of a name for which there
/// was no room.
[[nodiscard]] BtrfsKey btrfs_reference_key(std::uint64_t inode, std::uint64_t directory);
[[nodiscard]] BtrfsKey btrfs_extended_reference_key(std::uint64_t inode, const BtrfsReference& reference);

class BtrfsTreeEditor {
 public:
  using Item = std::pair<BtrfsKey, std::vector<std::byte>>;

  /// Changes nothing but `changes`. All outlive the editor.
  BtrfsTreeEditor(BtrfsVolume& volume, const BtrfsTreeRoot& root, BtrfsChanges& changes)
      : changes_(changes), tree_(volume, root, &changes) {}

  [[nodiscard]] const BtrfsTree& tree() const { return tree_; }
  [[nodiscard]] Result<std::optional<std::vector<std::byte>>> find(const BtrfsKey& key) const {
    return tree_.find(key);
  }
  /// All items of one kind of an inode.
  [[nodiscard]] Result<std::vector<Item>> items(std::uint64_t object, BtrfsItem type) const;
  /// kLimit: more is changed than is held in memory.
  [[nodiscard]] Result<void> put(const BtrfsKey& key, std::vector<std::byte> item);
  void erase(const BtrfsKey& key) { changes_[key].reset(); }

  [[nodiscard]] Result<bool> has_inode(std::uint64_t inode) const;

  /// What the name stands for; nothing where the directory has no such name.
  [[nodiscard]] Result<std::optional<BtrfsLocation>> find_name(std::uint64_t directory,
                                                               std::string_view name) const;
  /// The same by the place among the entries; nothing where another name, or none, stands there.
  [[nodiscard]] Result<std::optional<BtrfsLocation>> find_index(const BtrfsReference& reference) const;

  /// Gives an inode that is there a name that is free. `with_reference`: also notes it with the inode.
  [[nodiscard]] Result<void> add_name(std::uint64_t inode, const BtrfsReference& reference,
                                      bool with_reference);
  /// Takes it away, wherever it stands.
  [[nodiscard]] Result<void> remove_name(std::uint64_t inode, std::uint64_t directory,
                                         const std::string& name);

 private:
  [[nodiscard]] Result<void> remove_from_hash(std::uint64_t directory, std::string_view name);
  /// The name's reference, which it takes away; nothing where there is none.
  [[nodiscard]] Result<std::optional<BtrfsReference>> remove_reference(std::uint64_t inode,
                                                                       const BtrfsReference& wanted);

  BtrfsChanges& changes_;
  BtrfsTree tree_;
  std::size_t bytes_ = 0;  // of what was put
};

}  // namespace pvhgrub::fs
