// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_file_system.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fsreaders/directory_listing.h"
#include "fsreaders/run_file.h"
#include "fsreaders/tree_file_system.h"
#include "fsreaders/xfs_directory.h"
#include "fsreaders/xfs_extents.h"
#include "fsreaders/xfs_inode.h"
#include "fsreaders/xfs_log.h"
#include "fsreaders/xfs_log_replay.h"
#include "fsreaders/xfs_overlay.h"
#include "fsreaders/xfs_superblock.h"
#include "fsreaders/xfs_volume.h"

namespace pvhgrub::fs {

namespace {

class XfsFileSystem : public TreeFileSystem<XfsInode, DirectoryListing> {
 public:
  XfsFileSystem(std::unique_ptr<XfsVolume> volume, std::vector<std::string> notes)
      : TreeFileSystem(volume->budget()), volume_(std::move(volume)), notes_(std::move(notes)) {}

  [[nodiscard]] std::string_view type_name() const override { return "xfs"; }
  [[nodiscard]] std::string_view uuid() const override { return volume_->superblock().uuid; }
  [[nodiscard]] std::string_view label() const override { return volume_->superblock().label; }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }

 private:
  Result<XfsInode> root() override { return read_xfs_inode(*volume_, volume_->superblock().root_inode); }
  [[nodiscard]] FileInfo info(const XfsInode& inode) const override {
    return {inode.type(), inode.size, inode.modification_time};
  }
  [[nodiscard]] std::uint64_t key(const XfsInode& directory) const override { return directory.number; }

  Result<DirectoryListing> read_directory(const XfsInode& inode) override {
    return read_xfs_directory(*volume_, inode);
  }

  Result<std::optional<XfsInode>> find(const XfsInode&, const DirectoryListing& directory,
                                       std::string_view name) override {
    const DirectoryListing::Entry* entry = directory.find(name);
    if (entry == nullptr) return std::optional<XfsInode>();
    PVHGRUB_TRY_ASSIGN(XfsInode inode, read_xfs_inode(*volume_, entry->handle));
    return std::optional(std::move(inode));
  }

  Result<std::vector<DirectoryEntry>> entries(const XfsInode&, const DirectoryListing& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.entries().size());
    for (const DirectoryListing::Entry& entry : directory.entries()) {
      FileType type = entry.type.value_or(FileType::kOther);
      if (!entry.type) {
        PVHGRUB_TRY_ASSIGN(const XfsInode inode, read_xfs_inode(*volume_, entry.handle));
        type = inode.type();
      }
      entries.push_back({std::string(directory.name(entry)), type});
    }
    return entries;
  }

  Result<std::string> read_link(const XfsInode& inode) override { return read_xfs_link(*volume_, inode); }

  Result<std::unique_ptr<File>> open_node(const XfsInode& inode) override {
    if (inode.realtime && inode.size > 0)
      return fail(ErrorCode::kUnsupported,
                  "its contents lie on the realtime device of the file system, which is not read; copy "
                  "it in the guest into a directory without the flag for it (xfs_io -c 'chattr -t')");
    const auto& exchanges = volume_->replay().unfinished_exchanges;
    if (std::ranges::any_of(exchanges, [&](const XfsReplay::Exchange& exchange) {
          return exchange.first == inode.number || exchange.second == inode.number;
        }))
      return fail(
          ErrorCode::kUnsupported,
          "the file system was stopped while it exchanged the file's contents with another's; mount it in "
          "the guest, which finishes that");
    const std::uint64_t block_size = volume_->superblock().block_size;
    RunFileLayout layout;
    layout.block_size = volume_->superblock().block_size;
    layout.size = inode.size;
    layout.overwriting_obstacle = volume_->overwriting_obstacle();
    if (layout.overwriting_obstacle.empty() && inode.shared)
      layout.overwriting_obstacle = "other files may share its blocks (reflink); make it anew in the guest";
    if (inode.size > 0) {
      PVHGRUB_TRY_ASSIGN(layout.runs, read_xfs_runs(*volume_, inode, (inode.size - 1) / block_size + 1));
    }
    return make_run_file(volume_->source(), std::move(layout));
  }

  std::unique_ptr<XfsVolume> volume_;
  std::vector<std::string> notes_;
};

Result<XfsSuperblock> read_superblock(BlockSource& source) {
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(std::min<std::uint64_t>(kXfsSuperblockBytes, source.size())));
  PVHGRUB_TRY(source.read_at(0, bytes));
  return parse_xfs_superblock(bytes, source.size());
}

// What a log may hold that an older program cannot replay; logged attributes are not read here.
constexpr std::uint32_t kLogAttributes = 1U << 0U;

struct Replayed {
  XfsReplay replay;
  std::vector<std::string> notes;
  std::string overwriting_obstacle;
};

Result<Replayed> replay(BlockSource& source, Budget& budget, XfsSuperblock& superblock, XfsOverlay& overlay) {
  Replayed done;
  if (superblock.log_start == 0) {
    done.overwriting_obstacle = "the log of the file system lies on another device";
    done.notes.emplace_back(
        "the log of the XFS file system lies on another device and was not looked at: if the file system was "
        "not "
        "unmounted, its last changes are missing");
    return done;
  }
  PVHGRUB_TRY_ASSIGN(XfsLog log, XfsLog::open(source, budget, superblock));
  if (log.clean()) return done;
  if (const std::uint32_t unknown = superblock.log_incompatible & ~kLogAttributes; unknown != 0)
    return fail(ErrorCode::kUnsupported,
                "the log waits for replay and has features that this program does not know (" +
                    std::to_string(unknown) + "); shut the guest down cleanly, or use a newer pvhgrub",
                "XFS superblock at byte 0");
  PVHGRUB_TRY_ASSIGN(done.replay, replay_xfs_log(log, overlay, budget, superblock));
  done.overwriting_obstacle =
      "its log must be replayed first: the file system is mounted, or was not shut down cleanly";
  done.notes.push_back("the log of the XFS file system was replayed in memory: " +
                       std::to_string(done.replay.transactions) + " transactions");
  return done;
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_xfs_file_system(BlockSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(XfsSuperblock superblock, read_superblock(source));
  auto overlay = std::make_unique<XfsOverlay>(source);
  PVHGRUB_TRY_ASSIGN(Replayed done, replay(source, budget, superblock, *overlay));
  auto volume =
      std::make_unique<XfsVolume>(std::move(overlay), budget, std::move(superblock), std::move(done.replay));
  volume->set_overwriting_obstacle(std::move(done.overwriting_obstacle));
  return std::make_unique<XfsFileSystem>(std::move(volume), std::move(done.notes));
}

}  // namespace pvhgrub::fs
