// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: Linux kernel documentation, filesystems/ext4, "Inode Table", "Inline Data", "Extended Attributes".
#include "fsreaders/ext_inode.h"

#include <algorithm>
#include <cstring>

#include "fsreaders/file_mode.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kBlockFieldOffset = 40;
constexpr std::size_t kBlockFieldBytes = 60;
constexpr std::uint32_t kAttributeMagic = 0xea020000;
constexpr std::size_t kAttributeHeaderBytes = 16;
constexpr std::uint8_t kAttributeIndexSystem = 7;
constexpr std::string_view kInlineDataName = "data";

std::unexpected<Error> damaged(const ExtInode& inode, std::string_view what) {
  return fail(ErrorCode::kDamaged,
              inode.name() + ": " + std::string(what) + "; run e2fsck on the file system");
}

std::int64_t modification_time(const ext2_inode_large& inode, std::size_t inode_size) {
  const auto seconds = static_cast<std::int64_t>(static_cast<std::int32_t>(inode.i_mtime));
  // The two low bits of the extra field extend the seconds past 2038, where the inode is long enough to have
  // it.
  constexpr std::size_t kFieldEnd = offsetof(ext2_inode_large, i_mtime_extra) + 4;
  if (inode_size < kFieldEnd || std::size_t{EXT2_GOOD_OLD_INODE_SIZE} + inode.i_extra_isize < kFieldEnd)
    return seconds;
  return seconds + (static_cast<std::int64_t>(inode.i_mtime_extra & 3U) << 32);
}

// The byte where an inode stands, 0 for none.
std::uint64_t place_of(const ExtLibrary& library, std::uint32_t number) {
  const ext2_filsys file_system = library.get();
  const std::uint32_t in_group = EXT2_INODES_PER_GROUP(file_system->super);
  if (number == 0 || in_group == 0 || (number - 1) / in_group >= file_system->group_desc_count) return 0;
  const std::uint64_t block = ext2fs_inode_table_loc(file_system, (number - 1) / in_group);
  if (block >= library.volume().blocks()) return 0;
  return block * library.volume().block_size() +
         std::uint64_t{(number - 1) % in_group} * EXT2_INODE_SIZE(file_system->super);
}

}  // namespace

FileType ExtInode::type() const {
  return type_of_mode(mode);
}

std::string ExtInode::name() const {
  std::string name = "inode " + std::to_string(number);
  if (place != 0) name += " (file system byte " + std::to_string(place) + ")";
  return name;
}

Bytes ExtInode::block_field() const {
  return Bytes(raw).subspan(kBlockFieldOffset, kBlockFieldBytes);
}

Result<ExtInode> read_ext_inode(const ExtLibrary& library, std::uint32_t number) {
  ExtInode inode;
  inode.number = number;
  inode.place = place_of(library, number);
  inode.raw.resize(EXT2_INODE_SIZE(library.get()->super));
  // The library fills its own structure; operator new aligns the bytes for it.
  const errcode_t code =
      ext2fs_read_inode_full(library.get(), number, reinterpret_cast<ext2_inode*>(inode.raw.data()),
                             static_cast<int>(inode.raw.size()));
  if (code != 0) return std::unexpected(library.error(code, "reading " + inode.name()));
  ext2_inode_large fields{};
  std::memcpy(&fields, inode.raw.data(), std::min(sizeof fields, inode.raw.size()));
  inode.mode = fields.i_mode;
  inode.flags = fields.i_flags;
  inode.size = fields.i_size;
  const bool huge_directories =
      (library.get()->super->s_feature_incompat & EXT4_FEATURE_INCOMPAT_LARGEDIR) != 0;
  if (inode.type() == FileType::kRegular || (huge_directories && inode.type() == FileType::kDirectory))
    inode.size |= std::uint64_t{fields.i_size_high} << 32U;
  inode.sectors = fields.i_blocks | (std::uint64_t{fields.osd2.linux2.l_i_blocks_hi} << 32U);
  inode.has_attribute_block = fields.i_file_acl != 0 || fields.osd2.linux2.l_i_file_acl_high != 0;
  inode.modification_time = modification_time(fields, inode.raw.size());
  if (inode.mode == 0) return damaged(inode, "it is in use by a directory, but free");
  // Logical block numbers have 32 bits, so nothing can be longer.
  if (inode.size > (std::uint64_t{1} << 32U) * library.volume().block_size())
    return damaged(inode, "a size of " + std::to_string(inode.size) + " bytes is impossible");
  return inode;
}

// A parser of our own: ext2fs_inline_data_get of libext2fs 1.47.0 can hand back more than was stored, and an
// out-of-bounds write in it is on record.
Result<ExtInlineData> read_ext_inline_data(const ExtInode& inode) {
  ExtInlineData data{inode.block_field(), {}};
  const Bytes raw(inode.raw);
  if (raw.size() <= EXT2_GOOD_OLD_INODE_SIZE)
    return damaged(inode, "inline data without room for attributes");
  ByteReader reader(raw);
  PVHGRUB_TRY(reader.seek(EXT2_GOOD_OLD_INODE_SIZE));
  PVHGRUB_TRY_ASSIGN(const auto extra_bytes, reader.little_endian<std::uint16_t>());
  if (!reader.seek(std::size_t{EXT2_GOOD_OLD_INODE_SIZE} + extra_bytes))
    return damaged(inode, "its extra fields run past its end");
  const auto magic = reader.little_endian<std::uint32_t>();
  if (!magic || *magic != kAttributeMagic) return data;
  const Bytes attributes = raw.subspan(reader.position());  // value offsets count from here
  // Each turn moves on by at least the header's size, inside at most 64 KiB.
  for (ByteReader entry(attributes); entry.remaining() >= kAttributeHeaderBytes;) {
    PVHGRUB_TRY_ASSIGN(const auto name_length, entry.little_endian<std::uint8_t>());
    PVHGRUB_TRY_ASSIGN(const auto name_index, entry.little_endian<std::uint8_t>());
    PVHGRUB_TRY_ASSIGN(const auto value_offset, entry.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const auto value_inode, entry.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(const auto value_length, entry.little_endian<std::uint32_t>());
    if (name_length == 0 && name_index == 0 && value_offset == 0 && value_inode == 0) break;
    PVHGRUB_TRY(entry.skip(4));  // hash
    const auto name = entry.take(name_length);
    if (!name) return damaged(inode, "an attribute's name runs past its end");
    if (name_index == kAttributeIndexSystem && as_text(*name) == kInlineDataName) {
      if (value_inode != 0 || !range_inside<std::size_t>(value_offset, value_length, attributes.size()))
        return damaged(inode, "its inline data lie outside of it");
      data.second = attributes.subspan(value_offset, value_length);
      break;
    }
    if (!entry.skip((4U - name_length % 4U) % 4U)) break;
  }
  return data;
}

}  // namespace pvhgrub::fs
