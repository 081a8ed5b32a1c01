// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_log.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/btrfs_inode.h"
#include "fsreaders/btrfs_log_extents.h"
#include "fsreaders/btrfs_subvolume.h"
#include "fsreaders/btrfs_tree_editor.h"

namespace pvhgrub::fs {
namespace {

// "INODE_ITEM".
constexpr std::size_t kGenerationOffset = 0;
constexpr std::size_t kSizeOffset = 16;
constexpr std::size_t kLinksOffset = 40;
constexpr std::size_t kModeOffset = 52;

constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

// What a replay asks of an inode.
struct LoggedInode {
  std::uint64_t generation = 0;  // 0: it is in the log for being there only, its contents are not
  std::uint64_t size = 0;
  std::uint32_t links = 0;
  std::uint32_t mode = 0;
};

Result<LoggedInode> parse_inode(Bytes item) {
  LoggedInode inode;
  ByteReader reader(item);
  PVHGRUB_TRY(reader.seek(kGenerationOffset));
  PVHGRUB_TRY_ASSIGN(inode.generation, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kSizeOffset));
  PVHGRUB_TRY_ASSIGN(inode.size, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kLinksOffset));
  PVHGRUB_TRY_ASSIGN(inode.links, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.seek(kModeOffset));
  PVHGRUB_TRY_ASSIGN(inode.mode, reader.little_endian<std::uint32_t>());
  return inode;
}

// The replay of one subvolume's log, in the order that Linux does it in (documented with the btrfs tree log's
// own rules): inodes, then what directories lost; then new entries of directories; then names and extents.
class Replay {
 public:
  Replay(BtrfsVolume& volume, const BtrfsTreeRoot& subvolume, const BtrfsTreeRoot& log, BtrfsChanges& changes)
      : volume_(volume), log_(volume, log), editor_(volume, subvolume, changes) {}

  Result<void> run() {
    PVHGRUB_TRY(each(BtrfsItem::kInode, [&](const BtrfsKey& key, Bytes item) { return inode(key, item); }));
    PVHGRUB_TRY(each(BtrfsItem::kDirectoryIndex,
                     [&](const BtrfsKey& key, Bytes item) { return directory_entry(key, item); }));
    const auto names = [&](const BtrfsKey& key, Bytes item) { return references(key, item); };
    PVHGRUB_TRY(each(BtrfsItem::kInodeReference, names));
    PVHGRUB_TRY(each(BtrfsItem::kExtendedReference, names));
    PVHGRUB_TRY(
        each(BtrfsItem::kExtentData, [&](const BtrfsKey& key, Bytes item) { return extent(key, item); }));
    return finish_extents();
  }

  /// The checksums of logged data, as changes of the checksum tree.
  Result<void> collect_checksums(BtrfsChanges& checksums) {
    std::size_t bytes = 0;
    return each(BtrfsItem::kExtentChecksum, [&](const BtrfsKey& key, Bytes item) -> Result<void> {
      bytes += item.size();
      if (bytes > limits::kBtrfsLogBytes) return fail(ErrorCode::kLimit, "too many checksums in the log");
      checksums[key] = std::vector<std::byte>(item.begin(), item.end());
      return {};
    });
  }

