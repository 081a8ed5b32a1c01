// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/lvm_raid_state.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace pvhgrub::fs {
namespace {

/// What Linux's drivers/md/dm-raid.c has at the start of its superblock.
struct RaidRecord {
  std::uint32_t position = 0;  ///< of the image in the volume
  std::uint64_t events = 0;
  std::uint64_t failed = 0;     ///< a bit for each image
  std::uint64_t recovered = 0;  ///< sectors of this image that are complete; all bits: all
};

constexpr std::uint32_t kMagic = 0x6452'6D44;  // "DmRd"
constexpr std::size_t kBytes = 48;

Result<std::optional<RaidRecord>> read_record(BlockSource& source) {
  std::array<std::byte, kBytes> bytes{};
  if (source.size() < bytes.size()) return std::nullopt;
  PVHGRUB_TRY(source.read_at(0, bytes));
  ByteReader reader(bytes);
  PVHGRUB_TRY_ASSIGN(const auto magic, reader.little_endian<std::uint32_t>());
  if (magic != kMagic) return std::nullopt;
  PVHGRUB_TRY(reader.skip(8));  // compatible features, number of images
  RaidRecord record;
  PVHGRUB_TRY_ASSIGN(record.position, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(record.events, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(record.failed, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(record.recovered, reader.little_endian<std::uint64_t>());
  return record;
}

}  // namespace

Result<std::vector<bool>> good_raid_images(const std::vector<BlockSource*>& records, Budget& budget) {
  std::vector<std::optional<RaidRecord>> found(records.size());
  std::optional<RaidRecord> newest;
  for (std::size_t i = 0; i < records.size(); ++i) {
    PVHGRUB_TRY(budget.charge_bytes(kBytes, "looking at the images of a RAID volume"));
    if (records[i] == nullptr) continue;
    auto record = read_record(*records[i]);
    if (!record || !*record) continue;
    found[i] = **record;
    if (!newest || found[i]->events > newest->events) newest = found[i];
  }
  std::vector<bool> good(records.size(), true);
  if (!newest) return good;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::optional<RaidRecord>& record = found[i];
    const bool failed = i < 64 && ((newest->failed >> i) & 1) != 0;
    // The images of an active volume may be one event apart: they are written one after another.
    good[i] = record && record->position == i && !failed && record->events + 1 >= newest->events &&
              record->recovered == UINT64_MAX;
  }
  return good;
}

}  // namespace pvhgrub::fs
