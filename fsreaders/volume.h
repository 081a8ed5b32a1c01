// SPDX-License-Identifier: LGPL-2.1-or-later
// Volumes as they come out of what LVM and MD wrote on partitions and disks, before they become devices.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// A device that volumes may be made of.
struct VolumeCandidate {
  std::string device;  ///< "hd0,gpt2"
  BlockSource* source = nullptr;
};

struct Volume {
  std::string name;               ///< GRUB's: "lvm/group-root", "md/0"
  std::string id_name;            ///< GRUB's other name, by UUID: "lvmid/...", "mduuid/..."
  std::uint64_t size = 0;         ///< bytes
  BlockSource* source = nullptr;  ///< nullptr where it cannot be read
  std::optional<Error> problem;   ///< why not
};

struct AssembledVolumes {
  std::vector<Volume> volumes;
  /// What the volumes' sources are, and what those lie on, in the order in which they were made.
  std::vector<std::unique_ptr<BlockSource>> sources;
  /// Of each device that is a part of a volume, or should be, what it is, and why it holds no files of its
  /// own: "it is a physical volume of the LVM volume group `a'". Empty text: its file system is readable all
  /// the same.
  std::map<std::string, std::string, std::less<>> members;
  std::vector<std::pair<std::string, std::string>> notes;  ///< for the user: device and text
};

}  // namespace pvhgrub::fs