 private:
  // Calls `body` for each of the log's items of one kind, in order; not for those of inodes that are gone.
  template <typename Body>
  Result<void> each(BtrfsItem type, Body body) {
    PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor, log_.lower_bound({0, BtrfsItem{}, 0}));
    while (!cursor.at_end()) {
      if (cursor.key().type == type && !unlinked_.contains(cursor.key().object))
        PVHGRUB_TRY(body(cursor.key(), cursor.item()));
      PVHGRUB_TRY(cursor.next());
    }
    return {};
  }

  Result<void> inode(const BtrfsKey& key, Bytes item) {
    PVHGRUB_TRY_ASSIGN(const LoggedInode logged, parse_inode(item));
    if (logged.links == 0) {  // a temporary file without a name
      unlinked_.insert(key.object);
      return {};
    }
    if (S_ISDIR(logged.mode)) PVHGRUB_TRY(remove_lost_entries(key.object));
    PVHGRUB_TRY_ASSIGN(const std::uint64_t size, put_inode(key, item, logged));
    if (!S_ISREG(logged.mode)) return {};
    // It may have been cut before the fsync.
    const std::uint32_t sector_size = volume_.superblock().sector_size;
    const auto end = checked_align_up<std::uint64_t>(size, sector_size);
    if (!end) return {};
    PVHGRUB_TRY_ASSIGN(BtrfsLogExtents extents, BtrfsLogExtents::read(editor_, key.object, sector_size));
    PVHGRUB_TRY(extents.drop(*end, kEnd));
    return extents.write(editor_);
  }

  // The inode's size afterwards.
  Result<std::uint64_t> put_inode(const BtrfsKey& key, Bytes item, const LoggedInode& logged) {
    std::vector<std::byte> fresh(item.begin(), item.end());
    PVHGRUB_TRY_ASSIGN(const auto old_item, editor_.find(key));
    std::uint64_t size = logged.size;
    if (old_item && logged.generation == 0) {
      PVHGRUB_TRY_ASSIGN(const LoggedInode old, parse_inode(*old_item));
      fresh = *old_item;
      const bool files = S_ISREG(logged.mode) && S_ISREG(old.mode);
      size = files && logged.size != 0 ? logged.size : old.size;
      for (std::size_t i = 0; i < 8; ++i) fresh[kSizeOffset + i] = static_cast<std::byte>(size >> (8 * i));
    }
    PVHGRUB_TRY(editor_.put(key, std::move(fresh)));
    return size;
  }

  // Within the ranges of a directory's entries that the log covers, what it does not have is gone.
  Result<void> remove_lost_entries(std::uint64_t directory) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor, log_.lower_bound({directory, BtrfsItem::kDirectoryLogEnd, 0}));
    while (!cursor.at_end() && cursor.key().object == directory &&
           cursor.key().type == BtrfsItem::kDirectoryLogEnd) {
      ByteReader reader(cursor.item());
      PVHGRUB_TRY_ASSIGN(const std::uint64_t end, reader.little_endian<std::uint64_t>());
      ranges.emplace_back(cursor.key().offset, end);
      PVHGRUB_TRY(cursor.next());
    }
    if (ranges.empty()) return {};
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsTreeEditor::Item> entries,
                       editor_.items(directory, BtrfsItem::kDirectoryIndex));
    auto range = ranges.begin();
    for (const auto& [key, item] : entries) {  // both ascend
      while (range != ranges.end() && range->second < key.offset) ++range;
      if (range == ranges.end()) break;
      if (key.offset >= range->first) PVHGRUB_TRY(remove_if_not_logged(key, item));
    }
    return {};
  }

  Result<void> remove_if_not_logged(const BtrfsKey& key, Bytes item) {
    PVHGRUB_TRY_ASSIGN(const auto logged_item, log_.find(key));
    std::vector<BtrfsName> logged;
    if (logged_item) {
      PVHGRUB_TRY_ASSIGN(logged, parse_btrfs_names(*logged_item));
    }
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsName> names, parse_btrfs_names(item));
    for (const BtrfsName& name : names)
      // Subvolumes come and go with commits, never by the log.
      if (!name.location.subvolume && std::ranges::find(logged, name.name, &BtrfsName::name) == logged.end())
        PVHGRUB_TRY(editor_.remove_name(name.location.number, key.object, std::string(name.name)));
    return {};
  }

  Result<void> directory_entry(const BtrfsKey& key, Bytes item) {
    PVHGRUB_TRY_ASSIGN(const bool has_directory, editor_.has_inode(key.object));
    if (!has_directory) return {};
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsName> names, parse_btrfs_names(item));
    for (const BtrfsName& name : names)
      if (!name.location.subvolume)
        PVHGRUB_TRY(put_entry({key.object, key.offset, std::string(name.name)}, name.location.number));
    return {};
  }

  Result<void> put_entry(const BtrfsReference& reference, std::uint64_t inode) {
    PVHGRUB_TRY_ASSIGN(const bool name_matches, clear_conflict(reference, inode, false));
    PVHGRUB_TRY(clear_conflict(reference, inode, true));
    if (name_matches) return {};  // with another index, Linux leaves it as it is
    // An inode whose own names are logged gets it with them.
    PVHGRUB_TRY_ASSIGN(const bool comes_later, is_logged(inode, reference));
    PVHGRUB_TRY_ASSIGN(const bool has_inode, editor_.has_inode(inode));
    if (comes_later || !has_inode) return {};
    return editor_.add_name(inode, reference, true);
  }

  // Whether the name, or the place among the entries, is that inode's; another's is taken away.
  Result<bool> clear_conflict(const BtrfsReference& reference, std::uint64_t inode, bool by_index) {
    PVHGRUB_TRY_ASSIGN(
        const std::optional<BtrfsLocation> found,
        by_index ? editor_.find_index(reference) : editor_.find_name(reference.directory, reference.name));
    if (!found) return false;
    if (!found->subvolume && found->number == inode) return true;
    PVHGRUB_TRY(editor_.remove_name(found->number, reference.directory, reference.name));
    return false;
  }

  // Whether the log has that name of the inode.
  Result<bool> is_logged(std::uint64_t inode, const BtrfsReference& wanted) const {
    for (const BtrfsKey& key :
         {btrfs_reference_key(inode, wanted.directory), btrfs_extended_reference_key(inode, wanted)}) {
      PVHGRUB_TRY_ASSIGN(const auto item, log_.find(key));
      if (!item) continue;
      PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsReference> references, parse_btrfs_references(key, *item));
      if (std::ranges::any_of(references, [&](const auto& other) { return other.same_name(wanted); }))
        return true;
    }
    return false;
  }

  Result<void> references(const BtrfsKey& key, Bytes item) {
    PVHGRUB_TRY_ASSIGN(const bool has_inode, editor_.has_inode(key.object));
    if (!has_inode) return {};
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsReference> logged, parse_btrfs_references(key, item));
    for (const BtrfsReference& reference : logged) {
      PVHGRUB_TRY_ASSIGN(const bool has_directory, editor_.has_inode(reference.directory));
      if (!has_directory) return {};
      PVHGRUB_TRY(put_reference(key.object, reference));
    }
    PVHGRUB_TRY(remove_lost_names(key, logged));
    return editor_.put(key, {item.begin(), item.end()});
  }

  Result<void> put_reference(std::uint64_t inode, const BtrfsReference& reference) {
    PVHGRUB_TRY_ASSIGN(const auto by_name, editor_.find_name(reference.directory, reference.name));
    PVHGRUB_TRY_ASSIGN(const auto by_index, editor_.find_index(reference));
    const auto is_it = [&](const std::optional<BtrfsLocation>& found) {
      return found && !found->subvolume && found->number == inode;
    };
    if (is_it(by_name) && is_it(by_index)) return {};
    // The same name under another index, or another file's: both make room.
    for (const auto& found : {by_index, by_name})
      if (found) PVHGRUB_TRY(editor_.remove_name(found->number, reference.directory, reference.name));
    return editor_.add_name(inode, reference, false);
  }

  // Names that the inode has by an item of the subvolume, but not by the log's item of the same key.
  Result<void> remove_lost_names(const BtrfsKey& key, const std::vector<BtrfsReference>& logged) {
    PVHGRUB_TRY_ASSIGN(const auto item, editor_.find(key));
    if (!item) return {};
    PVHGRUB_TRY_ASSIGN(const std::vector<BtrfsReference> references, parse_btrfs_references(key, *item));
    for (const BtrfsReference& reference : references) {
      if (std::ranges::any_of(logged, [&](const auto& other) { return other.same_name(reference); }))
        continue;
      PVHGRUB_TRY_ASSIGN(const auto found, editor_.find_name(reference.directory, reference.name));
      if (found && !found->subvolume && found->number == key.object)
        PVHGRUB_TRY(editor_.remove_name(key.object, reference.directory, reference.name));
    }
    return {};
  }

  Result<void> extent(const BtrfsKey& key, Bytes item) {
    if (!extents_ || extents_inode_ != key.object) {
      PVHGRUB_TRY(finish_extents());
      PVHGRUB_TRY_ASSIGN(const bool has_inode, editor_.has_inode(key.object));
      if (!has_inode) return {};
      PVHGRUB_TRY_ASSIGN(extents_,
                         BtrfsLogExtents::read(editor_, key.object, volume_.superblock().sector_size));
      extents_inode_ = key.object;
    }
    return extents_->replace(key.offset, item);
  }

  Result<void> finish_extents() {
    if (!extents_) return {};
    const std::optional<BtrfsLogExtents> done = std::exchange(extents_, std::nullopt);
    return done->write(editor_);
  }

  BtrfsVolume& volume_;
  BtrfsTree log_;
  BtrfsTreeEditor editor_;
  std::set<std::uint64_t> unlinked_;
  std::optional<BtrfsLogExtents> extents_;  // of the inode whose extents are being put
  std::uint64_t extents_inode_ = 0;
};

