// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_file_system.h"

#include <algorithm>
#include <array>
#include <list>
#include <utility>

#include "base/limits.h"
#include "fsreaders/ext_directory.h"
#include "fsreaders/ext_file.h"
#include "fsreaders/ext_inode.h"
#include "fsreaders/ext_journal.h"
#include "fsreaders/ext_library.h"
#include "fsreaders/ext_superblock.h"
#include "fsreaders/ext_volume.h"

namespace pvhgrub::fs {

namespace {

// Memory in bytes for directories that are kept after use: those of one look-up after another. Room for one
// of 200,000 boot loader entries beside the way to it: read anew for each of them, it would take hours.
constexpr std::size_t kDirectoryCacheBytes = 24 * limits::kMiB;

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

class ExtFileSystem : public FileSystem {
 public:
  ExtFileSystem(std::unique_ptr<ExtVolume> volume, ExtLibrary library, ExtSuperblock superblock,
                std::vector<std::string> notes)
      : volume_(std::move(volume)),
        ext2fs_(std::move(library)),
        superblock_(std::move(superblock)),
        notes_(std::move(notes)) {}

  [[nodiscard]] std::string_view type_name() const override { return "ext2"; }
  [[nodiscard]] std::string_view uuid() const override { return superblock_.uuid; }
  [[nodiscard]] std::string_view label() const override { return superblock_.label; }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }

  Result<std::unique_ptr<File>> open(std::string_view path) override {
    return told(path, [&]() -> Result<std::unique_ptr<File>> {
      PVHGRUB_TRY_ASSIGN(ExtInode inode, walk(path));
      if (inode.type() != FileType::kRegular)
        return fail(ErrorCode::kWrongType,
                    inode.type() == FileType::kDirectory ? "it is a directory" : "it is not a regular file");
      return open_ext_file(ext2fs_, inode);
    });
  }

  Result<FileInfo> stat(std::string_view path) override {
    return told(path, [&]() -> Result<FileInfo> {
      PVHGRUB_TRY_ASSIGN(const ExtInode inode, walk(path));
      return FileInfo{inode.type(), inode.size, inode.modification_time};
    });
  }

  Result<std::vector<DirectoryEntry>> list(std::string_view path) override {
    return told(path, [&]() -> Result<std::vector<DirectoryEntry>> {
      PVHGRUB_TRY_ASSIGN(const ExtInode inode, walk(path));
      if (inode.type() != FileType::kDirectory) return fail(ErrorCode::kWrongType, "it is not a directory");
      PVHGRUB_TRY_ASSIGN(const ExtDirectory* directory, directory_of(inode));
      std::vector<DirectoryEntry> entries;
      entries.reserve(directory->entries().size());
      // It holds them by name, for look-ups; they are told as they lie on the disk, since GRUB's wildcards
      // keep that order.
      std::vector<ExtDirectory::Entry> by_place = directory->entries();
      std::ranges::sort(by_place, {}, &ExtDirectory::Entry::name_offset);
      for (const ExtDirectory::Entry& entry : by_place) {
        PVHGRUB_TRY_ASSIGN(const FileType type, type_of(entry));
        entries.push_back({std::string(directory->name(entry)), type});
      }
      return entries;
    });
  }

 private:
  // Runs `body`, with the path put in front of where its error was.
  template <typename Body>
  auto told(std::string_view path, Body&& body) -> decltype(body()) {
    auto result = body();
    if (!result) return std::unexpected(at(path, std::move(result.error())));
    return result;
  }

  Result<FileType> type_of(const ExtDirectory::Entry& entry) {
    if (entry.file_type != EXT2_FT_UNKNOWN) return file_type_of(entry.file_type);
    PVHGRUB_TRY_ASSIGN(const ExtInode inode, read_ext_inode(ext2fs_, entry.inode));
    return inode.type();
  }

