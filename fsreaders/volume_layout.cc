// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/volume_layout.h"

#include <limits>

namespace pvhgrub::fs {
namespace {

/// raid10.c, __raid10_find_phys: first the near copies, and with each of them its far ones.
void find_raid10(const VolumeLayout& layout, std::uint64_t chunk, std::uint64_t within,
                 std::vector<VolumePlace>& copies) {
  const std::uint64_t first = chunk * layout.near_copies;
  std::uint64_t row = first / layout.legs;
  if (layout.far_offset) row *= layout.far_copies;
  auto leg = static_cast<std::uint32_t>(first % layout.legs);
  std::uint64_t offset = row * layout.chunk + within;
  for (std::uint32_t near = 0; near < layout.near_copies; ++near) {
    for (std::uint32_t far = 0; far < layout.far_copies; ++far)
      copies.push_back({(leg + far * layout.near_copies) % layout.legs, offset + far * layout.stride});
    if (++leg == layout.legs) {
      leg = 0;
      offset += layout.chunk;
    }
  }
}

/// raid5.c, raid5_compute_sector: the leg of data chunk `index` of a row of level 5.
std::uint32_t leg_of_raid5(const VolumeLayout& layout, std::uint32_t index, std::uint64_t row) {
  using Parity = VolumeLayout::Parity;
  const std::uint32_t legs = layout.legs;
  const auto turn = static_cast<std::uint32_t>(row % legs);
  switch (layout.parity) {
    case Parity::kLeftAsymmetric:
      return index >= legs - 1 - turn ? index + 1 : index;
    case Parity::kRightAsymmetric:
      return index >= turn ? index + 1 : index;
    case Parity::kRightSymmetric:
      return (turn + 1 + index) % legs;
    case Parity::kFirst:
      return index + 1;
    case Parity::kLast:
      return index;
    default:
      return (legs - 1 - turn + 1 + index) % legs;
  }
}

/// The same of level 6. The Q of an asymmetric row follows its P; where P is the last leg, Q is the first.
std::uint32_t leg_of_raid6(const VolumeLayout& layout, std::uint32_t index, std::uint64_t row) {
  using Parity = VolumeLayout::Parity;
  const std::uint32_t legs = layout.legs;
  const auto turn = static_cast<std::uint32_t>(row % legs);
  const auto asymmetric = [&](std::uint32_t p) {
    if (p == legs - 1) return index + 1;
    return index >= p ? index + 2 : index;
  };
  switch (layout.parity) {
    case Parity::kLeftAsymmetric:
      return asymmetric(legs - 1 - turn);
    case Parity::kRightAsymmetric:
    case Parity::kZeroRestart:
      return asymmetric(turn);
    case Parity::kNextRestart:
      return asymmetric(legs - 1 - static_cast<std::uint32_t>((row + 1) % legs));
    case Parity::kRightSymmetric:
      return (turn + 2 + index) % legs;
    case Parity::kFirst:
      return index + 2;
    case Parity::kLast:
      return index;
    case Parity::kNextContinue:
      return (legs - 1 - turn + 1 + index) % legs;
    default:
      return (legs - 1 - turn + 2 + index) % legs;
  }
}

}  // namespace

VolumePlaces find_places(const VolumeLayout& layout, std::uint64_t offset) {
  VolumePlaces places;
  if (layout.kind == VolumeLayout::Kind::kMirrored) {
    places.length = std::numeric_limits<std::uint64_t>::max();
    for (std::uint32_t leg = 0; leg < layout.legs; ++leg) places.copies.push_back({leg, offset});
    return places;
  }
  const std::uint64_t chunk = offset / layout.chunk;
  const std::uint64_t within = offset % layout.chunk;
  places.length = layout.chunk - within;
  if (layout.kind == VolumeLayout::Kind::kRaid10) {
    find_raid10(layout, chunk, within, places.copies);
    return places;
  }
  const std::uint32_t data_legs = layout.legs - layout.parity_legs;
  const std::uint64_t row = chunk / data_legs;
  const auto index = static_cast<std::uint32_t>(chunk % data_legs);
  std::uint32_t leg = index;
  if (layout.kind == VolumeLayout::Kind::kParity)
    leg = layout.parity_legs == 1 ? leg_of_raid5(layout, index, row) : leg_of_raid6(layout, index, row);
  places.copies.push_back({leg, row * layout.chunk + within});
  return places;
}

}  // namespace pvhgrub::fs