Result<void> replay_one(BtrfsVolume& volume, std::uint64_t id, const BtrfsTreeRoot& log, BtrfsLogs& logs) {
  PVHGRUB_TRY_ASSIGN(const std::optional<BtrfsTreeRoot> subvolume, find_btrfs_tree(volume, id));
  if (!subvolume) return {};  // it was deleted meanwhile
  BtrfsChanges changes;
  BtrfsChanges checksums;
  Replay replay(volume, *subvolume, log, changes);
  PVHGRUB_TRY(replay.run());
  PVHGRUB_TRY(replay.collect_checksums(checksums));
  logs.subvolumes[id] = std::move(changes);
  logs.checksums.merge(checksums);
  return {};
}

Result<std::vector<std::pair<std::uint64_t, BtrfsTreeRoot>>> find_logs(BtrfsVolume& volume) {
  std::vector<std::pair<std::uint64_t, BtrfsTreeRoot>> logs;
  const BtrfsKey first{kBtrfsLogTree, BtrfsItem::kRoot, 0};
  PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor,
                     BtrfsTree(volume, *volume.superblock().log_tree).lower_bound(first));
  while (!cursor.at_end() && cursor.key().object == first.object && cursor.key().type == first.type) {
    if (logs.size() >= limits::kBtrfsLogs)
      return fail(ErrorCode::kLimit,
                  "more than " + std::to_string(limits::kBtrfsLogs) + " subvolumes have a log");
    PVHGRUB_TRY_ASSIGN(const BtrfsTreeRoot root, parse_btrfs_root_item(cursor.item()));
    logs.emplace_back(cursor.key().offset, root);
    PVHGRUB_TRY(cursor.next());
  }
  return logs;
}

