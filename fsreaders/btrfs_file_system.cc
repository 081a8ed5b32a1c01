// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_file_system.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hexadecimal.h"
#include "base/limits.h"
#include "fsreaders/btrfs_data.h"
#include "fsreaders/btrfs_file.h"
#include "fsreaders/btrfs_inode.h"
#include "fsreaders/btrfs_log.h"
#include "fsreaders/btrfs_subvolume.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/btrfs_volume.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {
namespace {

class BtrfsFileSystem final : public TreeFileSystem<BtrfsInode, DirectoryListing> {
 public:
  BtrfsFileSystem(std::unique_ptr<BtrfsVolume> volume, std::optional<BtrfsTreeRoot> checksums, BtrfsLogs logs)
      : TreeFileSystem(volume->budget()),
        volume_(std::move(volume)),
        logs_(std::move(logs)),
        data_(*volume_, checksums, logs_.checksums),
        uuid_(uuid_text(volume_->superblock().fsid)) {}

  [[nodiscard]] std::string_view type_name() const override { return "btrfs"; }
  [[nodiscard]] std::string_view uuid() const override { return uuid_; }
  [[nodiscard]] std::string_view label() const override { return volume_->superblock().label; }
  [[nodiscard]] std::vector<std::string> notes() const override {
    std::vector<std::string> notes = volume_->notes();
    notes.insert(notes.end(), logs_.notes.begin(), logs_.notes.end());
    return notes;
  }

  Result<Subvolume> subvolume(std::optional<std::uint64_t> number) override {
    if (number) {
      PVHGRUB_TRY_ASSIGN(std::string path, read_btrfs_subvolume_path(*volume_, *number));
      return Subvolume{*number, std::move(path)};
    }
    if (!default_subvolume_) {
      PVHGRUB_TRY_ASSIGN(const std::uint64_t id, read_btrfs_default_subvolume(*volume_));
      PVHGRUB_TRY_ASSIGN(std::string path, read_btrfs_subvolume_path(*volume_, id));
      default_subvolume_ = Subvolume{id, std::move(path)};
    }
    return *default_subvolume_;
  }

  /// Finds the subvolume that paths begin in: without it there is nothing to read.
  Result<void> open_top_level() {
    PVHGRUB_TRY_ASSIGN(const auto top_level, open_subvolume(kBtrfsTopLevelTree));
    if (!top_level)
      return fail(ErrorCode::kDamaged,
                  "btrfs without a top-level subvolume; run `btrfs check` on the file system");
    return {};
  }

 private:
  Result<BtrfsInode> root() override {
    return read_btrfs_inode(subvolumes_[0].tree, 0, kBtrfsFirstFreeObject);
  }
  [[nodiscard]] FileInfo info(const BtrfsInode& inode) const override {
    return {inode.type(), inode.size, inode.modification_time};
  }
  // Both are bounded, so this is another number for each directory.
  [[nodiscard]] std::uint64_t key(const BtrfsInode& directory) const override {
    static_assert(limits::kBtrfsSubvolumes <= 0x1'0000);
    return directory.number | std::uint64_t{directory.subvolume} << 48U;
  }

  Result<DirectoryListing> read_directory(const BtrfsInode& inode) override {
    return read_btrfs_directory(tree_of(inode), inode);
  }

  Result<std::optional<BtrfsInode>> find(const BtrfsInode& inode, const DirectoryListing& directory,
                                         std::string_view name) override {
    const DirectoryListing::Entry* const entry = directory.find(name);
    if (entry == nullptr) return std::optional<BtrfsInode>();
    return read_entry(inode, *entry);
  }

  Result<std::vector<DirectoryEntry>> entries(const BtrfsInode& inode,
                                              const DirectoryListing& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.entries().size());
    for (const DirectoryListing::Entry& entry : directory.entries()) {
      std::optional<FileType> type = entry.type;
      if (!type) {
        PVHGRUB_TRY_ASSIGN(const std::optional<BtrfsInode> target, read_entry(inode, entry));
        type = target ? target->type() : FileType::kOther;
      }
      entries.push_back({std::string(directory.name(entry)), *type});
    }
    return entries;
  }

