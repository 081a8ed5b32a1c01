// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/lvm_volumes.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/volume_limits.h"
#include "fsreaders/lvm_group.h"
#include "fsreaders/lvm_label.h"
#include "fsreaders/lvm_metadata.h"
#include "fsreaders/lvm_text.h"

namespace pvhgrub::fs {
namespace {

/// A text of metadata that was read already: all physical volumes of a group hold the same.
struct KnownText {
  std::uint32_t checksum = 0;
  std::uint64_t size = 0;
  std::optional<LvmVolumeGroup> group;  ///< no value: it cannot be used
};

class LvmAssembler {
 public:
  explicit LvmAssembler(Budget& budget) : budget_(budget) {}
  Result<AssembledVolumes> assemble(const std::vector<VolumeCandidate>& candidates);

 private:
  Result<void> look_at(const VolumeCandidate& candidate);
  Result<const LvmVolumeGroup*> group_at(const VolumeCandidate& candidate, const LvmMetadataPlace& place);
  Result<std::optional<LvmVolumeGroup>> read_group(const VolumeCandidate& candidate,
                                                   const LvmMetadataPlace& place);
  Result<void> add_volumes(const LvmVolumeGroup& group);
  Result<void> tell_members();
  void note(const std::string& device, std::string text) {
    result_.notes.emplace_back(device, std::move(text));
  }

