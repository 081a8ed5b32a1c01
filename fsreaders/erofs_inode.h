// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: Linux kernel documentation, filesystems/erofs, "On-disk details"; fs/erofs/erofs_fs.h.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "fsreaders/erofs_volume.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// How an inode's contents are stored (i_format, bits 1 to 3).
enum class ErofsLayout : std::uint8_t {
  kPlain = 0,              ///< blocks one behind the other
  kCompressedFull = 1,     ///< compressed, with legacy indexes
  kInline = 2,             ///< as kPlain, but the last block's contents follow the inode
  kCompressedCompact = 3,  ///< compressed, with compact indexes
  kChunks = 4,             ///< chunks, each anywhere or a hole
};

struct ErofsInode {
  std::uint64_t number = 0;
  FileType type = FileType::kOther;
  std::uint64_t size = 0;              ///< bytes
  std::int64_t modification_time = 0;  ///< seconds since 1970-01-01 UTC
  ErofsLayout layout = ErofsLayout::kPlain;
  std::uint32_t place = 0;   ///< number of the first block, or of chunks their format
  std::uint64_t behind = 0;  ///< the byte behind the inode and its attributes
};

[[nodiscard]] Result<ErofsInode> read_erofs_inode(ErofsVolume& volume, std::uint64_t number);

/// The contents of an inode, also of a directory or a link. `volume` outlives the file.
[[nodiscard]] Result<std::unique_ptr<File>> open_erofs_inode(ErofsVolume& volume, const ErofsInode& inode);

}  // namespace pvhgrub::fs
