// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/lvm_group.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/checked.h"
#include "base/volume_limits.h"
#include "fsreaders/lvm_raid_state.h"

namespace pvhgrub::fs {
namespace {

using Kind = VolumeLayout::Kind;
using Parity = VolumeLayout::Parity;

/// lvmraid(7), "RAID LEVELS" and the names of MD's orders of data and parity.
struct RaidType {
  std::string_view name;
  Kind kind = Kind::kMirrored;
  std::uint32_t parity_legs = 0;
  Parity parity = Parity::kLeftSymmetric;
};

constexpr std::array kRaidTypes = {
    RaidType{"raid0", Kind::kStriped},
    RaidType{"raid0_meta", Kind::kStriped},
    RaidType{"raid1", Kind::kMirrored},
    RaidType{"raid10", Kind::kRaid10},
    RaidType{"raid10_near", Kind::kRaid10},
    RaidType{"raid5", Kind::kParity, 1, Parity::kLeftSymmetric},
    RaidType{"raid5_ls", Kind::kParity, 1, Parity::kLeftSymmetric},
    RaidType{"raid5_la", Kind::kParity, 1, Parity::kLeftAsymmetric},
    RaidType{"raid5_rs", Kind::kParity, 1, Parity::kRightSymmetric},
    RaidType{"raid5_ra", Kind::kParity, 1, Parity::kRightAsymmetric},
    RaidType{"raid5_n", Kind::kParity, 1, Parity::kLast},
    RaidType{"raid6", Kind::kParity, 2, Parity::kZeroRestart},
    RaidType{"raid6_zr", Kind::kParity, 2, Parity::kZeroRestart},
    RaidType{"raid6_nr", Kind::kParity, 2, Parity::kNextRestart},
    RaidType{"raid6_nc", Kind::kParity, 2, Parity::kNextContinue},
};

/// The smallest stripe that LVM makes.
constexpr std::uint64_t kSmallestStripe = 512;

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorCode::kDamaged, std::move(what) + "; in the guest, `vgck' tells more");
}

std::unexpected<Error> unreadable(const std::string& what) {
  return fail(
      ErrorCode::kUnsupported,
      what + ", which cannot be read here; put /boot on a plain (linear) logical volume or a partition");
}

}  // namespace

LvmGroupAssembler::LvmGroupAssembler(const LvmVolumeGroup& group,
                                     const std::map<std::string, BlockSource*, std::less<>>& physical,
                                     std::vector<std::unique_ptr<BlockSource>>& sources, Budget& budget)
    : group_(group), physical_(physical), sources_(sources), budget_(budget), made_(group.logical.size()) {
  for (const LvmPhysicalVolume& each : group.physical) physical_by_name_.emplace(each.name, &each);
  for (std::size_t i = 0; i < group.logical.size(); ++i) logical_by_name_.emplace(group.logical[i].name, i);
}

std::uint64_t LvmGroupAssembler::size_of(std::size_t number) const {
  std::optional<std::uint64_t> extents = 0;
  for (const LvmSegment& segment : group_.logical[number].segments)
    if (extents) extents = checked_add(*extents, segment.extents);
  return extents ? checked_multiply(*extents, group_.extent_size).value_or(0) : 0;
}

Result<BlockSource*> LvmGroupAssembler::open(std::size_t number) {
  Made& made = made_[number];
  const std::string& name = group_.logical[number].name;
  if (made.state == State::kBeingMade) return damaged("the logical volume `" + name + "' lies on itself");
  if (made.state == State::kUntouched) {
    made.state = State::kBeingMade;
    auto opened = make(number);
    made.state = State::kMade;
    if (opened) {
      made.source = *opened;
    } else if (opened.error().code == ErrorCode::kLimit) {
      return opened;
    } else {
      made.problem = std::move(opened).error();
    }
  }
  if (made.problem) return std::unexpected(*made.problem);
  return made.source;
}

