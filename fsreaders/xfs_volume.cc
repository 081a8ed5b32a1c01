// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_volume.h"

#include <algorithm>

#include "fsreaders/xfs_checksum.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

// Bytes of metadata blocks that are remembered: a walk of /boot/grub2 touches some ten blocks again and
// again.
constexpr std::size_t kCacheBytes = 256 * std::size_t{1024};

}  // namespace

std::unexpected<Error> XfsVolume::damaged_block(std::string_view what, std::string_view why,
                                                std::uint64_t offset) {
  return fail(ErrorCode::kDamaged, std::string(what) + " " + std::string(why) + kXfsRepair,
              "file system byte " + std::to_string(offset));
}

Result<const std::vector<std::byte>*> XfsVolume::cached_block(std::uint64_t block) {
  const auto found = std::ranges::find(cache_, block, &CachedBlock::block);
  if (found != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, found);
    return &cache_.front().bytes;
  }
  const std::uint32_t block_size = superblock_.block_size;
  PVHGRUB_TRY(budget_.charge_bytes(block_size, "reading the file system's metadata"));
  CachedBlock fresh{block, std::vector<std::byte>(block_size)};
  PVHGRUB_TRY(overlay_->read_at(block * block_size, fresh.bytes));
  if ((cache_.size() + 1) * block_size > kCacheBytes) cache_.pop_back();
  cache_.push_front(std::move(fresh));
  return &cache_.front().bytes;
}

Result<void> XfsVolume::read_metadata(std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t block_size = superblock_.block_size;
  if (!range_inside<std::uint64_t>(offset, out.size(), superblock_.blocks * block_size))
    return damaged_block("metadata", "is said to lie past the file system's end", offset);
  while (!out.empty()) {
    PVHGRUB_TRY(budget_.charge_steps(1, "reading the file system's metadata"));
    PVHGRUB_TRY_ASSIGN(const std::vector<std::byte>* bytes, cached_block(offset / block_size));
    const Bytes rest = Bytes(*bytes).subspan(static_cast<std::size_t>(offset % block_size));
    const std::size_t count = std::min(rest.size(), out.size());
    std::ranges::copy(rest.first(count), out.begin());
    offset += count;
    out = out.subspan(count);
  }
  return {};
}

Result<void> XfsVolume::check_header(Bytes block, std::uint64_t offset, const XfsHeaderPlaces& places,
                                     std::uint64_t owner, std::string_view what) const {
  if (!superblock_.checksums) return {};
  const XfsFields fields(block);
  if (!std::ranges::equal(fields.run(places.uuid, superblock_.metadata_uuid.size()),
                          superblock_.metadata_uuid))
    return damaged_block(what, "belongs to another file system", offset);
  if (fields.u64(places.place) != offset / kXfsBasicBlock)
    return damaged_block(what, "belongs to another place", offset);
  // The kernel names the new owner of an exchanged tree when it has replayed the log.
  if (fields.u64(places.owner) != owner && !replay_.moved_trees.contains(owner))
    return damaged_block(what,
                         "belongs to inode " + std::to_string(fields.u64(places.owner)) + ", not to inode " +
                             std::to_string(owner),
                         offset);
  // What the log changed keeps the checksum of before; the kernel computes it anew when it writes the block.
  if (!overlay_->covers(offset, block.size()) && !xfs_checksum_holds(block, places.checksum))
    return damaged_block(what, "has a wrong checksum", offset);
  return {};
}

}  // namespace pvhgrub::fs
