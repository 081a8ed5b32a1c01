// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/ext_library.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// One inode, its checksum verified by libext2fs.
struct ExtInode {
  std::uint32_t number = 0;
  std::uint64_t place = 0;  ///< file system byte; 0 where it is not known
  std::uint16_t mode = 0;
  std::uint32_t flags = 0;  ///< EXT4_*_FL
  std::uint64_t size = 0;   ///< bytes
  std::uint64_t sectors =
      0;  ///< sectors of 512 bytes that it occupies, its extended attribute block included
  bool has_attribute_block = false;
  std::int64_t modification_time = 0;
  std::vector<std::byte> raw;  ///< the whole inode as it lies on the disk

  [[nodiscard]] FileType type() const;
  [[nodiscard]] bool has(std::uint32_t flag) const { return (flags & flag) != 0; }
  /// The 60 bytes that hold the block map, a short symbolic link, or the beginning of inline data.
  [[nodiscard]] Bytes block_field() const;
  /// "inode 12 (file system byte 8960)", for messages.
  [[nodiscard]] std::string name() const;
};

[[nodiscard]] Result<ExtInode> read_ext_inode(const ExtLibrary& library, std::uint32_t number);

/// The contents of an inode with inline data, at most 64 KiB: the 60 bytes of its block field, then the value
/// of its attribute system.data; not cut to the inode's size. Two parts, since a directory's entries do not
/// cross from one into the other.
struct ExtInlineData {
  Bytes first;   ///< in the inode's raw bytes
  Bytes second;  ///< the same; empty where the attribute is absent
};
[[nodiscard]] Result<ExtInlineData> read_ext_inline_data(const ExtInode& inode);

}  // namespace pvhgrub::fs