Result<BlockSource*> LvmGroupAssembler::make(std::size_t number) {
  const LvmLogicalVolume& volume = group_.logical[number];
  if (depth_ >= limits::kVolumeDepth)
    return fail(ErrorCode::kUnsupported, "logical volumes lie more than " +
                                             std::to_string(limits::kVolumeDepth) + " deep in one another");
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard,
                     DepthGuard::enter(depth_, limits::kVolumeDepth, "logical volumes in one another"));
  if (volume.problem) return std::unexpected(*volume.problem);
  if (volume.segments.empty()) return damaged("the logical volume `" + volume.name + "' has no segments");
  std::vector<VolumeSegment> segments;
  std::uint64_t next = 0;
  for (const LvmSegment& segment : volume.segments) {
    PVHGRUB_TRY(budget_.charge_steps(1, "putting logical volumes together"));
    if (++segments_ > limits::kVolumeSegments)
      return fail(ErrorCode::kUnsupported,
                  "the volume group has more than " + std::to_string(limits::kVolumeSegments) + " segments");
    if (segment.start != next || segment.extents == 0)
      return damaged("the segments of the logical volume `" + volume.name + "' do not follow one another");
    const auto end = checked_add(segment.start, segment.extents);
    if (!end || !checked_multiply(*end, group_.extent_size))
      return damaged("the logical volume `" + volume.name + "' is too large");
    next = *end;
    PVHGRUB_TRY_ASSIGN(VolumeSegment made, make_segment(volume, segment));
    segments.push_back(std::move(made));
  }
  sources_.push_back(std::make_unique<VolumeSource>(volume.name, std::move(segments)));
  return sources_.back().get();
}

Result<VolumeLayout> LvmGroupAssembler::layout_of(const LvmSegment& segment) const {
  VolumeLayout layout;
  layout.legs = static_cast<std::uint32_t>(segment.areas.size());
  layout.chunk = segment.stripe;
  if (segment.type == "striped" || segment.type == "linear") {
    layout.kind = layout.legs == 1 ? Kind::kMirrored : Kind::kStriped;
  } else if (segment.type != "mirror") {
    const auto type = std::ranges::find(kRaidTypes, segment.type, &RaidType::name);
    if (type == kRaidTypes.end()) return unreadable("it is of LVM's type `" + segment.type + "'");
    if (segment.reshaping) return unreadable("the form of this RAID volume is being changed (reshape)");
    layout.kind = type->kind;
    layout.parity_legs = type->parity_legs;
    layout.parity = type->parity;
    if (layout.kind == Kind::kRaid10) layout.near_copies = segment.copies;
  }
  if (layout.legs <= layout.parity_legs || layout.near_copies == 0 || layout.near_copies > layout.legs)
    return damaged("a segment has too few legs");
  if (layout.kind != Kind::kMirrored && layout.chunk < kSmallestStripe)
    return damaged("a segment has stripes of " + std::to_string(layout.chunk) + " bytes");
  return layout;
}

Result<std::uint64_t> LvmGroupAssembler::leg_bytes(const VolumeSegment& segment) const {
  const VolumeLayout& layout = segment.layout;
  if (layout.kind == Kind::kMirrored) return segment.length;
  const std::uint64_t chunks = segment.length / layout.chunk + (segment.length % layout.chunk != 0 ? 1 : 0);
  const auto placed = checked_multiply<std::uint64_t>(chunks, layout.near_copies);
  if (!placed) return damaged("a segment is too large");
  const std::uint64_t across = layout.legs - layout.parity_legs;
  const std::uint64_t rows = *placed / across + (*placed % across != 0 ? 1 : 0);
  const auto bytes = checked_multiply(rows, layout.chunk);
  if (!bytes) return damaged("a segment is too large");
  return *bytes;
}

