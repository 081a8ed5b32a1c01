// SPDX-License-Identifier: LGPL-2.1-or-later
// An XFS file system's metadata: read as it is after log replay, checked, and remembered for a while.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/xfs_log_replay.h"
#include "fsreaders/xfs_overlay.h"
#include "fsreaders/xfs_superblock.h"

namespace pvhgrub::fs {

/// Where a version 5 metadata block says what it is: offsets of its fields in bytes.
struct XfsHeaderPlaces {
  std::size_t checksum = 0;  ///< 32 bits, little-endian
  std::size_t place = 0;     ///< 64 bits: where it lies, in blocks of 512 bytes
  std::size_t uuid = 0;      ///< 16 bytes
  std::size_t owner = 0;     ///< 64 bits: the inode's number
};

class XfsVolume {
 public:
  /// `overlay`: the source after log replay. `budget` outlives this.
  XfsVolume(std::unique_ptr<XfsOverlay> overlay, Budget& budget, XfsSuperblock superblock, XfsReplay replay)
      : overlay_(std::move(overlay)),
        budget_(budget),
        superblock_(std::move(superblock)),
        replay_(std::move(replay)) {}
  XfsVolume(const XfsVolume&) = delete;
  XfsVolume& operator=(const XfsVolume&) = delete;

  [[nodiscard]] const XfsSuperblock& superblock() const { return superblock_; }
  [[nodiscard]] Budget& budget() const { return budget_; }
  /// The bytes after log replay: contents are read and sent from here.
  [[nodiscard]] XfsOverlay& source() { return *overlay_; }
  /// What the log left to know.
  [[nodiscard]] const XfsReplay& replay() const { return replay_; }

  /// Why nothing may be overwritten in place, in words; empty where a file's own state decides.
  [[nodiscard]] const std::string& overwriting_obstacle() const { return overwriting_obstacle_; }
  void set_overwriting_obstacle(std::string obstacle) { overwriting_obstacle_ = std::move(obstacle); }

  /// Fills `out` with metadata from byte `offset`; charges the budget, remembers the last blocks. kDamaged
  /// past the end.
  [[nodiscard]] Result<void> read_metadata(std::uint64_t offset, std::span<std::byte> out);

  /// Checks that a version 5 block, which lies at byte `offset`, is what it should be; says nothing against a
  /// version 4 one, which has no such header. `what`: for messages, "a directory block".
  [[nodiscard]] Result<void> check_header(Bytes block, std::uint64_t offset, const XfsHeaderPlaces& places,
                                          std::uint64_t owner, std::string_view what) const;

  /// kDamaged with where it lies.
  [[nodiscard]] static std::unexpected<Error> damaged_block(std::string_view what, std::string_view why,
                                                            std::uint64_t offset);

 private:
  struct CachedBlock {
    std::uint64_t block = 0;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] Result<const std::vector<std::byte>*> cached_block(std::uint64_t block);

  std::unique_ptr<XfsOverlay> overlay_;
  Budget& budget_;
  XfsSuperblock superblock_;
  XfsReplay replay_;
  std::string overwriting_obstacle_;
  std::list<CachedBlock> cache_;  // the last used first
};

}  // namespace pvhgrub::fs
