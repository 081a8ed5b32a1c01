// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_volume.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/hexadecimal.h"
#include "base/limits.h"
#include "fsreaders/btrfs_tree.h"

namespace pvhgrub::fs {
namespace {

// Memory in bytes for nodes that are remembered: the way to a file leads through some ten, and a directory's
// inodes lie in the same ones again and again.
constexpr std::size_t kCacheBytes = 2 * limits::kMiB;

// All devices of the file system that are there: of two of the same number (a snapshot of the guest's disk
// among the disks) the asked one, else the newer.
struct DeviceSearch {
  std::vector<BtrfsDevice> present;
  BtrfsSuperblock newest;
  std::vector<std::string> notes;
};

BtrfsDevice device_of(const BtrfsSuperblock& superblock, BlockSource& source) {
  return {superblock.device_id, superblock.device_uuid, superblock.generation, &source};
}

std::string generation_text(const BtrfsDevice& device) {
  return "device " + std::to_string(device.id) + " (generation " + std::to_string(device.generation) + ")";
}

void add_device(DeviceSearch& devices, const BtrfsSuperblock& superblock, BlockSource& source) {
  const BtrfsDevice device = device_of(superblock, source);
  const auto same = std::ranges::find(devices.present, device.id, &BtrfsDevice::id);
  if (same != devices.present.end()) {
    devices.notes.push_back("several disks claim to be " + generation_text(device) + " of btrfs " +
                            uuid_text(superblock.fsid) + "; only one is read");
    if (same == devices.present.begin() || same->generation >= device.generation) return;
    *same = device;
  } else {
    devices.present.push_back(device);
  }
  if (superblock.generation > devices.newest.generation) devices.newest = superblock;
}

Result<DeviceSearch> find_devices(BlockSource& source, const OtherDevices& others, Budget& budget) {
  DeviceSearch devices;
  PVHGRUB_TRY_ASSIGN(devices.newest, read_btrfs_superblock(source, budget));
  const BtrfsUuid fsid = devices.newest.fsid;
  devices.present.push_back(device_of(devices.newest, source));
  if (devices.newest.devices > 1 && others) {
    for (BlockSource* const other : others()) {
      PVHGRUB_TRY(budget.charge_steps(1, "looking for the devices of a btrfs file system"));
      const auto superblock = read_btrfs_superblock(*other, budget);
      if (!superblock && superblock.error().code == ErrorCode::kLimit)
        return std::unexpected(superblock.error());
      if (superblock && superblock->fsid == fsid) add_device(devices, *superblock, *other);
    }
  }
  if (devices.present.size() < devices.newest.devices)
    devices.notes.push_back("only " + std::to_string(devices.present.size()) + " of the " +
                            std::to_string(devices.newest.devices) + " devices of btrfs " + uuid_text(fsid) +
                            " are among the disks");
  for (const BtrfsDevice& device : devices.present)
    if (device.generation < devices.newest.generation)
      devices.notes.push_back(generation_text(device) + " of btrfs " + uuid_text(fsid) +
                              " has missed writes; copies on other devices (generation " +
                              std::to_string(devices.newest.generation) + ") are preferred");
  return devices;
}

}  // namespace

BtrfsVolume::BtrfsVolume(Budget& budget, BtrfsSuperblock superblock, std::vector<BtrfsDevice> devices)
    : budget_(budget), superblock_(std::move(superblock)), devices_(std::move(devices)), chunks_(devices_) {}

Result<std::unique_ptr<BtrfsVolume>> BtrfsVolume::open(BlockSource& source, const OtherDevices& others,
                                                       Budget& budget) {
  PVHGRUB_TRY_ASSIGN(DeviceSearch devices, find_devices(source, others, budget));
  std::unique_ptr<BtrfsVolume> volume(
      new BtrfsVolume(budget, std::move(devices.newest), std::move(devices.present)));
  volume->notes_ = std::move(devices.notes);
  PVHGRUB_TRY(volume->chunks_.add_system_chunks(volume->superblock_.system_chunks));
  PVHGRUB_TRY(volume->read_chunk_tree());
  return volume;
}

Result<void> BtrfsVolume::read_chunk_tree() {
  const BtrfsTree tree(*this, superblock_.chunk_tree);
  PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor, tree.lower_bound({0, BtrfsItem{}, 0}));
  while (!cursor.at_end()) {
    if (cursor.key().type == BtrfsItem::kChunk) PVHGRUB_TRY(chunks_.add(cursor.key().offset, cursor.item()));
    PVHGRUB_TRY(cursor.next());
  }
  return {};
}