Result<VolumeLeg> LvmGroupAssembler::make_leg(const LvmArea& area, std::uint64_t bytes,
                                              std::string& missing) {
  const auto offset = checked_multiply(area.extent, group_.extent_size);
  const auto end = offset ? checked_add(*offset, bytes) : std::nullopt;
  if (!end) return damaged("a segment begins at an extent that cannot be");
  VolumeLeg leg;
  if (const auto physical = physical_by_name_.find(area.volume); physical != physical_by_name_.end()) {
    const LvmPhysicalVolume& volume = *physical->second;
    const auto room = checked_multiply(volume.extents, group_.extent_size);
    if (!room || *end > *room || !checked_add(volume.start, *end))
      return damaged("a segment reaches past the end of the physical volume " + volume.name);
    leg.offset = volume.start + *offset;
    const auto device = physical_.find(volume.uuid);
    if (device != physical_.end() && !volume.missing) {
      leg.source = device->second;
    } else {
      missing = volume.name + " (UUID " + volume.uuid + ")" +
                (volume.missing ? ", which LVM has marked as missing" : "");
    }
    return leg;
  }
  const auto logical = logical_by_name_.find(area.volume);
  if (logical == logical_by_name_.end())
    return damaged("a segment lies on `" + area.volume + "', which is not in the volume group");
  auto opened = open(logical->second);
  if (!opened && opened.error().code == ErrorCode::kLimit) return std::unexpected(std::move(opened).error());
  if (!opened) {
    missing = area.volume + ": " + opened.error().message;
    return leg;
  }
  if (*end > (*opened)->size())
    return damaged("a segment reaches past the end of the logical volume " + area.volume);
  leg.source = *opened;
  leg.offset = *offset;
  return leg;
}

Result<void> LvmGroupAssembler::drop_stale_legs(const LvmSegment& segment, VolumeSegment& made) {
  if (segment.records.empty()) return {};
  std::vector<BlockSource*> records;
  for (const std::string& name : segment.records) {
    const auto found = logical_by_name_.find(name);
    if (found == logical_by_name_.end())
      return damaged("the volume `" + name + "' is not in the volume group");
    auto opened = open(found->second);
    if (!opened && opened.error().code == ErrorCode::kLimit)
      return std::unexpected(std::move(opened).error());
    records.push_back(opened ? *opened : nullptr);
  }
  PVHGRUB_TRY_ASSIGN(const std::vector<bool> good, good_raid_images(records, budget_));
  for (std::size_t i = 0; i < made.legs.size(); ++i)
    if (!good[i]) made.legs[i].source = nullptr;
  return {};
}

Result<VolumeSegment> LvmGroupAssembler::make_segment(const LvmLogicalVolume& volume,
                                                      const LvmSegment& segment) {
  VolumeSegment made;
  PVHGRUB_TRY_ASSIGN(made.layout, layout_of(segment));
  made.length = segment.extents * group_.extent_size;
  PVHGRUB_TRY_ASSIGN(const std::uint64_t bytes, leg_bytes(made));
  PVHGRUB_TRY(budget_.charge_steps(segment.areas.size(), "putting logical volumes together"));
  std::string missing;
  for (const LvmArea& area : segment.areas) {
    PVHGRUB_TRY_ASSIGN(const VolumeLeg leg, make_leg(area, bytes, missing));
    made.legs.push_back(leg);
  }
  // What is being moved is complete where it comes from, the first of the two.
  if (volume.moving)
    for (std::size_t i = 1; i < made.legs.size(); ++i) made.legs[i].source = nullptr;
  PVHGRUB_TRY(drop_stale_legs(segment, made));
  if (is_readable(made)) return made;
  if (missing.empty()) missing = "an image whose contents are complete";
  return fail(ErrorCode::kUnsupported,
              "the logical volume `" + volume.name + "' needs " + missing +
                  ", which is on none of the given disks; name the guest's other disks too");
}

}  // namespace pvhgrub::fs
