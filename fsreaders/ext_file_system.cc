// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_file_system.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fsreaders/ext_directory.h"
#include "fsreaders/ext_file.h"
#include "fsreaders/ext_inode.h"
#include "fsreaders/ext_journal.h"
#include "fsreaders/ext_library.h"
#include "fsreaders/ext_superblock.h"
#include "fsreaders/ext_volume.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {

namespace {

FileType file_type_of(std::uint8_t stored) {
  switch (stored) {
    case EXT2_FT_REG_FILE:
      return FileType::kRegular;
    case EXT2_FT_DIR:
      return FileType::kDirectory;
    case EXT2_FT_SYMLINK:
      return FileType::kSymlink;
    default:
      return FileType::kOther;
  }
}

class ExtFileSystem : public TreeFileSystem<ExtInode, ExtDirectory> {
 public:
  ExtFileSystem(std::unique_ptr<ExtVolume> volume, ExtLibrary library, ExtSuperblock superblock,
                std::vector<std::string> notes)
      : TreeFileSystem(volume->budget()),
        volume_(std::move(volume)),
        ext2fs_(std::move(library)),
        superblock_(std::move(superblock)),
        notes_(std::move(notes)) {}

  [[nodiscard]] std::string_view type_name() const override { return "ext2"; }
  [[nodiscard]] std::string_view uuid() const override { return superblock_.uuid; }
  [[nodiscard]] std::string_view label() const override { return superblock_.label; }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }

 private:
  Result<ExtInode> root() override { return read_ext_inode(ext2fs_, EXT2_ROOT_INO); }
  [[nodiscard]] FileInfo info(const ExtInode& inode) const override {
    return {inode.type(), inode.size, inode.modification_time};
  }
  [[nodiscard]] std::uint64_t key(const ExtInode& directory) const override { return directory.number; }

  Result<ExtDirectory> read_directory(const ExtInode& inode) override {
    return ExtDirectory::read(ext2fs_, inode);
  }

  Result<std::optional<ExtInode>> find(const ExtInode&, const ExtDirectory& directory,
                                       std::string_view name) override {
    const std::optional<std::uint32_t> number = directory.find(ext2fs_, name);
    if (!number) return std::optional<ExtInode>();
    PVHGRUB_TRY_ASSIGN(ExtInode inode, read_ext_inode(ext2fs_, *number));
    return std::optional(std::move(inode));
  }

  Result<std::vector<DirectoryEntry>> entries(const ExtInode&, const ExtDirectory& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.entries().size());
    // It holds them by name, for look-ups; they are told as they lie on the disk, since GRUB's wildcards
    // keep that order.
    std::vector<ExtDirectory::Entry> by_place = directory.entries();
    std::ranges::sort(by_place, {}, &ExtDirectory::Entry::name_offset);
    for (const ExtDirectory::Entry& entry : by_place) {
      PVHGRUB_TRY_ASSIGN(const FileType type, type_of(entry));
      entries.push_back({std::string(directory.name(entry)), type});
    }
    return entries;
  }

  Result<std::string> read_link(const ExtInode& inode) override { return read_ext_link(ext2fs_, inode); }
  Result<std::unique_ptr<File>> open_node(const ExtInode& inode) override {
    return open_ext_file(ext2fs_, inode);
  }

  Result<FileType> type_of(const ExtDirectory::Entry& entry) {
    if (entry.file_type != EXT2_FT_UNKNOWN) return file_type_of(entry.file_type);
    PVHGRUB_TRY_ASSIGN(const ExtInode inode, read_ext_inode(ext2fs_, entry.inode));
    return inode.type();
  }

  std::unique_ptr<ExtVolume> volume_;
  ExtLibrary ext2fs_;
  ExtSuperblock superblock_;
  std::vector<std::string> notes_;
};

Result<ExtSuperblock> read_superblock(BlockSource& source, ExtVolume* volume) {
  std::array<std::byte, kExtSuperblockBytes> bytes{};
  PVHGRUB_TRY(volume != nullptr ? volume->read_at(kExtSuperblockOffset, bytes)
                                : source.read_at(kExtSuperblockOffset, bytes));
  return parse_ext_superblock(bytes, source.size());
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_ext_file_system(BlockSource& source, Budget& budget) {
  if (source.size() < kExtSuperblockOffset + kExtSuperblockBytes)
    return fail(ErrorCode::kUnsupported, "not an ext2, ext3 or ext4 file system");
  PVHGRUB_TRY_ASSIGN(ExtSuperblock superblock, read_superblock(source, nullptr));
  auto volume = std::make_unique<ExtVolume>(source, budget, superblock.block_size);
  volume->set_overwriting_obstacle(superblock.overwriting_obstacle());
  PVHGRUB_TRY_ASSIGN(std::vector<std::string> notes, replay_ext_journal(*volume, superblock));
  if (!notes.empty()) {  // the superblock may have changed with the replay, for instance after an online
                         // resize
    PVHGRUB_TRY_ASSIGN(superblock, read_superblock(source, volume.get()));
    if (superblock.block_size != volume->block_size())
      return fail(ErrorCode::kDamaged, "the journal changes the block size; run e2fsck on the file system");
  }
  PVHGRUB_TRY_ASSIGN(ExtLibrary library, ExtLibrary::open(*volume));
  return std::make_unique<ExtFileSystem>(std::move(volume), std::move(library), std::move(superblock),
                                         std::move(notes));
}

}  // namespace pvhgrub::fs
