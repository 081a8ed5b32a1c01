// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/squashfs_file_system.h"

#include <string>
#include <utility>

#include "fsreaders/directory_listing.h"
#include "fsreaders/squashfs_file.h"
#include "fsreaders/squashfs_inode.h"
#include "fsreaders/squashfs_volume.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {
namespace {

class SquashfsFileSystem final : public TreeFileSystem<SquashfsInode, DirectoryListing> {
 public:
  SquashfsFileSystem(BlockSource& source, Budget& budget, const SquashfsSuperblock& superblock)
      : TreeFileSystem(budget), volume_(source, budget, superblock) {}

  [[nodiscard]] std::string_view type_name() const override { return "squash4"; }
  [[nodiscard]] std::string_view uuid() const override { return {}; }
  [[nodiscard]] std::string_view label() const override { return {}; }

 private:
  Result<SquashfsInode> root() override { return read_squashfs_inode(volume_, volume_.superblock().root); }
  [[nodiscard]] FileInfo info(const SquashfsInode& inode) const override {
    return {inode.type, inode.size, inode.modification_time};
  }
  [[nodiscard]] std::uint64_t key(const SquashfsInode& directory) const override {
    return directory.reference;
  }
  Result<DirectoryListing> read_directory(const SquashfsInode& inode) override {
    return read_squashfs_directory(volume_, inode);
  }
  Result<std::optional<SquashfsInode>> find(const SquashfsInode&, const DirectoryListing& directory,
                                            std::string_view name) override {
    const DirectoryListing::Entry* const found = directory.find(name);
    if (found == nullptr) return std::optional<SquashfsInode>();
    PVHGRUB_TRY_ASSIGN(SquashfsInode inode, read_squashfs_inode(volume_, found->handle));
    return std::optional(std::move(inode));
  }
  Result<std::vector<DirectoryEntry>> entries(const SquashfsInode&,
                                              const DirectoryListing& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.entries().size());
    for (const DirectoryListing::Entry& entry : directory.entries())
      entries.push_back({std::string(directory.name(entry)), entry.type.value_or(FileType::kOther)});
    return entries;
  }
  Result<std::string> read_link(const SquashfsInode& inode) override {
    if (inode.link.empty() || inode.link.find('\0') != inode.link.npos)
      return damaged_squashfs("a symbolic link without a target",
                              volume_.superblock().inodes + (inode.reference >> 16U));
    return inode.link;
  }
  Result<std::unique_ptr<File>> open_node(const SquashfsInode& inode) override {
    return open_squashfs_file(volume_, inode);
  }

  SquashfsVolume volume_;
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_squashfs_file_system(BlockSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const SquashfsSuperblock superblock, read_squashfs_superblock(source));
  return std::make_unique<SquashfsFileSystem>(source, budget, superblock);
}

}  // namespace pvhgrub::fs
