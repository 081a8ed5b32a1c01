// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_overlay.h"

#include <algorithm>
#include <string>

#include "base/limits.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

XfsOverlay::Piece XfsOverlay::first_piece(std::uint64_t offset, std::uint64_t length) const {
  const auto next = sectors_.lower_bound(offset / kSector);
  if (next == sectors_.end()) return {length, {}};
  const std::uint64_t start = next->first * kSector;
  if (start > offset) return {std::min(length, start - offset), {}};
  const std::uint64_t within = offset - start;
  const std::uint64_t count = std::min(length, kSector - within);
  return {count,
          Bytes(next->second).subspan(static_cast<std::size_t>(within), static_cast<std::size_t>(count))};
}

Result<void> XfsOverlay::read_at(std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const Piece piece = first_piece(offset, out.size());
    const auto part = out.first(static_cast<std::size_t>(piece.length));
    if (piece.replaced.empty())
      PVHGRUB_TRY(below_.read_at(offset, part));
    else
      std::ranges::copy(piece.replaced, part.begin());
    offset += piece.length;
    out = out.subspan(part.size());
  }
  return {};
}

Result<DiskExtent> XfsOverlay::locate(std::uint64_t offset, std::uint64_t length) {
  const Piece piece = first_piece(offset, length);
  if (!piece.replaced.empty())
    return fail(ErrorCode::kUnsupported, "these bytes lie in the log of the file system only",
                "file system byte " + std::to_string(offset));
  return below_.locate(offset, piece.length);
}

Result<void> XfsOverlay::send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) {
  while (length > 0) {
    const Piece piece = first_piece(offset, length);
    PVHGRUB_TRY(piece.replaced.empty() ? below_.send(offset, piece.length, sink)
                                       : sink.bytes(piece.replaced));
    offset += piece.length;
    length -= piece.length;
  }
  return {};
}

Result<void> XfsOverlay::write(std::uint64_t offset, Bytes bytes) {
  if (!range_inside<std::uint64_t>(offset, bytes.size(), size()))
    return fail(ErrorCode::kDamaged, "the log changes what lies past the end of the file system",
                "file system byte " + std::to_string(offset));
  while (!bytes.empty()) {
    const std::uint64_t number = offset / kSector;
    const auto within = static_cast<std::size_t>(offset % kSector);
    auto found = sectors_.find(number);
    if (found == sectors_.end()) {
      if (sectors_.size() >= limits::kXfsOverlayBytes / kSector)
        return fail(ErrorCode::kLimit,
                    "the log changes more than " + std::to_string(limits::kXfsOverlayBytes >> 20U) +
                        " MiB; boot or mount the file system once by other means, which empties it");
      std::array<std::byte, kSector> sector{};
      PVHGRUB_TRY(below_.read_at(number * kSector, sector));
      found = sectors_.emplace(number, sector).first;
    }
    const std::size_t count = std::min(bytes.size(), kSector - within);
    std::ranges::copy(bytes.first(count), found->second.begin() + static_cast<std::ptrdiff_t>(within));
    offset += count;
    bytes = bytes.subspan(count);
  }
  return {};
}

bool XfsOverlay::covers(std::uint64_t offset, std::uint64_t length) const {
  if (length == 0) return false;
  const auto next = sectors_.lower_bound(offset / kSector);
  return next != sectors_.end() && next->first <= (offset + (length - 1)) / kSector;
}

}  // namespace pvhgrub::fs
