// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/lvm_metadata.h"

#include <algorithm>
#include <string_view>

#include "base/checked.h"
#include "base/volume_limits.h"

namespace pvhgrub::fs {
namespace {

constexpr std::uint64_t kSector = 512;
/// lvm(8), "VALID NAMES": a volume's name has at most 127 characters of these.
constexpr std::size_t kNameBytes = 127;

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '_' || c == '.' || c == '-';
  };
  return !text.empty() && text.size() <= kNameBytes && std::ranges::all_of(text, allowed);
}

bool is_uuid(std::string_view text) {
  return text.size() == 38 && lvm_uuid_digits(text).size() == 32 && std::ranges::all_of(text, [](char c) {
           return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

Result<std::string> uuid_of(const LvmSection& section) {
  PVHGRUB_TRY_ASSIGN(const std::string_view text, section.text("id"));
  if (is_uuid(text)) return std::string(text);
  return fail(ErrorCode::kDamaged, "`" + std::string(section.name()) + "' has an id that is no UUID");
}

/// The product of a number of sectors, in bytes.
Result<std::uint64_t> bytes_of(const LvmSection& section, std::string_view key) {
  PVHGRUB_TRY_ASSIGN(const std::uint64_t sectors, section.number(key));
  if (const auto bytes = checked_multiply(sectors, kSector)) return *bytes;
  return fail(ErrorCode::kDamaged,
              "`" + std::string(section.name()) + "' has a `" + std::string(key) + "' that is too large");
}

Result<LvmPhysicalVolume> read_physical(const LvmSection& section) {
  LvmPhysicalVolume volume;
  volume.name = section.name();
  PVHGRUB_TRY_ASSIGN(const std::string uuid, uuid_of(section));
  volume.uuid = lvm_uuid_digits(uuid);
  volume.missing = section.has_flag("status", "MISSING") || section.has_flag("flags", "MISSING");
  PVHGRUB_TRY_ASSIGN(volume.start, bytes_of(section, "pe_start"));
  PVHGRUB_TRY_ASSIGN(volume.extents, section.number("pe_count"));
  return volume;
}

/// Pairs of a name and an extent.
Result<std::vector<LvmArea>> read_areas(const LvmSection& section, std::string_view key) {
  const std::vector<LvmValue> values = section.values(key);
  std::vector<LvmArea> areas;
  if (values.empty() || values.size() % 2 != 0 || values.size() / 2 > limits::kVolumeLegs)
    return fail(ErrorCode::kDamaged, "`" + std::string(key) + "' is no list of areas");
  for (std::size_t i = 0; i < values.size(); i += 2) {
    if (!values[i + 1].number)
      return fail(ErrorCode::kDamaged, "`" + std::string(key) + "' has an area without its extent");
    areas.push_back({std::string(values[i].text), *values[i + 1].number});
  }
  return areas;
}

/// The sub-volumes of a raid type: each image, in most types with the volume that records its state before
/// it.
Result<void> read_raid_areas(const LvmSection& section, LvmSegment& segment) {
  std::vector<LvmValue> values = section.values("raids");
  if (values.empty()) values = section.values("raid0_lvs");
  constexpr std::uint32_t kCopies = 2;
  segment.copies = kCopies;
  if (!section.values("data_copies").empty()) {
    PVHGRUB_TRY_ASSIGN(const std::uint64_t copies, section.number("data_copies"));
    segment.copies = checked_cast<std::uint32_t>(copies).value_or(0);
  }
  segment.reshaping = !section.values("data_offset").empty() || !section.values("reshape_count").empty() ||
                      !section.values("delta_disks").empty();
  const bool records = segment.type != "raid0";
  const std::size_t step = records ? 2 : 1;
  if (values.empty() || values.size() % step != 0 || values.size() / step > limits::kVolumeLegs)
    return fail(ErrorCode::kDamaged, "`raids' is no list of images");
  for (std::size_t i = 0; i < values.size(); i += step) {
    if (records) segment.records.emplace_back(values[i].text);
    segment.areas.push_back({std::string(values[i + step - 1].text), 0});
  }
  return {};
}

Result<LvmSegment> read_segment(const LvmSection& section) {
  LvmSegment segment;
  PVHGRUB_TRY_ASSIGN(segment.start, section.number("start_extent"));
  PVHGRUB_TRY_ASSIGN(segment.extents, section.number("extent_count"));
  PVHGRUB_TRY_ASSIGN(segment.type, section.text("type"));
  if (!section.values("stripe_size").empty()) {
    PVHGRUB_TRY_ASSIGN(segment.stripe, bytes_of(section, "stripe_size"));
  }
  if (segment.type == "striped" || segment.type == "linear") {
    PVHGRUB_TRY_ASSIGN(segment.areas, read_areas(section, "stripes"));
  } else if (segment.type == "mirror") {
    PVHGRUB_TRY_ASSIGN(segment.areas, read_areas(section, "mirrors"));
  } else if (segment.type.starts_with("raid") && segment.type.find('+') == std::string::npos) {
    PVHGRUB_TRY(read_raid_areas(section, segment));
  }
  return segment;
}

Result<void> read_segments(const LvmSection& section, LvmLogicalVolume& volume, LvmVolumeGroup& group,
                           Budget& budget) {
  for (const LvmSection& part : section.sections()) {
    if (!part.name().starts_with("segment")) continue;
    PVHGRUB_TRY(budget.charge_steps(1, "reading a volume group's metadata"));
    PVHGRUB_TRY_ASSIGN(LvmSegment segment, read_segment(part));
    if (segment.type == "snapshot") {
      LvmSnapshot snapshot;
      PVHGRUB_TRY_ASSIGN(snapshot.origin, part.text("origin"));
      snapshot.merging = !part.values("merging_store").empty();
      PVHGRUB_TRY_ASSIGN(snapshot.store, part.text(snapshot.merging ? "merging_store" : "cow_store"));
      group.snapshots.push_back(std::move(snapshot));
    }
    volume.segments.push_back(std::move(segment));
  }
  std::ranges::sort(volume.segments, {}, &LvmSegment::start);
  return {};
}

Result<void> read_logical(const LvmSection& section, LvmVolumeGroup& group, Budget& budget) {
  LvmLogicalVolume volume;
  volume.name = section.name();
  volume.visible = section.has_flag("status", "VISIBLE");
  volume.moving = section.has_flag("status", "PVMOVE");
  if (!is_name(volume.name))
    return fail(ErrorCode::kDamaged, "a logical volume has the name `" + volume.name + "'");
  PVHGRUB_TRY_ASSIGN(volume.uuid, uuid_of(section));
  if (auto segments = read_segments(section, volume, group, budget); !segments) {
    if (segments.error().code == ErrorCode::kLimit) return segments;
    volume.problem = std::move(segments).error();
  }
  group.logical.push_back(std::move(volume));
  return {};
}

}  // namespace

std::string lvm_uuid_digits(std::string_view uuid) {
  std::string digits(uuid);
  std::erase(digits, '-');
  return digits;
}

Result<LvmVolumeGroup> read_lvm_group(const LvmText& text, Budget& budget) {
  const std::vector<LvmSection> sections = text.root().sections();
  // LVM writes one section, among values that say when and why.
  if (sections.size() != 1)
    return fail(ErrorCode::kDamaged,
                "the metadata describes " + std::to_string(sections.size()) + " volume groups, not one");
  const LvmSection& section = sections.front();
  LvmVolumeGroup group;
  group.name = section.name();
  if (!is_name(group.name))
    return fail(ErrorCode::kDamaged, "a volume group has the name `" + group.name + "'");
  PVHGRUB_TRY_ASSIGN(group.uuid, uuid_of(section));
  PVHGRUB_TRY_ASSIGN(group.sequence, section.number("seqno"));
  PVHGRUB_TRY_ASSIGN(group.extent_size, bytes_of(section, "extent_size"));
  if (group.extent_size == 0) return fail(ErrorCode::kDamaged, "a volume group has extents of 0 bytes");
  if (const auto physical = section.section("physical_volumes")) {
    for (const LvmSection& each : physical->sections()) {
      PVHGRUB_TRY(budget.charge_steps(1, "reading a volume group's metadata"));
      PVHGRUB_TRY_ASSIGN(LvmPhysicalVolume volume, read_physical(each));
      group.physical.push_back(std::move(volume));
    }
  }
  if (const auto logical = section.section("logical_volumes"))
    for (const LvmSection& each : logical->sections()) PVHGRUB_TRY(read_logical(each, group, budget));
  return group;
}

}  // namespace pvhgrub::fs