std::string left_out(const Error& error) {
  return "what was written in the last seconds before a crash cannot be taken from the log (" +
         error.describe() + "); files are as they were at the last commit, as GRUB sees them";
}

}  // namespace

Result<BtrfsLogs> replay_btrfs_logs(BtrfsVolume& volume) {
  BtrfsLogs logs;
  if (!volume.superblock().log_tree) return logs;
  const auto found = find_logs(volume);
  if (!found) {
    if (volume.budget().steps_left() == 0 || volume.budget().bytes_left() == 0)
      return std::unexpected(found.error());
    logs.notes.push_back(left_out(found.error()));
    return logs;
  }
  for (const auto& [id, root] : *found) {
    const auto done = replay_one(volume, id, root, logs);
    if (done) {
      if (const auto replayed = logs.subvolumes.find(id); replayed != logs.subvolumes.end())
        logs.notes.push_back("it was not unmounted; the log of subvolume " + std::to_string(id) +
                             " was replayed in memory: " + std::to_string(replayed->second.size()) +
                             " items that GRUB would see as they were before");
      continue;
    }
    if (volume.budget().steps_left() == 0 || volume.budget().bytes_left() == 0)
      return std::unexpected(done.error());
    logs.notes.push_back("subvolume " + std::to_string(id) + ": " + left_out(done.error()));
  }
  return logs;
}

}  // namespace pvhgrub::fs