  Result<std::string> read_link(const BtrfsInode& inode) override {
    return read_btrfs_link(*volume_, data_, tree_of(inode), inode);
  }
  Result<std::unique_ptr<File>> open_node(const BtrfsInode& inode) override {
    return open_btrfs_file(*volume_, data_, tree_of(inode), inode);
  }

  [[nodiscard]] const BtrfsTree& tree_of(const BtrfsInode& inode) const {
    return subvolumes_[inode.subvolume].tree;
  }

  // Nothing: the name stands for a subvolume that was deleted, or of which only a snapshot of its parent has
  // the name.
  Result<std::optional<BtrfsInode>> read_entry(const BtrfsInode& inode,
                                               const DirectoryListing::Entry& entry) {
    const std::uint64_t number = entry.handle & ~kBtrfsSubvolumeHandle;
    if (number == entry.handle) {
      PVHGRUB_TRY_ASSIGN(const BtrfsInode target, read_btrfs_inode(tree_of(inode), inode.subvolume, number));
      return std::optional(target);
    }
    PVHGRUB_TRY_ASSIGN(const std::optional<std::uint32_t> index, open_subvolume(number));
    if (!index) return std::optional<BtrfsInode>();
    PVHGRUB_TRY_ASSIGN(const BtrfsInode target,
                       read_btrfs_inode(subvolumes_[*index].tree, *index, kBtrfsFirstFreeObject));
    return std::optional(target);
  }

  // The index of the subvolume of that number; nothing where there is none.
  Result<std::optional<std::uint32_t>> open_subvolume(std::uint64_t id) {
    const auto known = std::ranges::find(subvolumes_, id, &BtrfsSubvolume::id);
    if (known != subvolumes_.end())
      return std::optional(static_cast<std::uint32_t>(known - subvolumes_.begin()));
    if (id != kBtrfsTopLevelTree && (id < kBtrfsFirstFreeObject || id > kBtrfsLastFreeObject))
      return std::optional<std::uint32_t>();
    PVHGRUB_TRY_ASSIGN(const std::optional<BtrfsTreeRoot> tree, find_btrfs_tree(*volume_, id));
    if (!tree) return std::optional<std::uint32_t>();
    if (subvolumes_.size() >= limits::kBtrfsSubvolumes)
      return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kBtrfsSubvolumes) +
                                         " subvolumes of one btrfs file system are looked into");
    const auto log = logs_.subvolumes.find(id);
    const BtrfsChanges* const changes = log != logs_.subvolumes.end() ? &log->second : nullptr;
    subvolumes_.push_back({id, BtrfsTree(*volume_, *tree, changes)});
    return std::optional(static_cast<std::uint32_t>(subvolumes_.size() - 1));
  }

  std::unique_ptr<BtrfsVolume> volume_;
  BtrfsLogs logs_;
  BtrfsData data_;
  std::string uuid_;
  std::optional<Subvolume> default_subvolume_;  // once it was asked for
  std::deque<BtrfsSubvolume> subvolumes_;       // those that were opened, the top-level one first
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_btrfs_file_system(BlockSource& source, const OtherDevices& others,
                                                           Budget& budget) {
  PVHGRUB_TRY_ASSIGN(std::unique_ptr<BtrfsVolume> volume, BtrfsVolume::open(source, others, budget));
  PVHGRUB_TRY_ASSIGN(const std::optional<BtrfsTreeRoot> checksums,
                     find_btrfs_tree(*volume, kBtrfsChecksumTree));
  PVHGRUB_TRY_ASSIGN(BtrfsLogs logs, replay_btrfs_logs(*volume));
  auto file_system = std::make_unique<BtrfsFileSystem>(std::move(volume), checksums, std::move(logs));
  PVHGRUB_TRY(file_system->open_top_level());
  return file_system;
}

}  // namespace pvhgrub::fs
