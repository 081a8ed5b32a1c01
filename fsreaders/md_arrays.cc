// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/md_arrays.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/md_superblock.h"
#include "fsreaders/volume_source.h"

namespace pvhgrub::fs {
namespace {

using Kind = VolumeLayout::Kind;

struct Member {
  std::string device;
  BlockSource* source = nullptr;
  MdSuperblock superblock;
};

constexpr std::int32_t kLinear = -1;

/// GRUB's names end at a comma or a closing parenthesis.
std::string array_name(const MdSuperblock& superblock) {
  std::string name = "md/" + superblock.name;
  std::ranges::replace_if(name, [](char c) { return c == ',' || c == ')'; }, '_');
  return name;
}

class MdArray {
 public:
  /// Members of one UUID, at least one, in the order of the devices.
  explicit MdArray(std::vector<Member>& members)
      : members_(members), newest_(std::ranges::max_element(members, {}, [](const Member& member) {
                                     return member.superblock.events;
                                   })->superblock) {}

  [[nodiscard]] std::string name() const { return array_name(newest_); }
  /// Fills in the legs by the members that are good, and tells of the others.
  void place_members(AssembledVolumes& result);
  [[nodiscard]] Result<std::vector<VolumeSegment>> segments();

 private:
  [[nodiscard]] std::string why_not(const Member& member) const;
  [[nodiscard]] Result<VolumeLayout> layout(std::uint64_t leg_size) const;
  [[nodiscard]] Result<std::uint64_t> size_of(const VolumeLayout& layout, std::uint64_t leg_size) const;
  [[nodiscard]] Result<std::vector<VolumeSegment>> linear_segments() const;
  [[nodiscard]] std::unexpected<Error> unsupported(std::string what) const {
    return fail(ErrorCode::kUnsupported, std::move(what), name());
  }
  [[nodiscard]] std::unexpected<Error> incomplete() const;
  /// Bytes of a member's data as the level counts them.
  [[nodiscard]] std::uint64_t rounded(std::uint64_t size) const {
    return newest_.chunk != 0 ? size / newest_.chunk * newest_.chunk : size;
  }

