// SPDX-License-Identifier: LGPL-2.1-or-later
// File systems that the worker has no reader for: an appliance, a program beside it, reads them and answers
// questions about them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// A file system that an appliance found.
struct ApplianceVolume {
  std::string device;  ///< as GRUB names it, a partition by its number alone: "hd0,2", "lvm/group-volume"
  std::string type;    ///< as Linux names it: "f2fs"
  std::string uuid;
  std::string label;
};

/// One directory entry, the link itself where it is one.
struct ApplianceEntry {
  std::string name;
  FileInfo info;
};

/// The appliance as a reader sees it. Answers are bounded in size, and no more: what they say is as little to
/// be trusted as a disk's bytes. Paths are absolute and have no symbolic link in them.
class Appliance {
 public:
  Appliance() = default;
  Appliance(const Appliance&) = delete;
  Appliance& operator=(const Appliance&) = delete;
  virtual ~Appliance() = default;

  /// All that it found; at most limits::kApplianceFileSystems. Waits until it has started.
  [[nodiscard]] virtual Result<std::vector<ApplianceVolume>> file_systems() = 0;
  /// `number`: the index into file_systems(). At most limits::kDirectoryEntries, with names of at most
  /// limits::kDirectoryNameBytes in all.
  [[nodiscard]] virtual Result<std::vector<ApplianceEntry>> list(std::uint32_t number,
                                                                 const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::string> read_link(std::uint32_t number, const std::string& path) = 0;
  /// Fills `out` from `offset`, or fails. `out` is at most limits::kApplianceReadBytes long.
  [[nodiscard]] virtual Result<void> read(std::uint32_t number, const std::string& path, std::uint64_t offset,
                                          std::span<std::byte> out) = 0;
};

/// The file system `volume`, number `number` of the appliance. All three outlive the result. Contents go out
/// as bytes.
[[nodiscard]] std::unique_ptr<FileSystem> open_appliance_file_system(Appliance& appliance,
                                                                     std::uint32_t number,
                                                                     const ApplianceVolume& volume,
                                                                     Budget& budget);

}  // namespace pvhgrub::fs
