// SPDX-License-Identifier: LGPL-2.1-or-later
// The devices of one btrfs file system as one space of logical bytes, and the tree nodes in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/btrfs_chunk_map.h"
#include "fsreaders/btrfs_node.h"
#include "fsreaders/btrfs_superblock.h"
#include "fsreaders/disk_signature.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

class BtrfsVolume {
 public:
  /// Finds the other devices, where the file system has more than one, and reads the chunk tree. A device
  /// that is missing is no error as long as nothing is read of it. `source`, what `others` gives, and
  /// `budget` outlive the volume.
  [[nodiscard]] static Result<std::unique_ptr<BtrfsVolume>> open(BlockSource& source,
                                                                 const OtherDevices& others, Budget& budget);
  BtrfsVolume(const BtrfsVolume&) = delete;
  BtrfsVolume& operator=(const BtrfsVolume&) = delete;

  /// The newest of all devices.
  [[nodiscard]] const BtrfsSuperblock& superblock() const { return superblock_; }
  [[nodiscard]] Budget& budget() const { return budget_; }
  /// What is wrong with the devices, for a person; empty where nothing is.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  /// The tree node there, of any copy that is whole and has that level and generation; remembers the last
  /// ones.
  [[nodiscard]] Result<std::shared_ptr<const BtrfsNode>> node(const BtrfsTreeRoot& place);

  /// Copies of a byte that there can be at most.
  static constexpr std::size_t kCopies = 4;
  /// Fills `out` with the bytes from `logical`, of copy number `copy` (from 0, below kCopies) wherever there
  /// are as many. kDamaged: in no chunk, or on no device. kUnsupported: on a device that is missing.
  /// kNotFound: not that many copies. Charges nothing.
  [[nodiscard]] Result<void> read(std::uint64_t logical, std::span<std::byte> out, std::size_t copy);
  /// Sends them as they are.
  [[nodiscard]] Result<void> send(std::uint64_t logical, std::uint64_t length, std::size_t copy,
                                  ContentSink& sink);
  /// "btrfs logical byte 30408704 (device 1, byte 38797312)", for messages.
  [[nodiscard]] std::string place_name(std::uint64_t logical) const;

 private:
  BtrfsVolume(Budget& budget, BtrfsSuperblock superblock, std::vector<BtrfsDevice> devices);
  struct Piece {
    BtrfsMapping::Copy copy;
    std::uint64_t length = 0;
  };
  [[nodiscard]] Result<Piece> first_piece(std::uint64_t logical, std::uint64_t length,
                                          std::size_t copy) const;
  [[nodiscard]] Result<std::shared_ptr<const BtrfsNode>> read_node(const BtrfsTreeRoot& place);
  [[nodiscard]] Result<void> read_chunk_tree();

  Budget& budget_;
  BtrfsSuperblock superblock_;
  std::vector<BtrfsDevice> devices_;
  BtrfsChunkMap chunks_;
  std::vector<std::string> notes_;
  std::list<std::shared_ptr<const BtrfsNode>> cache_;  // the last used first
};

}  // namespace pvhgrub::fs
