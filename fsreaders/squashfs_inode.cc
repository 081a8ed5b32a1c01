// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/squashfs_inode.h"

#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {
namespace {

// "Inode Table": kinds of inodes, basic and extended.
enum class Kind : std::uint16_t {
  kDirectory = 1,
  kFile = 2,
  kLink = 3,
  kExtendedDirectory = 8,
  kExtendedFile = 9,
  kExtendedLink = 10,
  kExtendedLast = 14,
};

constexpr std::size_t kHeaderBytes = 16;
constexpr std::uint32_t kNoFragment = 0xFFFFFFFF;
// A listing's size counts "." and "..", which it does not hold.
constexpr std::uint32_t kDotsBytes = 3;

SquashfsPosition place_of(const SquashfsVolume& volume, std::uint64_t reference) {
  return {volume.superblock().inodes + (reference >> 16U), static_cast<std::size_t>(reference & 0xFFFFU)};
}

void set_listing(SquashfsInode& inode, const SquashfsVolume& volume, std::uint32_t start,
                 std::uint16_t offset, std::uint32_t size) {
  inode.type = FileType::kDirectory;
  inode.size = size > kDotsBytes ? size - kDotsBytes : 0;
  inode.listing = {volume.superblock().directories + start, offset};
}

void set_fragment(SquashfsInode& inode, std::uint32_t number, std::uint32_t offset) {
  if (number != kNoFragment) inode.fragment = number;
  inode.fragment_offset = offset;
}

Result<void> read_link(SquashfsInode& inode, SquashfsVolume& volume, SquashfsPosition& position) {
  PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> head, volume.read_metadata(position, 8));
  const std::uint32_t length = LittleEndianFields(head).u32(4);
  if (length == 0 || length > limits::kPathBytes)
    return damaged_squashfs("a symbolic link with a target of " + std::to_string(length) + " bytes",
                            position.block);
  PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> target, volume.read_metadata(position, length));
  inode.type = FileType::kSymlink;
  inode.size = length;
  inode.link = as_text(target);
  return {};
}

// What follows an inode's header, by its kind.
Result<void> read_body(Kind kind, SquashfsInode& inode, SquashfsVolume& volume, SquashfsPosition& position) {
  std::vector<std::byte> body;
  switch (kind) {
    case Kind::kDirectory: {
      PVHGRUB_TRY_ASSIGN(body, volume.read_metadata(position, 16));
      const LittleEndianFields fields(body);
      set_listing(inode, volume, fields.u32(0), fields.u16(10), fields.u16(8));
      return {};
    }
    case Kind::kExtendedDirectory: {
      PVHGRUB_TRY_ASSIGN(body, volume.read_metadata(position, 24));
      const LittleEndianFields fields(body);
      set_listing(inode, volume, fields.u32(8), fields.u16(18), fields.u32(4));
      return {};
    }
    case Kind::kFile: {
      PVHGRUB_TRY_ASSIGN(body, volume.read_metadata(position, 16));
      const LittleEndianFields fields(body);
      inode.type = FileType::kRegular;
      inode.blocks_start = fields.u32(0);
      set_fragment(inode, fields.u32(4), fields.u32(8));
      inode.size = fields.u32(12);
      break;
    }
    case Kind::kExtendedFile: {
      PVHGRUB_TRY_ASSIGN(body, volume.read_metadata(position, 40));
      const LittleEndianFields fields(body);
      inode.type = FileType::kRegular;
      inode.blocks_start = fields.u64(0);
      inode.size = fields.u64(8);
      set_fragment(inode, fields.u32(28), fields.u32(32));
      break;
    }
    case Kind::kLink:
    case Kind::kExtendedLink:
      return read_link(inode, volume, position);
    default:
      return {};
  }
  inode.block_list = position;
  return {};
}

std::optional<FileType> type_of(std::uint16_t kind) {
  switch (static_cast<Kind>(kind)) {
    case Kind::kDirectory:
      return FileType::kDirectory;
    case Kind::kFile:
      return FileType::kRegular;
    case Kind::kLink:
      return FileType::kSymlink;
    default:
      return FileType::kOther;
  }
}

}  // namespace

Result<SquashfsInode> read_squashfs_inode(SquashfsVolume& volume, std::uint64_t reference) {
  SquashfsPosition position = place_of(volume, reference);
  PVHGRUB_TRY(volume.budget().charge_steps(1, "reading inodes of SquashFS"));
  PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> header, volume.read_metadata(position, kHeaderBytes));
  const LittleEndianFields fields(header);
  const auto kind = static_cast<Kind>(fields.u16(0));
  if (kind < Kind::kDirectory || kind > Kind::kExtendedLast)
    return damaged_squashfs("an inode of kind " + std::to_string(fields.u16(0)), position.block);
  SquashfsInode inode;
  inode.reference = reference;
  inode.modification_time = fields.u32(8);
  PVHGRUB_TRY(read_body(kind, inode, volume, position));
  return inode;
}

// "Directory Table": runs of entries whose inodes lie in one metadata block, each behind a header.
Result<DirectoryListing> read_squashfs_directory(SquashfsVolume& volume, const SquashfsInode& directory) {
  DirectoryListing listing;
  SquashfsPosition position = directory.listing;
  std::uint64_t left = directory.size;
  const auto take = [&](std::size_t count) -> Result<std::vector<std::byte>> {
    if (count > left) return damaged_squashfs("a directory that ends within an entry", position.block);
    left -= count;
    return volume.read_metadata(position, count);
  };
  while (left > 0) {
    PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> header, take(12));
    const std::uint64_t count = std::uint64_t{LittleEndianFields(header).u32(0)} + 1;
    const std::uint64_t block = LittleEndianFields(header).u32(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      PVHGRUB_TRY(volume.budget().charge_steps(1, "reading a directory of SquashFS"));
      PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> entry, take(8));
      const LittleEndianFields fields(entry);
      PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> name, take(std::size_t{fields.u16(6)} + 1));
      PVHGRUB_TRY(listing.add(as_text(name), (block << 16U) | fields.u16(0), type_of(fields.u16(4))));
    }
  }
  listing.finish();
  return listing;
}

}  // namespace pvhgrub::fs
