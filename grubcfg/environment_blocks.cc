// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/environment_blocks.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "base/limits.h"
#include "grubcfg/evaluator.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::array<std::string_view, 5> kRequests = {"next_entry", "prev_saved_entry", "prev_entry",
                                                       "menu_show_once", "menu_show_once_timeout"};

bool is_request(const std::pair<std::string, std::string>& variable) {
  return !variable.second.empty() && std::ranges::find(kRequests, variable.first) != kRequests.end();
}

/// What keeps a block from being written where it lies; empty, with BlockOnDisk::extents set, for nothing.
Result<std::string> find_obstacle(Session& session, fs::File& file, BlockOnDisk& block) {
  if (!block.block.is_well_formed())
    return std::string("it is not as grub-editenv makes it; make it anew in the guest (grub-editenv create)");
  if (const Result<void> device = session.devices->check_overwritable(block.file.device); !device) {
    if (is_fatal(device.error())) return std::unexpected(device.error());
    return device.error().describe();
  }
  Result<std::vector<fs::DiskExtent>> extents = file.overwritable_extents();
  if (!extents) {
    if (is_fatal(extents.error())) return std::unexpected(std::move(extents).error());
    return extents.error().describe();
  }
  const std::uint64_t sum = std::accumulate(
      extents->begin(), extents->end(), std::uint64_t{0},
      [](std::uint64_t before, const fs::DiskExtent& extent) { return before + extent.length; });
  if (sum != block.block.bytes().size() || extents->size() > limits::kEnvironmentExtents)
    return std::string("it lies in too many places");
  block.extents = std::move(*extents);
  return std::string();
}

bool share_bytes(const BlockOnDisk& a, const BlockOnDisk& b) {
  return std::ranges::any_of(a.extents, [&](const fs::DiskExtent& extent) {
    return std::ranges::any_of(b.extents,
                               [&](const fs::DiskExtent& other) { return fs::overlap(extent, other); });
  });
}

/// Enters a block that was just read, or finds that it is one that is known by another name.
std::shared_ptr<BlockOnDisk> enter(KnownBlocks& known, std::shared_ptr<BlockOnDisk> block) {
  const std::string own_name = block->file.to_string();
  for (const auto& [name, other] : known) {
    if (block->extents.empty() || !share_bytes(*block, *other)) continue;
    if (block->extents == other->extents) {
      block = other;
      break;
    }
    block->extents.clear();
    block->obstacle = "it lies partly over the environment block " + other->file.to_string();
  }
  if (known.size() < limits::kEnvironmentBlocks) {
    known.emplace(own_name, block);
  } else if (block->obstacle.empty()) {
    block->extents.clear();
    block->obstacle =
        "it is one of more than " + std::to_string(limits::kEnvironmentBlocks) + " environment blocks";
  }
  return block;
}

/// A block from the disk; null with GRUB's error raised.
Result<std::shared_ptr<BlockOnDisk>> read_block(Evaluator& evaluator, const FileReference& file) {
  Session& session = evaluator.session();
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, FileAccess(evaluator).open(file));
  if (!opened) return nullptr;
  if (opened->size() > limits::kEnvironmentBlockBytes) {
    evaluator.raise(kStatusBadFileType, "invalid environment block " + file.to_string() + ": it has " +
                                            std::to_string(opened->size()) + " bytes, more than the " +
                                            std::to_string(limits::kEnvironmentBlockBytes) +
                                            " that are read");
    return nullptr;
  }
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> bytes,
                     FileAccess(evaluator).read(*opened, file, limits::kEnvironmentBlockBytes));
  if (!bytes) return nullptr;
  Result<EnvironmentBlock> block = EnvironmentBlock::parse(std::move(*bytes));
  if (!block) {
    evaluator.raise(kStatusBadFileType, "invalid environment block " + file.to_string());
    return nullptr;
  }
  auto on_disk = std::make_shared<BlockOnDisk>(BlockOnDisk{file, std::move(*block), {}, {}});
  PVHGRUB_TRY_ASSIGN(on_disk->obstacle, find_obstacle(session, *opened, *on_disk));
  return enter(session.environment_blocks, std::move(on_disk));
}

}  // namespace

Result<std::optional<SavedBlock>> open_environment_block(Evaluator& evaluator, std::string_view name) {
  const std::optional<FileReference> file = FileAccess(evaluator).locate(name);
  if (!file) return std::nullopt;
  const KnownBlocks& known = evaluator.session().environment_blocks;
  std::shared_ptr<BlockOnDisk> on_disk;
  if (const auto found = known.find(file->to_string()); found != known.end()) {
    on_disk = found->second;
  } else {
    PVHGRUB_TRY_ASSIGN(on_disk, read_block(evaluator, *file));
  }
  if (!on_disk) return std::nullopt;
  if (const SavedBlock* saved = evaluator.state().saved_blocks.find(on_disk->file.to_string())) return *saved;
  return SavedBlock{on_disk, on_disk->block, false};
}

bool is_written(GrubenvMode mode, const BlockOnDisk& block) {
  return mode == GrubenvMode::kWrite && block.obstacle.empty();
}

std::vector<std::string> find_requests(const EnvironmentVariables& variables) {
  std::vector<std::string> requests;
  for (const auto& variable : variables)
    if (is_request(variable)) requests.push_back(variable.first + "=" + variable.second);
  return requests;
}

void withdraw_requests(EnvironmentVariables& variables) {
  std::string before;
  for (const auto& [name, value] : variables)
    if (name == "prev_saved_entry") before = value;
  for (auto& variable : variables) {
    if (variable.first == "saved_entry" && !before.empty()) variable.second = before;
    if (is_request(variable)) variable.second.clear();
  }
}

std::vector<EnvironmentBlockChange> environment_changes(const MachineState& state) {
  std::vector<EnvironmentBlockChange> changes;
  state.saved_blocks.for_each([&](const SavedBlock& saved) {
    const BlockOnDisk& disk = *saved.disk;
    if (!disk.obstacle.empty() || saved.block.bytes() == disk.block.bytes()) return;
    changes.push_back(
        {disk.file, disk.extents, disk.block.bytes(), saved.block.bytes(), saved.answers_request});
  });
  return changes;
}

void restore_environment_changes(MachineState& state, const KnownBlocks& known,
                                 const std::vector<EnvironmentBlockChange>& changes) {
  for (const EnvironmentBlockChange& change : changes) {
    const auto found = known.find(change.file.to_string());
    Result<EnvironmentBlock> block = EnvironmentBlock::parse(change.contents);
    if (found == known.end() || !block) continue;
    state.saved_blocks.assign(change.file.to_string(),
                              SavedBlock{found->second, std::move(*block), change.answers_request});
  }
}

}  // namespace pvhgrub::grubcfg