Result<std::shared_ptr<const BtrfsNode>> BtrfsVolume::node(const BtrfsTreeRoot& place) {
  const auto found = std::ranges::find_if(cache_, [&](const auto& node) {
    return node->logical() == place.logical && node->generation() == place.generation &&
           node->level() == place.level;
  });
  if (found != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, found);
    return cache_.front();
  }
  PVHGRUB_TRY_ASSIGN(std::shared_ptr<const BtrfsNode> fresh, read_node(place));
  cache_.push_front(fresh);
  std::size_t memory = 0;
  const auto too_much = std::ranges::find_if(
      cache_, [&](const auto& node) { return (memory += node->memory()) > kCacheBytes; });
  cache_.erase(too_much, cache_.end());
  return fresh;
}

Result<std::shared_ptr<const BtrfsNode>> BtrfsVolume::read_node(const BtrfsTreeRoot& place) {
  std::optional<Error> first_error;
  for (std::size_t copy = 0; copy < kCopies; ++copy) {
    PVHGRUB_TRY(budget_.charge_steps(1, "reading btrfs trees"));
    PVHGRUB_TRY(budget_.charge_bytes(superblock_.node_size, "reading btrfs trees"));
    std::vector<std::byte> bytes(superblock_.node_size);
    if (const auto done = read(place.logical, bytes, copy); !done) {
      if (!first_error) first_error = done.error();
      if (done.error().code == ErrorCode::kNotFound) break;
      continue;
    }
    auto node = BtrfsNode::parse(std::move(bytes), place, superblock_);
    if (node) return std::make_shared<const BtrfsNode>(*std::move(node));
    if (!first_error) first_error = at(place_name(place.logical), std::move(node).error());
  }
  return std::unexpected(*std::move(first_error));
}

Result<BtrfsVolume::Piece> BtrfsVolume::first_piece(std::uint64_t logical, std::uint64_t length,
                                                    std::size_t copy) const {
  PVHGRUB_TRY_ASSIGN(const BtrfsMapping mapping, chunks_.map(logical, length));
  const auto copies = mapping.present();
  if (copy < copies.size()) return Piece{copies[copy], mapping.length};
  const std::string where = "btrfs logical byte " + std::to_string(logical);
  if (copy > 0) return fail(ErrorCode::kNotFound, "there is no further copy", where);
  if (mapping.missing_device != 0)
    return fail(ErrorCode::kUnsupported,
                "it lies on device " + std::to_string(mapping.missing_device) + " of the btrfs file system " +
                    uuid_text(superblock_.fsid) + ", which is not among the disks; name all its disks",
                where);
  return fail(ErrorCode::kDamaged, "it lies past the device's end; run `btrfs check` in the guest", where);
}

Result<void> BtrfsVolume::read(std::uint64_t logical, std::span<std::byte> out, std::size_t copy) {
  while (!out.empty()) {
    PVHGRUB_TRY_ASSIGN(const Piece piece, first_piece(logical, out.size(), copy));
    const auto part = out.first(static_cast<std::size_t>(piece.length));
    PVHGRUB_TRY(piece.copy.device->source->read_at(piece.copy.offset, part));
    logical += piece.length;
    out = out.subspan(part.size());
  }
  return {};
}

Result<void> BtrfsVolume::send(std::uint64_t logical, std::uint64_t length, std::size_t copy,
                               ContentSink& sink) {
  while (length > 0) {
    PVHGRUB_TRY_ASSIGN(const Piece piece, first_piece(logical, length, copy));
    PVHGRUB_TRY(piece.copy.device->source->send(piece.copy.offset, piece.length, sink));
    logical += piece.length;
    length -= piece.length;
  }
  return {};
}

std::string BtrfsVolume::place_name(std::uint64_t logical) const {
  std::string name = "btrfs logical byte " + std::to_string(logical);
  const auto piece = first_piece(logical, 1, 0);
  if (piece)
    name += " (device " + std::to_string(piece->copy.device->id) + ", byte " +
            std::to_string(piece->copy.offset) + ")";
  return name;
}

}  // namespace pvhgrub::fs
