// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ufs_file_system.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/run_file.h"
#include "fsreaders/tree_file_system.h"
#include "fsreaders/ufs_volume.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint32_t kRootInode = 2;
// sys/ufs/ufs/dir.h: no entry crosses such a piece of a directory.
constexpr std::size_t kDirectoryPiece = 512;
constexpr std::size_t kEntryHeader = 8;
constexpr std::uint8_t kWhiteout = 14;  // DT_WHT

std::optional<FileType> type_of(std::uint8_t stored) {
  switch (stored) {
    case 4:
      return FileType::kDirectory;
    case 8:
      return FileType::kRegular;
    case 10:
      return FileType::kSymlink;
    case 0:
      return std::nullopt;
    default:
      return FileType::kOther;
  }
}

class UfsFileSystem final : public TreeFileSystem<UfsInode, DirectoryListing> {
 public:
  UfsFileSystem(BlockSource& source, Budget& budget, UfsSuperblock superblock)
      : TreeFileSystem(budget), volume_(source, budget, std::move(superblock)) {}

  [[nodiscard]] std::string_view type_name() const override {
    return volume_.superblock().is_ufs2 ? "ufs2" : "ufs1";
  }
  [[nodiscard]] std::string_view uuid() const override { return volume_.superblock().uuid; }
  [[nodiscard]] std::string_view label() const override { return volume_.superblock().label; }
  [[nodiscard]] std::vector<std::string> notes() const override { return volume_.superblock().notes; }

 private:
  Result<UfsInode> root() override { return volume_.read_inode(kRootInode); }
  [[nodiscard]] FileInfo info(const UfsInode& inode) const override {
    return {inode.type, inode.size, inode.modification_time};
  }
  [[nodiscard]] std::uint64_t key(const UfsInode& directory) const override { return directory.number; }

  Result<DirectoryListing> read_directory(const UfsInode& inode) override {
    if (inode.size > limits::kDirectoryNameBytes * 2)
      return fail(ErrorCode::kLimit, "a directory of " + std::to_string(inode.size) + " bytes");
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<File> file, open_contents(inode));
    DirectoryListing listing;
    std::array<std::byte, 32 * kDirectoryPiece> bytes{};
    for (std::uint64_t offset = 0; offset < inode.size; offset += bytes.size()) {
      PVHGRUB_TRY_ASSIGN(const std::size_t count, file->read(offset, bytes));
      PVHGRUB_TRY(budget().charge_bytes(count, "reading a directory"));
      for (std::size_t place = 0; place < count; place += kDirectoryPiece)
        PVHGRUB_TRY(
            add_piece(listing, Bytes(bytes).subspan(place, std::min(kDirectoryPiece, count - place)), inode));
    }
    listing.finish();
    return listing;
  }

  Result<void> add_piece(DirectoryListing& listing, Bytes piece, const UfsInode& directory) {
    for (std::size_t place = 0; place < piece.size();) {
      PVHGRUB_TRY(budget().charge_steps(1, "reading a directory"));
      const LittleEndianFields entry(piece.subspan(place));
      const std::size_t length = entry.u16(4);
      const std::size_t name = entry.u8(7);
      if (length < kEntryHeader || length > piece.size() - place || name > length - kEntryHeader)
        return fail(ErrorCode::kDamaged,
                    "a directory entry of " + std::to_string(length) + " bytes with a name of " +
                        std::to_string(name) + "; run fsck_ffs on the file system in the guest",
                    "inode " + std::to_string(directory.number));
      if (const std::uint32_t inode = entry.u32(0); inode != 0 && entry.u8(6) != kWhiteout)
        PVHGRUB_TRY(
            listing.add(as_text(piece.subspan(place + kEntryHeader, name)), inode, type_of(entry.u8(6))));
      place += length;
    }
    return {};
  }

  Result<std::optional<UfsInode>> find(const UfsInode&, const DirectoryListing& directory,
                                       std::string_view name) override {
    const DirectoryListing::Entry* const entry = directory.find(name);
    if (entry == nullptr) return std::optional<UfsInode>();
    PVHGRUB_TRY_ASSIGN(UfsInode inode, volume_.read_inode(static_cast<std::uint32_t>(entry->handle)));
    return std::optional(std::move(inode));
  }

  Result<std::vector<DirectoryEntry>> entries(const UfsInode&, const DirectoryListing& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.entries().size());
    for (const DirectoryListing::Entry& entry : directory.entries()) {
      FileType type = entry.type.value_or(FileType::kOther);
      if (!entry.type) {
        PVHGRUB_TRY_ASSIGN(const UfsInode inode,
                           volume_.read_inode(static_cast<std::uint32_t>(entry.handle)));
        type = inode.type;
      }
      entries.push_back({std::string(directory.name(entry)), type});
    }
    return entries;
  }

  Result<std::string> read_link(const UfsInode& inode) override {
    if (inode.size == 0 || inode.size > limits::kPathBytes)
      return fail(ErrorCode::kDamaged, "a symbolic link of " + std::to_string(inode.size) + " bytes",
                  "inode " + std::to_string(inode.number));
    std::vector<std::byte> bytes(static_cast<std::size_t>(inode.size));
    const std::size_t room = inode.inline_bytes.size();
    if (inode.size <= room && (inode.size < volume_.superblock().short_link_bytes || inode.blocks == 0)) {
      std::copy_n(inode.inline_bytes.begin(), bytes.size(), bytes.begin());
    } else {
      PVHGRUB_TRY_ASSIGN(const std::unique_ptr<File> file, open_contents(inode));
      PVHGRUB_TRY(file->read(0, bytes));
    }
    std::string target(as_text(bytes));
    if (target.find('\0') != target.npos)
      return fail(ErrorCode::kDamaged, "a symbolic link with a NUL", "inode " + std::to_string(inode.number));
    return target;
  }

  Result<std::unique_ptr<File>> open_node(const UfsInode& inode) override {
    // Blocks that did not change since then are not in it.
    if (inode.is_snapshot)
      return fail(ErrorCode::kUnsupported,
                  "it is a snapshot of the file system, which holds no file's contents");
    return open_contents(inode);
  }

  Result<std::unique_ptr<File>> open_contents(const UfsInode& inode) {
    RunFileLayout layout;
    layout.block_size = volume_.superblock().fragment_size;
    layout.size = inode.size;
    PVHGRUB_TRY_ASSIGN(layout.runs, volume_.map(inode));
    return make_run_file(volume_.source(), std::move(layout));
  }

  UfsVolume volume_;
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_ufs_file_system(BlockSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(UfsSuperblock superblock, read_ufs_superblock(source));
  return std::make_unique<UfsFileSystem>(source, budget, std::move(superblock));
}

}  // namespace pvhgrub::fs
