// SPDX-License-Identifier: LGPL-2.1-or-later
// The contents of files, checked against the checksum tree as Linux does and GRUB does not: also what leaves
// as extents, since a kernel with a flipped bit must not boot, and a whole copy of it may lie elsewhere. That
// costs one more read of the kernel and the initrd, which the copying then finds in the page cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/btrfs_superblock.h"
#include "fsreaders/btrfs_tree.h"
#include "fsreaders/btrfs_volume.h"

namespace pvhgrub::fs {

class BtrfsData {
 public:
  /// `checksums` is the checksum tree; nothing: the file system has none (an old mkfs makes it with the first
  /// data). `logged`: checksums that only the log tree has, by BtrfsKey as in the tree. All outlive this.
  BtrfsData(BtrfsVolume& volume, std::optional<BtrfsTreeRoot> checksums, const BtrfsChanges& logged)
      : volume_(volume), checksums_(checksums), logged_(logged) {}

  /// Fills `out` with the bytes from `logical`. With `checked` (false for files without checksums) each
  /// sector that has a checksum comes from a copy that it is right for. Both ends at sector boundaries.
  [[nodiscard]] Result<void> read(std::uint64_t logical, std::span<std::byte> out, bool checked);
  /// Sends them as extents, checked in the same way. `logical` and `length` need no alignment.
  [[nodiscard]] Result<void> send(std::uint64_t logical, std::uint64_t length, bool checked,
                                  ContentSink& sink);

 private:
  // Checksums of sectors that follow on each other; without bytes: sectors that have none.
  struct Run {
    std::uint64_t begin = 0;  // logical bytes
    std::uint64_t end = 0;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] std::size_t sector() const { return volume_.superblock().sector_size; }
  /// The checksum of the sector at `logical`; empty where it has none. Until the next call.
  [[nodiscard]] Result<Bytes> checksum_of(std::uint64_t logical);
  [[nodiscard]] Result<Run> find_run(std::uint64_t logical) const;
  /// Fills `out` and tells for each of its sectors of which copy it is.
  [[nodiscard]] Result<std::vector<std::uint8_t>> read_best(std::uint64_t logical, std::span<std::byte> out,
                                                            bool checked);
  /// Of one sector: the first copy that is right.
  [[nodiscard]] Result<std::uint8_t> read_good_copy(std::uint64_t logical, std::span<std::byte> out,
                                                    bool checked);

  BtrfsVolume& volume_;
  std::optional<BtrfsTreeRoot> checksums_;
  const BtrfsChanges& logged_;
  Run run_;
};

}  // namespace pvhgrub::fs
