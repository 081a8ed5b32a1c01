// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_superblock.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::fs {
namespace {

constexpr std::size_t kSuperblockBytes = 4096;
constexpr std::size_t kChecksumField = 32;
constexpr std::size_t kMagicOffset = 64;
constexpr std::string_view kMagic = "_BHRfS_M";
// "Superblock": the primary, and the mirrors that fit on the device.
constexpr std::array kPlaces = {64 * limits::kKiB, 64 * limits::kMiB, 256 * limits::kGiB};
constexpr std::size_t kLabelBytes = 256;
constexpr std::size_t kSystemChunkBytes = 2048;
constexpr std::size_t kChecksumKindOffset = 196;
constexpr std::size_t kDeviceItemOffset = 201;
constexpr std::size_t kMetadataFsidOffset = 571;
constexpr std::size_t kSystemChunksOffset = 811;

// Incompatible features by their bit.
struct Feature {
  unsigned bit;
  const char* name;
};
constexpr unsigned kMetadataUuidBit = 10;
constexpr unsigned kKnownBits = 12;  // bits 0 to 11 are all understood
constexpr std::array kRefused = {Feature{12, "zoned"}, Feature{13, "extent-tree-v2"},
                                 Feature{14, "raid-stripe-tree"}, Feature{17, "remap-tree"}};
constexpr unsigned kSimpleQuotaBit = 16;  // concerns extents' owners, which only writers look at

Result<void> check_features(std::uint64_t incompatible) {
  const std::uint64_t understood =
      ((std::uint64_t{1} << kKnownBits) - 1) | (std::uint64_t{1} << kSimpleQuotaBit);
  std::uint64_t unknown = incompatible & ~understood;
  if (unknown == 0) return {};
  std::string names;
  for (const Feature& feature : kRefused)
    if ((unknown >> feature.bit & 1) != 0) {
      names += std::string(names.empty() ? "" : ", ") + feature.name;
      unknown &= ~(std::uint64_t{1} << feature.bit);
    }
  if (unknown != 0)
    names +=
        std::string(names.empty() ? "" : ", ") + "bits " + std::to_string(unknown) + ", of a newer Linux";
  return fail(ErrorCode::kUnsupported, "btrfs with features that are not known here (" + names +
                                           "); put /boot on a file system without them");
}

std::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::kDamaged, "the btrfs superblock says " + what + "; run `btrfs check` in the guest");
}

Result<void> check_geometry(const BtrfsSuperblock& superblock) {
  const auto sound = [](std::uint32_t size) {
    return std::has_single_bit(size) && size >= 4 * limits::kKiB && size <= 64 * limits::kKiB;
  };
  if (!sound(superblock.sector_size) || !sound(superblock.node_size) ||
      superblock.node_size < superblock.sector_size)
    return damaged("nodes of " + std::to_string(superblock.node_size) + " and sectors of " +
                   std::to_string(superblock.sector_size) + " bytes");
  if (superblock.devices == 0) return damaged("that it has no devices");
  return {};
}

template <std::size_t kSize>
Result<std::array<std::byte, kSize>> take_array(ByteReader& reader) {
  PVHGRUB_TRY_ASSIGN(const Bytes bytes, reader.take(kSize));
  std::array<std::byte, kSize> array{};
  std::ranges::copy(bytes, array.begin());
  return array;
}