  std::vector<Member>& members_;
  const MdSuperblock& newest_;
  std::vector<const Member*> slots_;
};

std::string MdArray::why_not(const Member& member) const {
  const MdSuperblock& superblock = member.superblock;
  // Members of an active array may be one change apart: they are written one after another.
  if (superblock.events + 1 < newest_.events)
    return "it is out of date (" + std::to_string(superblock.events) + " changes, the newest member has " +
           std::to_string(newest_.events) + ")";
  const std::uint32_t slot =
      superblock.number < newest_.slots.size() ? newest_.slots[superblock.number] : MdSuperblock::kNoSlot;
  if (slot == MdSuperblock::kNoSlot || superblock.slot() == MdSuperblock::kNoSlot)
    return "it is a spare or has failed";
  if (superblock.recovering) return "its contents are not complete yet (recovery)";
  if (superblock.level != newest_.level || superblock.legs != newest_.legs ||
      superblock.layout != newest_.layout || superblock.chunk != newest_.chunk || slot != superblock.slot())
    return "its superblock contradicts the newest one";
  if (slots_[slot] != nullptr) return "it has the same place as " + slots_[slot]->device;
  return {};
}

void MdArray::place_members(AssembledVolumes& result) {
  slots_.assign(newest_.legs, nullptr);
  // Where there is another copy, bad blocks need not be met.
  std::vector<const Member*> order;
  for (const Member& member : members_)
    if (member.superblock.bad_ranges == 0) order.push_back(&member);
  for (const Member& member : members_)
    if (member.superblock.bad_ranges != 0) order.push_back(&member);
  for (const Member* const member : order) {
    std::string& text = result.members[member->device];
    const std::string reason = why_not(*member);
    if (!reason.empty()) {
      text = "it is a member of the MD array " + name() + " that is not used: " + reason;
      const bool spare = member->superblock.slot() == MdSuperblock::kNoSlot;
      if (!spare) result.notes.emplace_back(member->device, text);
      continue;
    }
    slots_[member->superblock.slot()] = member;
    if (newest_.level != 1 || !member->superblock.at_end())
      text = "it is a member of the MD array " + name() + "; file systems are there";
    if (member->superblock.bad_ranges != 0)
      result.notes.emplace_back(member->device,
                                "its MD superblock lists bad blocks, whose contents may be wrong");
  }
}

std::unexpected<Error> MdArray::incomplete() const {
  const auto there = std::ranges::count_if(slots_, [](const Member* member) { return member != nullptr; });
  return unsupported("only " + std::to_string(there) + " of its " + std::to_string(newest_.legs) +
                     " members can be used, which is not enough; name the guest's other disks too");
}

Result<VolumeLayout> MdArray::layout(std::uint64_t leg_size) const {
  VolumeLayout layout;
  layout.legs = newest_.legs;
  layout.chunk = newest_.chunk;
  switch (newest_.level) {
    case 1:
      return layout;
    case 0:
      layout.kind = Kind::kStriped;
      break;
    case 10:
      layout.kind = Kind::kRaid10;
      layout.near_copies = newest_.layout & 0xFF;
      layout.far_copies = (newest_.layout >> 8) & 0xFF;
      layout.far_offset = (newest_.layout & 0x1'0000) != 0;
      if (newest_.layout >> 17 != 0)
        return unsupported("its far copies are in sets, which cannot be read here");
      break;
    case 4:
    case 5:
    case 6:
      layout.kind = Kind::kParity;
      layout.parity_legs = newest_.level == 6 ? 2 : 1;
      if (newest_.level != 4 && newest_.layout > 5 &&
          (newest_.level == 5 || newest_.layout < 8 || newest_.layout > 10))
        return unsupported("its order of parity (layout " + std::to_string(newest_.layout) +
                           ") cannot be read here");
      layout.parity = newest_.level == 4 ? VolumeLayout::Parity::kLast
                                         : static_cast<VolumeLayout::Parity>(newest_.layout);
      break;
    default:
      return unsupported("it is of level " + std::to_string(newest_.level) + ", which cannot be read here");
  }
  if (layout.chunk < 512 || layout.chunk > leg_size || layout.legs <= layout.parity_legs ||
      layout.near_copies == 0 || layout.far_copies == 0 ||
      std::uint64_t{layout.near_copies} * layout.far_copies > layout.legs)
    return fail(ErrorCode::kDamaged, "the superblock tells of a form that cannot be", name());
  if (layout.kind == Kind::kRaid10)
    layout.stride =
        layout.far_offset ? layout.chunk : leg_size / layout.chunk / layout.far_copies * layout.chunk;
  return layout;
}

Result<std::uint64_t> MdArray::size_of(const VolumeLayout& layout, std::uint64_t leg_size) const {
  const std::uint64_t rows = layout.chunk != 0 ? leg_size / layout.chunk : 0;
  std::uint64_t chunks = 0;
  switch (layout.kind) {
    case Kind::kMirrored:
      return leg_size;
    case Kind::kStriped:
    case Kind::kParity:
      chunks = rows * (layout.legs - layout.parity_legs);
      break;
    case Kind::kRaid10:
      chunks = rows / layout.far_copies * layout.legs / layout.near_copies;
      break;
  }
  if (const auto bytes = checked_multiply(chunks, layout.chunk); bytes && *bytes != 0) return *bytes;
  return fail(ErrorCode::kDamaged, "the superblock tells of a size that cannot be", name());
}

Result<std::vector<VolumeSegment>> MdArray::linear_segments() const {
  std::vector<VolumeSegment> segments;
  for (const Member* const member : slots_) {
    if (member == nullptr) return incomplete();
    VolumeSegment segment;
    segment.length = rounded(member->superblock.data_size);
    if (segment.length == 0) return fail(ErrorCode::kDamaged, "a member has no data", name());
    segment.legs = {{member->source, member->superblock.data_offset}};
    segments.push_back(std::move(segment));
  }
  return segments;
}

Result<std::vector<VolumeSegment>> MdArray::segments() {
  if (newest_.reshaping) return unsupported("its form is being changed (reshape); wait until that is done");
  if (newest_.journal) return unsupported("it writes to a journal first, which is not read here");
  if (newest_.level == kLinear) return linear_segments();
  // Each member holds as much as the array uses of it; in level 0 all must have the same.
  std::optional<std::uint64_t> leg_size;
  for (const Member* const member : slots_) {
    if (member == nullptr) continue;
    const MdSuperblock& superblock = member->superblock;
    const std::uint64_t size = newest_.level == 0 ? rounded(superblock.data_size) : superblock.used;
    if (leg_size && *leg_size != size)
      return unsupported("its members differ in size, which cannot be read here in this level");
    leg_size = size;
  }
  if (!leg_size) return incomplete();
  VolumeSegment segment;
  PVHGRUB_TRY_ASSIGN(segment.layout, layout(*leg_size));
  PVHGRUB_TRY_ASSIGN(segment.length, size_of(segment.layout, *leg_size));
  if (segment.length == 0) return fail(ErrorCode::kDamaged, "it has no data", name());
  for (const Member* const member : slots_)
    segment.legs.push_back(member != nullptr ? VolumeLeg{member->source, member->superblock.data_offset}
                                             : VolumeLeg{});
  if (!is_readable(segment)) return incomplete();
  std::vector<VolumeSegment> segments;
  segments.push_back(std::move(segment));
  return segments;
}

/// Where a version 0.90 superblock is at the end of a partitioned disk, its last partition may end there too:
/// then it is the partition's.
void drop_disks_of_partitions(std::vector<Member>& members) {
  std::erase_if(members, [&](const Member& disk) {
    return disk.superblock.version == "0.90" && std::ranges::any_of(members, [&](const Member& other) {
             return other.device.starts_with(disk.device + ",") &&
                    other.superblock.number == disk.superblock.number &&
                    other.superblock.version == disk.superblock.version;
           });
  });
}

Result<void> look_at(const VolumeCandidate& candidate, Budget& budget,
                     std::map<std::string, std::vector<Member>>& arrays, AssembledVolumes& result) {
  auto read = read_md_superblock(*candidate.source, budget);
  if (!read && read.error().code == ErrorCode::kLimit) return std::unexpected(std::move(read).error());
  // A device that cannot be read says so when its file system is asked for.
  if (!read && read.error().code == ErrorCode::kDamaged)
    result.notes.emplace_back(candidate.device, read.error().describe());
  if (!read || !*read) return {};
  std::vector<Member>& members = arrays[(*read)->uuid];
  members.push_back({candidate.device, candidate.source, std::move(**read)});
  return {};
}

}  // namespace

Result<AssembledVolumes> assemble_md(const std::vector<VolumeCandidate>& candidates, Budget& budget) {
  AssembledVolumes result;
  std::map<std::string, std::vector<Member>> arrays;
  for (const VolumeCandidate& candidate : candidates) PVHGRUB_TRY(look_at(candidate, budget, arrays, result));
  for (auto& [uuid, members] : arrays) {
    drop_disks_of_partitions(members);
    PVHGRUB_TRY(budget.charge_steps(members.size(), "putting MD arrays together"));
    MdArray array(members);
    array.place_members(result);
    Volume volume;
    volume.name = array.name();
    volume.id_name = "mduuid/" + uuid;
    auto segments = array.segments();
    if (segments) {
      result.sources.push_back(std::make_unique<VolumeSource>(volume.name, std::move(*segments)));
      volume.source = result.sources.back().get();
      volume.size = volume.source->size();
    } else {
      volume.problem = std::move(segments).error();
    }
    result.volumes.push_back(std::move(volume));
  }
  std::ranges::sort(result.volumes, {}, &Volume::name);
  return result;
}

}  // namespace pvhgrub::fs
