// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/file_system.h"
#include "fsreaders/xfs_volume.h"

namespace pvhgrub::fs {

/// How an inode's data fork holds what it holds (di_format).
enum class XfsFork : std::uint8_t { kDevice = 0, kLocal = 1, kExtents = 2, kTree = 3 };

/// One inode, checked. Layout: "XFS Algorithms & Data Structures", "On-disk Inode".
struct XfsInode {
  std::uint64_t number = 0;
  std::uint64_t place = 0;  ///< file system byte; 0 where there is none
  std::uint16_t mode = 0;
  std::uint64_t size = 0;              ///< bytes, at most 2^63 - 1
  std::int64_t modification_time = 0;  ///< seconds since 1970-01-01 UTC
  XfsFork format = XfsFork::kDevice;
  std::uint64_t extents = 0;    ///< of the data fork
  bool realtime = false;        ///< its contents lie on the realtime device
  bool shared = false;          ///< other files may have the same blocks
  std::vector<std::byte> fork;  ///< the data fork's bytes
  [[nodiscard]] FileType type() const;
  /// kDamaged: "inode 131 (file system byte 67072): WHAT; run xfs_repair ...".
  [[nodiscard]] std::unexpected<Error> damaged(std::string_view what) const;
};

/// kDamaged: no such inode, a free one, or one that contradicts itself.
[[nodiscard]] Result<XfsInode> read_xfs_inode(XfsVolume& volume, std::uint64_t number);

/// Where a symbolic link leads: not empty, at most limits::kPathBytes, without NUL.
[[nodiscard]] Result<std::string> read_xfs_link(XfsVolume& volume, const XfsInode& inode);

}  // namespace pvhgrub::fs