// The kind of the superblock's checksum, which is right.
Result<BtrfsChecksum> verify_checksum(Bytes bytes) {
  ByteReader reader(bytes);
  PVHGRUB_TRY(reader.seek(kChecksumKindOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint16_t number, reader.little_endian<std::uint16_t>());
  const auto kind = btrfs_checksum_kind(number);
  if (!kind)
    return fail(ErrorCode::kUnsupported,
                "btrfs with an unknown kind of checksum (" + std::to_string(number) + ")");
  if (!btrfs_checksum_matches(*kind, bytes.subspan(kChecksumField), bytes.first(kChecksumField)))
    return fail(ErrorCode::kDamaged, "the btrfs superblock's checksum (" +
                                         std::string(btrfs_checksum_name(*kind)) +
                                         ") is wrong; run `btrfs rescue super-recover` on the file system");
  return *kind;
}

Result<BtrfsSuperblock> parse(Bytes bytes) {
  BtrfsSuperblock superblock;
  PVHGRUB_TRY_ASSIGN(superblock.checksum, verify_checksum(bytes));
  ByteReader reader(bytes);
  PVHGRUB_TRY(reader.skip(kChecksumField));
  PVHGRUB_TRY_ASSIGN(superblock.fsid, take_array<16>(reader));
  superblock.metadata_fsid = superblock.fsid;
  PVHGRUB_TRY(reader.seek(kMagicOffset + kMagic.size()));
  PVHGRUB_TRY_ASSIGN(superblock.generation, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(superblock.root_tree.logical, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(superblock.chunk_tree.logical, reader.little_endian<std::uint64_t>());
  superblock.root_tree.generation = superblock.generation;
  PVHGRUB_TRY_ASSIGN(const std::uint64_t log_root, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.skip(3 * sizeof(std::uint64_t)));  // log_root_transid (unused), total_bytes, bytes_used
  PVHGRUB_TRY_ASSIGN(superblock.root_directory, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(superblock.devices, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(superblock.sector_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(superblock.node_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.skip(2 * sizeof(std::uint32_t)));  // leafsize (unused), stripesize
  PVHGRUB_TRY_ASSIGN(const std::uint32_t system_chunks, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(superblock.chunk_tree.generation, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.skip(2 * sizeof(std::uint64_t)));  // compat_flags, compat_ro_flags
  PVHGRUB_TRY_ASSIGN(const std::uint64_t incompatible, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kChecksumKindOffset + sizeof(std::uint16_t)));
  PVHGRUB_TRY_ASSIGN(superblock.root_tree.level, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY_ASSIGN(superblock.chunk_tree.level, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint8_t log_level, reader.little_endian<std::uint8_t>());
  // The log's nodes belong to the transaction that was never committed.
  if (log_root != 0) superblock.log_tree = BtrfsTreeRoot{log_root, superblock.generation + 1, log_level};
  PVHGRUB_TRY(reader.seek(kDeviceItemOffset));
  PVHGRUB_TRY_ASSIGN(superblock.device_id, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kDeviceItemOffset + 66));
  PVHGRUB_TRY_ASSIGN(superblock.device_uuid, take_array<16>(reader));
  PVHGRUB_TRY(reader.skip(16));
  PVHGRUB_TRY_ASSIGN(const Bytes label, reader.take(kLabelBytes));
  superblock.label = as_text(label).substr(0, as_text(label).find('\0'));
  if ((incompatible >> kMetadataUuidBit & 1) != 0) {
    PVHGRUB_TRY(reader.seek(kMetadataFsidOffset));
    PVHGRUB_TRY_ASSIGN(superblock.metadata_fsid, take_array<16>(reader));
  }
  PVHGRUB_TRY(check_features(incompatible));
  PVHGRUB_TRY(check_geometry(superblock));
  if (system_chunks > kSystemChunkBytes)
    return damaged("that it has " + std::to_string(system_chunks) + " bytes of system chunks");
  PVHGRUB_TRY(reader.seek(kSystemChunksOffset));
  PVHGRUB_TRY_ASSIGN(const Bytes chunks, reader.take(system_chunks));
  superblock.system_chunks.assign(chunks.begin(), chunks.end());
  return superblock;
}

Result<BtrfsSuperblock> read_at_place(BlockSource& device, std::uint64_t place) {
  std::array<std::byte, kSuperblockBytes> bytes{};
  PVHGRUB_TRY(device.read_at(place, bytes));
  if (as_text(bytes).substr(kMagicOffset, kMagic.size()) != kMagic)
    return fail(ErrorCode::kUnsupported, "not a btrfs file system");
  PVHGRUB_TRY_ASSIGN(BtrfsSuperblock superblock, parse(bytes));
  ByteReader reader(bytes);
  PVHGRUB_TRY(reader.seek(kChecksumField + 16));
  PVHGRUB_TRY_ASSIGN(const std::uint64_t own_place, reader.little_endian<std::uint64_t>());
  if (own_place != place)
    return fail(ErrorCode::kDamaged, "a btrfs superblock that belongs at byte " + std::to_string(own_place));
  return superblock;
}

}  // namespace

Result<BtrfsSuperblock> read_btrfs_superblock(BlockSource& device, Budget& budget) {
  std::optional<BtrfsSuperblock> best;
  std::optional<Error> first_error;
  for (const std::uint64_t place : kPlaces) {
    if (!range_inside<std::uint64_t>(place, kSuperblockBytes, device.size())) break;
    PVHGRUB_TRY(budget.charge_bytes(kSuperblockBytes, "reading a btrfs superblock"));
    auto read = read_at_place(device, place);
    if (!read) {
      if (!first_error) first_error = at("byte " + std::to_string(place), std::move(read).error());
      // A mirror of another kind of failure may still help; without the first magic there is no btrfs.
      if (place == kPlaces.front() && first_error->code == ErrorCode::kUnsupported) break;
      continue;
    }
    // A mirror that an earlier file system left behind is not this one's.
    if (best && (best->fsid != read->fsid || best->generation >= read->generation)) continue;
    best = std::move(*read);
  }
  if (best) return *std::move(best);
  if (first_error) return std::unexpected(*std::move(first_error));
  return fail(ErrorCode::kUnsupported, "not a btrfs file system: the device is too small");
}

}  // namespace pvhgrub::fs
