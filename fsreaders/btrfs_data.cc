// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_data.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::fs {
namespace {

// Bytes that are checked at once on their way out.
constexpr std::uint64_t kPiece = limits::kMiB;

}  // namespace

Result<BtrfsData::Run> BtrfsData::find_run(std::uint64_t logical) const {
  const std::size_t size = btrfs_checksum_size(volume_.superblock().checksum);
  const BtrfsKey key{kBtrfsChecksumObject, BtrfsItem::kExtentChecksum, logical};
  const auto covering = [&](const BtrfsKey& found, Bytes item) -> std::optional<Run> {
    if (found.object != key.object || found.type != key.type || found.offset > logical) return std::nullopt;
    const std::uint64_t sectors = item.size() / size;
    const auto end = checked_add(found.offset, sectors * sector());
    if (!end || logical >= *end) return std::nullopt;
    return Run{found.offset, *end, {item.begin(), item.end()}};
  };
  // What was logged is newer than what the tree has of the same place.
  if (const auto above = logged_.upper_bound(key); above != logged_.begin()) {
    const auto& [found, item] = *std::prev(above);
    if (item)
      if (auto run = covering(found, *item)) return *std::move(run);
  }
  if (checksums_) {
    PVHGRUB_TRY_ASSIGN(const BtrfsTreeCursor cursor, BtrfsTree(volume_, *checksums_).floor(key));
    if (!cursor.at_end())
      if (auto run = covering(cursor.key(), cursor.item())) return *std::move(run);
  }
  return Run{logical, logical + sector(), {}};
}

Result<Bytes> BtrfsData::checksum_of(std::uint64_t logical) {
  if (logical < run_.begin || logical >= run_.end) {
    PVHGRUB_TRY(volume_.budget().charge_steps(1, "looking for btrfs checksums"));
    PVHGRUB_TRY_ASSIGN(run_, find_run(logical));
  }
  if (run_.bytes.empty() || (logical - run_.begin) % sector() != 0) return Bytes();
  const std::size_t size = btrfs_checksum_size(volume_.superblock().checksum);
  const auto index = static_cast<std::size_t>((logical - run_.begin) / sector());
  return Bytes(run_.bytes).subspan(index * size, size);
}

Result<std::uint8_t> BtrfsData::read_good_copy(std::uint64_t logical, std::span<std::byte> out,
                                               bool checked) {
  std::optional<Error> first_error;
  for (std::uint8_t copy = 0; copy < BtrfsVolume::kCopies; ++copy) {
    PVHGRUB_TRY(volume_.budget().charge_steps(1, "reading a file of btrfs"));
    if (const auto done = volume_.read(logical, out, copy); !done) {
      if (!first_error) first_error = done.error();
      if (done.error().code == ErrorCode::kNotFound) break;
      continue;
    }
    if (!checked) return copy;
    PVHGRUB_TRY_ASSIGN(const Bytes checksum, checksum_of(logical));
    if (checksum.empty() || btrfs_checksum_matches(volume_.superblock().checksum, out, checksum)) return copy;
    if (!first_error)
      first_error = Error{ErrorCode::kDamaged,
                          "the file's contents do not have their checksum, in no copy that is there; restore "
                          "the file in the guest (`btrfs scrub` tells which others)",
                          volume_.place_name(logical), 0};
  }
  return std::unexpected(*std::move(first_error));
}

Result<std::vector<std::uint8_t>> BtrfsData::read_best(std::uint64_t logical, std::span<std::byte> out,
                                                       bool checked) {
  std::vector<std::uint8_t> copies(out.size() / sector());
  PVHGRUB_TRY(volume_.budget().charge_steps(copies.size() / 16 + 1, "reading a file of btrfs"));
  const bool whole = volume_.read(logical, out, 0).has_value();
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const std::uint64_t place = logical + i * sector();
    const auto part = out.subspan(i * sector(), sector());
    if (whole && checked) {
      PVHGRUB_TRY_ASSIGN(const Bytes checksum, checksum_of(place));
      if (checksum.empty() || btrfs_checksum_matches(volume_.superblock().checksum, part, checksum)) continue;
    } else if (whole) {
      continue;
    }
    PVHGRUB_TRY_ASSIGN(copies[i], read_good_copy(place, part, checked));
  }
  return copies;
}

Result<void> BtrfsData::read(std::uint64_t logical, std::span<std::byte> out, bool checked) {
  PVHGRUB_TRY(read_best(logical, out, checked));
  return {};
}

Result<void> BtrfsData::send(std::uint64_t logical, std::uint64_t length, bool checked, ContentSink& sink) {
  if (!checked) return volume_.send(logical, length, 0, sink);
  const std::uint64_t last = logical + length;
  std::vector<std::byte> buffer;
  for (std::uint64_t place = logical; place < last;) {
    const std::uint64_t begin = place / sector() * sector();
    const std::uint64_t end = std::min(begin + kPiece, (last + sector() - 1) / sector() * sector());
    buffer.resize(static_cast<std::size_t>(end - begin));
    PVHGRUB_TRY_ASSIGN(const std::vector<std::uint8_t> copies, read_best(begin, buffer, true));
    // Sectors of the same copy leave together.
    for (std::size_t i = 0; i < copies.size();) {
      std::size_t next = i + 1;
      while (next < copies.size() && copies[next] == copies[i]) ++next;
      const std::uint64_t to = std::min(begin + next * sector(), last);
      PVHGRUB_TRY(volume_.send(place, to - place, copies[i], sink));
      place = to;
      i = next;
    }
  }
  return {};
}

}  // namespace pvhgrub::fs
