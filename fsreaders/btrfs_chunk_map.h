// SPDX-License-Identifier: LGPL-2.1-or-later
// Btrfs names bytes by logical addresses; chunks say on which devices they lie, and in how many copies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/btrfs_superblock.h"

namespace pvhgrub::fs {

/// One device of the file system that is there.
struct BtrfsDevice {
  std::uint64_t id = 0;
  BtrfsUuid uuid{};
  std::uint64_t generation = 0;  ///< of its superblock: less than others' where it missed writes
  BlockSource* source = nullptr;
};

/// A run of logical bytes on the devices.
struct BtrfsMapping {
  struct Copy {
    const BtrfsDevice* device = nullptr;
    std::uint64_t offset = 0;  ///< bytes from the device's start
  };
  std::uint64_t length = 0;  ///< bytes, at least 1
  std::array<Copy, 4> copies{};
  std::size_t copy_count = 0;        ///< those on devices that are there, best first; may be 0
  std::uint64_t missing_device = 0;  ///< the id of one that is not there, or 0
  [[nodiscard]] std::span<const Copy> present() const { return std::span(copies).first(copy_count); }
};

class BtrfsChunkMap {
 public:
  /// The devices outlive the map, and stay where they are.
  explicit BtrfsChunkMap(std::span<const BtrfsDevice> devices) : devices_(devices) {}

  /// Adds the chunk that begins at `logical`; `item` as in the chunk tree, all of it or with more behind it.
  /// One that is known already is left as it is. Returns the item's length in bytes. kDamaged, kLimit.
  [[nodiscard]] Result<std::size_t> add(std::uint64_t logical, Bytes item);
  /// Adds those of the superblock, which hold the chunk tree itself.
  [[nodiscard]] Result<void> add_system_chunks(Bytes chunks);

  /// Where the bytes from `logical` lie, at most `length` of them, at least 1. kDamaged: in no chunk.
  [[nodiscard]] Result<BtrfsMapping> map(std::uint64_t logical, std::uint64_t length) const;

 private:
  struct Stripe {
    const BtrfsDevice* device = nullptr;  // nullptr: missing
    std::uint64_t device_id = 0;
    std::uint64_t offset = 0;
  };
  struct Chunk {
    std::uint64_t length = 0;
    std::uint64_t type = 0;
    std::uint32_t stripe_length = 0;
    std::uint16_t stripe_count = 0;
    std::uint16_t sub_stripes = 0;
    std::size_t first_stripe = 0;
  };
  // Which stripes of a chunk hold a byte, and where in each.
  struct Place {
    std::size_t first = 0;  // of the chunk's stripes
    std::size_t count = 1;  // of copies in stripes that follow on each other
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  // until the next stripe
  };
  [[nodiscard]] static Place place_in(const Chunk& chunk, std::uint64_t offset);
  [[nodiscard]] const BtrfsDevice* device_of(std::uint64_t id, const BtrfsUuid& uuid) const;

  std::span<const BtrfsDevice> devices_;
  std::map<std::uint64_t, Chunk> chunks_;  // by logical address
  std::vector<Stripe> stripes_;
};

}  // namespace pvhgrub::fs