  // The directory's entries, kept for the next look-up. The pointer lives until the next call.
  Result<const ExtDirectory*> directory_of(const ExtInode& inode) {
    const auto found = std::ranges::find(directories_, inode.number, &CachedDirectory::number);
    if (found != directories_.end()) {
      directories_.splice(directories_.begin(), directories_, found);
      return &directories_.front().directory;
    }
    PVHGRUB_TRY_ASSIGN(ExtDirectory directory, ExtDirectory::read(ext2fs_, inode));
    directories_.push_front({inode.number, std::move(directory)});
    std::size_t memory = 0;
    const auto too_much = std::ranges::find_if(directories_, [&](const CachedDirectory& cached) {
      memory += cached.directory.memory();
      return memory > kDirectoryCacheBytes;
    });
    // The one just read stays, however large.
    directories_.erase(too_much == directories_.begin() ? std::next(too_much) : too_much, directories_.end());
    return &directories_.front().directory;
  }

  Result<ExtInode> look_up(const ExtInode& directory, std::string_view name) {
    if (directory.type() != FileType::kDirectory)
      return fail(ErrorCode::kWrongType,
                  "what stands before \"/" + std::string(name) + "\" is not a directory");
    PVHGRUB_TRY_ASSIGN(const ExtDirectory* entries, directory_of(directory));
    const std::optional<std::uint32_t> number = entries->find(ext2fs_, name);
    if (!number) return fail(ErrorCode::kNotFound, "no such file or directory");
    return read_ext_inode(ext2fs_, *number);
  }

  // Follows a path from the root; ".." goes back the way that was come, and stays at the root.
  Result<ExtInode> walk(std::string_view path) {
    if (path.size() > limits::kPathBytes || path.find('\0') != path.npos || !path.starts_with('/'))
      return fail(ErrorCode::kNotFound,
                  "no path from the root of at most " + std::to_string(limits::kPathBytes) + " bytes");
    std::vector<ExtInode> way;
    PVHGRUB_TRY_ASSIGN(ExtInode root, read_ext_inode(ext2fs_, EXT2_ROOT_INO));
    if (root.type() != FileType::kDirectory)
      return fail(ErrorCode::kDamaged, "the root is not a directory; run e2fsck on the file system");
    way.push_back(std::move(root));
    unsigned links = 0;
    // Grows by a link's target at most limits::kSymlinks times, so this ends.
    for (std::string rest(path); !rest.empty();) {
      PVHGRUB_TRY(volume_->budget().charge_steps(1, "following a path"));
      const std::size_t start = rest.find_first_not_of('/');
      if (way.back().type() != FileType::kDirectory)
        return fail(ErrorCode::kWrongType, "a file stands where a directory should");
      if (start == rest.npos) break;
      const std::size_t end = std::min(rest.find('/', start), rest.size());
      const std::string name = rest.substr(start, end - start);
      rest.erase(0, end);
      if (name == ".") continue;
      if (name == "..") {
        if (way.size() > 1) way.pop_back();
        continue;
      }
      PVHGRUB_TRY_ASSIGN(ExtInode next, look_up(way.back(), name));
      if (next.type() != FileType::kSymlink) {
        way.push_back(std::move(next));
        continue;
      }
      if (++links > limits::kSymlinks)
        return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kSymlinks) +
                                           " symbolic links: do they lead in a circle?");
      PVHGRUB_TRY_ASSIGN(const std::string target, read_ext_link(ext2fs_, next));
      if (target.starts_with('/')) way.resize(1);
      rest.insert(0, target);
    }
    return std::move(way.back());
  }

  struct CachedDirectory {
    std::uint32_t number = 0;
    ExtDirectory directory;
  };

  std::unique_ptr<ExtVolume> volume_;
  ExtLibrary ext2fs_;
  ExtSuperblock superblock_;
  std::vector<std::string> notes_;
  std::list<CachedDirectory> directories_;  // the last used first
};

Result<ExtSuperblock> read_superblock(BlockSource& source, ExtVolume* volume) {
  std::array<std::byte, kExtSuperblockBytes> bytes{};
  PVHGRUB_TRY(volume != nullptr ? volume->read(kExtSuperblockOffset, bytes)
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
