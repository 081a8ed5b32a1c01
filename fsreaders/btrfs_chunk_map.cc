// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_chunk_map.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <string>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/btrfs_key.h"

namespace pvhgrub::fs {
namespace {

// Chunk types ("CHUNK_ITEM"); a chunk without any of these bits is single.
constexpr std::uint64_t kRaid0 = 1U << 3U;
constexpr std::uint64_t kRaid1 = 1U << 4U;
constexpr std::uint64_t kDup = 1U << 5U;
constexpr std::uint64_t kRaid10 = 1U << 6U;
constexpr std::uint64_t kRaid5 = 1U << 7U;
constexpr std::uint64_t kRaid6 = 1U << 8U;
constexpr std::uint64_t kRaid1c3 = 1U << 9U;
constexpr std::uint64_t kRaid1c4 = 1U << 10U;
constexpr std::uint64_t kMirrored = kRaid1 | kDup | kRaid1c3 | kRaid1c4;
constexpr std::uint64_t kProfiles = kRaid0 | kMirrored | kRaid10 | kRaid5 | kRaid6;

std::unexpected<Error> damaged(std::uint64_t logical, const std::string& what) {
  return fail(ErrorCode::kDamaged, "a chunk " + what + "; run `btrfs check` in the guest",
              "btrfs logical byte " + std::to_string(logical));
}

}  // namespace

const BtrfsDevice* BtrfsChunkMap::device_of(std::uint64_t id, const BtrfsUuid& uuid) const {
  const auto found = std::ranges::find_if(
      devices_, [&](const BtrfsDevice& device) { return device.id == id && device.uuid == uuid; });
  return found != devices_.end() ? &*found : nullptr;
}

Result<std::size_t> BtrfsChunkMap::add(std::uint64_t logical, Bytes item) {
  ByteReader reader(item);
  Chunk chunk;
  PVHGRUB_TRY_ASSIGN(chunk.length, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.skip(sizeof(std::uint64_t)));  // owner
  PVHGRUB_TRY_ASSIGN(const std::uint64_t stripe_length, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(chunk.type, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.skip(3 * sizeof(std::uint32_t)));  // io_align, io_width, sector_size
  PVHGRUB_TRY_ASSIGN(chunk.stripe_count, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(chunk.sub_stripes, reader.little_endian<std::uint16_t>());
  chunk.type &= kProfiles;
  if (chunk.length == 0 || !checked_add(logical, chunk.length)) return damaged(logical, "of a wrong length");
  if (!std::has_single_bit(stripe_length) || stripe_length < 4 * limits::kKiB || stripe_length > limits::kGiB)
    return damaged(logical, "with stripes of " + std::to_string(stripe_length) + " bytes");
  chunk.stripe_length = static_cast<std::uint32_t>(stripe_length);
  const unsigned parity = chunk.type == kRaid6 ? 2 : chunk.type == kRaid5 ? 1 : 0;
  if (std::popcount(chunk.type) > 1 || chunk.stripe_count <= parity ||
      (chunk.type == kRaid10 && (chunk.sub_stripes == 0 || chunk.stripe_count % chunk.sub_stripes != 0)))
    return damaged(logical, "with " + std::to_string(chunk.stripe_count) + " stripes of kind " +
                                std::to_string(chunk.type));
  chunk.first_stripe = stripes_.size();
  const bool known = chunks_.contains(logical);
  if (!known && (chunks_.size() >= limits::kBtrfsChunks || stripes_.size() >= limits::kBtrfsStripes))
    return fail(ErrorCode::kLimit, "btrfs with more than " + std::to_string(limits::kBtrfsChunks) +
                                       " chunks or " + std::to_string(limits::kBtrfsStripes) + " stripes");
  for (unsigned i = 0; i < chunk.stripe_count; ++i) {
    Stripe stripe;
    PVHGRUB_TRY_ASSIGN(stripe.device_id, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY_ASSIGN(stripe.offset, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY_ASSIGN(const Bytes bytes, reader.take(BtrfsUuid().size()));
    BtrfsUuid uuid{};
    std::ranges::copy(bytes, uuid.begin());
    stripe.device = device_of(stripe.device_id, uuid);
    if (!known) stripes_.push_back(stripe);
  }
  if (!known) chunks_.emplace(logical, chunk);
  return reader.position();
}

Result<void> BtrfsChunkMap::add_system_chunks(Bytes chunks) {
  for (ByteReader reader(chunks); reader.remaining() > 0;) {
    PVHGRUB_TRY_ASSIGN(const BtrfsKey key, read_btrfs_key(reader));
    if (key.type != BtrfsItem::kChunk)
      return fail(ErrorCode::kDamaged,
                  "the btrfs superblock's system chunks hold something else; run `btrfs check` in the guest");
    PVHGRUB_TRY_ASSIGN(const std::size_t size, add(key.offset, chunks.subspan(reader.position())));
    PVHGRUB_TRY(reader.skip(size));
  }
  return {};
}

BtrfsChunkMap::Place BtrfsChunkMap::place_in(const Chunk& chunk, std::uint64_t offset) {
  if (chunk.type == 0 || (chunk.type & kMirrored) != 0)
    return {0, chunk.type == 0 ? std::size_t{1} : chunk.stripe_count, offset, chunk.length - offset};
  const std::uint64_t number = offset / chunk.stripe_length;
  const std::uint64_t within = offset % chunk.stripe_length;
  Place place;
  place.length = std::min(chunk.stripe_length - within, chunk.length - offset);
  std::uint64_t row = 0;
  if (chunk.type == kRaid0) {
    place.first = number % chunk.stripe_count;
    row = number / chunk.stripe_count;
  } else if (chunk.type == kRaid10) {
    const std::uint64_t groups = chunk.stripe_count / chunk.sub_stripes;
    place.first = number % groups * chunk.sub_stripes;
    place.count = chunk.sub_stripes;
    row = number / groups;
  } else {  // RAID 5 and 6: each row begins one device further than the row before
    const std::uint64_t data = chunk.stripe_count - (chunk.type == kRaid6 ? 2U : 1U);
    row = number / data;
    place.first = (row + number % data) % chunk.stripe_count;
  }
  place.offset = row * chunk.stripe_length + within;
  return place;
}

Result<BtrfsMapping> BtrfsChunkMap::map(std::uint64_t logical, std::uint64_t length) const {
  auto found = chunks_.upper_bound(logical);
  if (found == chunks_.begin() || length == 0) return damaged(logical, "is missing that holds it");
  found = std::prev(found);
  const Chunk& chunk = found->second;
  if (logical - found->first >= chunk.length) return damaged(logical, "is missing that holds it");
  const Place place = place_in(chunk, logical - found->first);
  BtrfsMapping mapping;
  mapping.length = std::min(length, place.length);
  for (std::size_t i = 0; i < std::min(place.count, mapping.copies.size()); ++i) {
    const Stripe& stripe = stripes_[chunk.first_stripe + place.first + i];
    const auto offset = checked_add(stripe.offset, place.offset);
    if (stripe.device == nullptr)
      mapping.missing_device = stripe.device_id;
    else if (offset && range_inside(*offset, mapping.length, stripe.device->source->size()))
      mapping.copies[mapping.copy_count++] = {stripe.device, *offset};
  }
  // A device that missed writes is asked last. At most four: an insertion sort keeps their order.
  const auto copies = std::span(mapping.copies).first(mapping.copy_count);
  for (std::size_t i = 1; i < copies.size(); ++i)
    for (std::size_t j = i; j > 0 && copies[j - 1].device->generation < copies[j].device->generation; --j)
      std::swap(copies[j - 1], copies[j]);
  return mapping;
}

}  // namespace pvhgrub::fs
