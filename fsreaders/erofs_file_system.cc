// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/erofs_file_system.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/erofs_inode.h"
#include "fsreaders/little_endian_fields.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {
namespace {

constexpr std::size_t kEntryBytes = 12;

std::optional<FileType> type_of(std::uint8_t stored) {
  switch (stored) {
    case 1:
      return FileType::kRegular;
    case 2:
      return FileType::kDirectory;
    case 7:
      return FileType::kSymlink;
    default:
      return FileType::kOther;
  }
}

class ErofsFileSystem final : public TreeFileSystem<ErofsInode, DirectoryListing> {
 public:
  ErofsFileSystem(BlockSource& source, Budget& budget, ErofsSuperblock superblock)
      : TreeFileSystem(budget), volume_(source, budget, std::move(superblock)) {}

  [[nodiscard]] std::string_view type_name() const override { return "erofs"; }
  [[nodiscard]] std::string_view uuid() const override { return volume_.superblock().uuid; }
  [[nodiscard]] std::string_view label() const override { return volume_.superblock().label; }

 private:
  Result<ErofsInode> root() override { return read_erofs_inode(volume_, volume_.superblock().root); }
  [[nodiscard]] FileInfo info(const ErofsInode& inode) const override {
    return {inode.type, inode.size, inode.modification_time};
  }
  [[nodiscard]] std::uint64_t key(const ErofsInode& directory) const override { return directory.number; }

  Result<DirectoryListing> read_directory(const ErofsInode& inode) override {
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<File> file, open_node(inode));
    DirectoryListing listing;
    std::vector<std::byte> block(volume_.superblock().directory_block_size);
    for (std::uint64_t offset = 0; offset < inode.size; offset += block.size()) {
      PVHGRUB_TRY(budget().charge_bytes(block.size(), "reading a directory of EROFS"));
      PVHGRUB_TRY_ASSIGN(const std::size_t count, file->read(offset, block));
      PVHGRUB_TRY(add_block(Bytes(block).first(count), inode, listing));
    }
    listing.finish();
    return listing;
  }

  // "Directories": entries from a block's start, then their names; the first name begins where the entries
  // end.
  Result<void> add_block(Bytes block, const ErofsInode& inode, DirectoryListing& listing) {
    const LittleEndianFields fields(block);
    const std::size_t names = fields.u16(8);
    if (names < kEntryBytes || names % kEntryBytes != 0 || names > block.size())
      return damaged_erofs("a directory whose names begin at " + std::to_string(names), inode.behind);
    for (std::size_t entry = 0; entry < names; entry += kEntryBytes) {
      PVHGRUB_TRY(budget().charge_steps(1, "reading a directory of EROFS"));
      const std::size_t start = fields.u16(entry + 8);
      const std::size_t next =
          entry + kEntryBytes < names ? fields.u16(entry + kEntryBytes + 8) : block.size();
      if (start < names || next < start || next > block.size())
        return damaged_erofs(
            "a directory with a name from " + std::to_string(start) + " to " + std::to_string(next),
            inode.behind);
      std::string_view name = as_text(block.subspan(start, next - start));
      name = name.substr(0, name.find('\0'));  // the last one's end
      PVHGRUB_TRY(listing.add(name, fields.u64(entry), type_of(fields.u8(entry + 10))));
    }
    return {};
  }

  Result<std::optional<ErofsInode>> find(const ErofsInode&, const DirectoryListing& directory,
                                         std::string_view name) override {
    const DirectoryListing::Entry* const found = directory.find(name);
    if (found == nullptr) return std::optional<ErofsInode>();
    PVHGRUB_TRY_ASSIGN(ErofsInode inode, read_erofs_inode(volume_, found->handle));
    return std::optional(inode);
  }
  Result<std::vector<DirectoryEntry>> entries(const ErofsInode&, const DirectoryListing& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.entries().size());
    for (const DirectoryListing::Entry& entry : directory.entries())
      entries.push_back({std::string(directory.name(entry)), entry.type.value_or(FileType::kOther)});
    return entries;
  }
  Result<std::string> read_link(const ErofsInode& inode) override {
    if (inode.size == 0 || inode.size > limits::kPathBytes)
      return damaged_erofs("a symbolic link with a target of " + std::to_string(inode.size) + " bytes",
                           inode.behind);
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<File> file, open_node(inode));
    std::string target(static_cast<std::size_t>(inode.size), '\0');
    PVHGRUB_TRY(file->read(0, std::as_writable_bytes(std::span(target))));
    if (target.find('\0') != target.npos)
      return damaged_erofs("a symbolic link's target with a NUL", inode.behind);
    return target;
  }
  Result<std::unique_ptr<File>> open_node(const ErofsInode& inode) override {
    return open_erofs_inode(volume_, inode);
  }

  ErofsVolume volume_;
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_erofs_file_system(BlockSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(ErofsSuperblock superblock, read_erofs_superblock(source));
  return std::make_unique<ErofsFileSystem>(source, budget, std::move(superblock));
}

}  // namespace pvhgrub::fs