  Budget& budget_;
  AssembledVolumes result_;
  std::vector<std::unique_ptr<KnownText>> texts_;
  std::uint64_t metadata_bytes_ = 0;                                  ///< of all of them
  std::map<std::string, const LvmVolumeGroup*, std::less<>> groups_;  ///< by UUID, the newest of each
  std::map<std::string, BlockSource*, std::less<>> physical_;         ///< by UUID
  std::map<std::string, std::string, std::less<>> devices_;           ///< name by UUID
};

bool has_physical(const LvmVolumeGroup& group, std::string_view uuid) {
  return std::ranges::find(group.physical, uuid, &LvmPhysicalVolume::uuid) != group.physical.end();
}

Result<std::optional<LvmVolumeGroup>> LvmAssembler::read_group(const VolumeCandidate& candidate,
                                                               const LvmMetadataPlace& place) {
  const auto parse = [&]() -> Result<LvmVolumeGroup> {
    // All groups are held in memory at once.
    if (metadata_bytes_ > limits::kVolumeMetadataBytes)
      return fail(ErrorCode::kUnsupported, "the disks hold more than " +
                                               std::to_string(limits::kVolumeMetadataBytes) +
                                               " bytes of it in different copies");
    metadata_bytes_ += std::min(place.size, limits::kVolumeMetadataBytes);
    PVHGRUB_TRY_ASSIGN(std::string bytes, read_lvm_metadata(*candidate.source, place, budget_));
    PVHGRUB_TRY_ASSIGN(const LvmText text, LvmText::parse(std::move(bytes), budget_));
    return read_lvm_group(text, budget_);
  };
  auto group = parse();
  if (group) return std::move(*group);
  // A limit of the text's own size is the text's fault; an empty budget ends all.
  if (group.error().code == ErrorCode::kLimit && !budget_.charge_steps(1, "reading LVM's metadata"))
    return std::unexpected(std::move(group).error());
  note(candidate.device, "a copy of LVM's metadata is not used: " + group.error().describe());
  return std::nullopt;
}

Result<const LvmVolumeGroup*> LvmAssembler::group_at(const VolumeCandidate& candidate,
                                                     const LvmMetadataPlace& place) {
  auto known = std::ranges::find_if(texts_, [&](const auto& text) {
    return text->group && text->checksum == place.checksum && text->size == place.size;
  });
  if (known == texts_.end()) {
    auto text = std::make_unique<KnownText>();
    text->checksum = place.checksum;
    text->size = place.size;
    PVHGRUB_TRY_ASSIGN(text->group, read_group(candidate, place));
    texts_.push_back(std::move(text));
    known = texts_.end() - 1;
  }
  return (*known)->group ? &*(*known)->group : nullptr;
}

Result<void> LvmAssembler::look_at(const VolumeCandidate& candidate) {
  auto read = read_lvm_label(*candidate.source, budget_);
  if (!read && read.error().code == ErrorCode::kLimit) return std::unexpected(std::move(read).error());
  if (!read) {
    // A device that cannot be read says so when its file system is asked for.
    if (read.error().code == ErrorCode::kDamaged)
      note(candidate.device, "LVM's label is not used: " + read.error().describe());
    return {};
  }
  if (!*read) return {};
  const LvmLabel& label = **read;
  for (const std::string& problem : label.problems) note(candidate.device, problem);
  if (const auto other = devices_.find(label.uuid); other != devices_.end()) {
    note(candidate.device, "it has the same LVM UUID as " + other->second + ": one is a copy of the other; " +
                               other->second + " is used");
    result_.members[candidate.device] = "it is a copy of the LVM physical volume " + other->second;
    return {};
  }
  physical_[label.uuid] = candidate.source;
  devices_[label.uuid] = candidate.device;
  for (const LvmMetadataPlace& place : label.metadata) {
    PVHGRUB_TRY_ASSIGN(const LvmVolumeGroup* const group, group_at(candidate, place));
    if (group == nullptr) continue;
    if (!has_physical(*group, label.uuid)) {
      note(candidate.device, "a copy of LVM's metadata is not used: its volume group `" + group->name +
                                 "' does not have this device");
      continue;
    }
    const LvmVolumeGroup*& newest = groups_[group->uuid];
    if (newest == nullptr || group->sequence > newest->sequence) newest = group;
  }
  return {};
}

Result<void> LvmAssembler::tell_members() {
  for (const auto& [uuid, device] : devices_)
    result_.members[device] = "it is an LVM physical volume of no volume group";
  for (const auto& [uuid, group] : groups_) {
    PVHGRUB_TRY(budget_.charge_steps(group->physical.size(), "putting volume groups together"));
    for (const LvmPhysicalVolume& physical : group->physical)
      if (const auto device = devices_.find(physical.uuid); device != devices_.end())
        result_.members[device->second] = "it is a physical volume of the LVM volume group `" + group->name +
                                          "'; file systems are on its logical volumes (lvm/...)";
  }
  return {};
}

Result<void> LvmAssembler::add_volumes(const LvmVolumeGroup& group) {
  LvmGroupAssembler assembler(group, physical_, result_.sources, budget_);
  std::map<std::string_view, const LvmSnapshot*> stores;
  std::map<std::string_view, const LvmSnapshot*> merging;
  for (const LvmSnapshot& snapshot : group.snapshots) {
    stores[snapshot.store] = &snapshot;
    if (snapshot.merging) merging[snapshot.origin] = &snapshot;
  }
  for (std::size_t i = 0; i < group.logical.size(); ++i) {
    PVHGRUB_TRY(budget_.charge_steps(1, "putting logical volumes together"));
    const LvmLogicalVolume& logical = group.logical[i];
    const auto store = stores.find(logical.name);
    // A snapshot is known by its store's name, which LVM hides; it shows what ties the two together.
    const bool ties = !logical.segments.empty() && logical.segments.front().type == "snapshot";
    if ((!logical.visible && store == stores.end()) || ties) continue;
    Volume volume;
    volume.name = lvm_device_name(group.name, logical.name);
    volume.id_name = "lvmid/" + group.uuid + "/" + logical.uuid;
    volume.size = assembler.size_of(i);
    if (store != stores.end()) {
      volume.problem = Error{ErrorCode::kUnsupported,
                             "it is a snapshot, which cannot be read here; its origin is " +
                                 lvm_device_name(group.name, store->second->origin),
                             volume.name, 0};
    } else if (merging.contains(logical.name)) {
      volume.problem =
          Error{ErrorCode::kUnsupported,
                "a snapshot is being merged into it, so that its contents are in two places; start the guest "
                "by other means until that is done",
                volume.name, 0};
    } else if (auto opened = assembler.open(i)) {
      volume.source = *opened;
    } else if (opened.error().code == ErrorCode::kLimit) {
      return std::unexpected(std::move(opened).error());
    } else {
      volume.problem = at(volume.name, std::move(opened).error());
    }
    result_.volumes.push_back(std::move(volume));
  }
  return {};
}

Result<AssembledVolumes> LvmAssembler::assemble(const std::vector<VolumeCandidate>& candidates) {
  for (const VolumeCandidate& candidate : candidates) PVHGRUB_TRY(look_at(candidate));
  PVHGRUB_TRY(tell_members());
  // By name: the order of UUIDs says nothing to anybody.
  std::vector<const LvmVolumeGroup*> groups;
  groups.reserve(groups_.size());
  for (const auto& [uuid, group] : groups_) groups.push_back(group);
  std::ranges::sort(groups, [](const LvmVolumeGroup* a, const LvmVolumeGroup* b) {
    return std::pair(a->name, a->uuid) < std::pair(b->name, b->uuid);
  });
  for (const LvmVolumeGroup* const group : groups) PVHGRUB_TRY(add_volumes(*group));
  return std::move(result_);
}

}  // namespace

std::string lvm_device_name(std::string_view group, std::string_view volume) {
  const auto doubled = [](std::string_view name) {
    std::string text;
    for (const char c : name) text += c == '-' ? std::string(2, c) : std::string(1, c);
    return text;
  };
  return "lvm/" + doubled(group) + "-" + doubled(volume);
}

Result<AssembledVolumes> assemble_lvm(const std::vector<VolumeCandidate>& candidates, Budget& budget) {
  return LvmAssembler(budget).assemble(candidates);
}

}  // namespace pvhgrub::fs
