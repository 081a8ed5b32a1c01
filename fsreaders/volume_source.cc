// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/volume_source.h"

#include <algorithm>

#include "base/checked.h"

namespace pvhgrub::fs {

bool is_readable(const VolumeSegment& segment) {
  const auto there = [](const VolumeLeg& leg) { return leg.source != nullptr; };
  switch (segment.layout.kind) {
    case VolumeLayout::Kind::kMirrored:
      return std::ranges::any_of(segment.legs, there);
    case VolumeLayout::Kind::kStriped:
    case VolumeLayout::Kind::kParity:
      return std::ranges::all_of(segment.legs, there);
    case VolumeLayout::Kind::kRaid10:
      break;
  }
  // Which legs hold a chunk repeats after as many chunks as there are legs.
  for (std::uint64_t chunk = 0; chunk < segment.layout.legs; ++chunk) {
    const std::uint64_t offset = chunk * segment.layout.chunk;
    if (offset >= segment.length) break;
    const VolumePlaces places = find_places(segment.layout, offset);
    const bool any = std::ranges::any_of(
        places.copies, [&](const VolumePlace& copy) { return there(segment.legs[copy.leg]); });
    if (!any) return false;
  }
  return true;
}

VolumeSource::VolumeSource(std::string name, std::vector<VolumeSegment> segments)
    : name_(std::move(name)), segments_(std::move(segments)) {
  ends_.reserve(segments_.size());
  for (const VolumeSegment& segment : segments_) {
    size_ += segment.length;
    ends_.push_back(size_);
  }
}

std::unexpected<Error> VolumeSource::past_end(std::uint64_t offset) const {
  return fail(ErrorCode::kDamaged,
              "something points past the volume's end; it has " + std::to_string(size_) + " bytes",
              name_ + ", byte " + std::to_string(offset) + " of the volume");
}

Result<std::uint64_t> VolumeSource::with_piece(
    std::uint64_t offset, std::uint64_t length,
    const std::function<Result<void>(BlockSource&, std::uint64_t, std::uint64_t)>& use) const {
  const auto index = static_cast<std::size_t>(std::ranges::upper_bound(ends_, offset) - ends_.begin());
  const VolumeSegment& segment = segments_[index];
  const std::uint64_t begin = ends_[index] - segment.length;
  const VolumePlaces places = find_places(segment.layout, offset - begin);
  const std::uint64_t piece = std::min({length, places.length, ends_[index] - offset});
  std::optional<Error> first;
  for (const VolumePlace& copy : places.copies) {
    const VolumeLeg& leg = segment.legs[copy.leg];
    if (leg.source == nullptr) continue;
    auto used = use(*leg.source, leg.offset + copy.offset, piece);
    if (used) return piece;
    if (!first) first = std::move(used).error();
  }
  if (first) return std::unexpected(at(name_, *std::move(first)));
  return fail(ErrorCode::kUnsupported, "all devices that hold these bytes are missing",
              name_ + ", byte " + std::to_string(offset) + " of the volume");
}

Result<void> VolumeSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  if (!range_inside<std::uint64_t>(offset, out.size(), size_)) return past_end(offset);
  while (!out.empty()) {
    PVHGRUB_TRY_ASSIGN(
        const std::uint64_t count,
        with_piece(offset, out.size(), [&](BlockSource& source, std::uint64_t place, std::uint64_t length) {
          return source.read_at(place, out.first(static_cast<std::size_t>(length)));
        }));
    out = out.subspan(static_cast<std::size_t>(count));
    offset += count;
  }
  return {};
}

Result<DiskExtent> VolumeSource::locate(std::uint64_t offset, std::uint64_t length) {
  if (length == 0 || offset >= size_) return past_end(offset);
  DiskExtent extent;
  PVHGRUB_TRY_ASSIGN(
      const std::uint64_t piece,
      with_piece(offset, length,
                 [&](BlockSource& source, std::uint64_t place, std::uint64_t count) -> Result<void> {
                   PVHGRUB_TRY_ASSIGN(extent, source.locate(place, count));
                   return {};
                 }));
  extent.length = std::min(extent.length, piece);
  return extent;
}

}  // namespace pvhgrub::fs
