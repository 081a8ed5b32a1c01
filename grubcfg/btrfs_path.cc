// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/btrfs_path.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "base/result.h"

namespace pvhgrub::grubcfg {
namespace {

std::string without_trailing_slashes(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

// The path of the subvolume that paths begin in, without '/' at its end; empty for the top-level one.
std::string beginning(const Environment& environment, fs::FileSystem& file_system) {
  if (const std::string_view path = environment.value_or_empty("btrfs_subvol"); !path.empty())
    return without_trailing_slashes((path.starts_with('/') ? "" : "/") + std::string(path));
  std::optional<std::uint64_t> number;
  if (const std::string_view text = environment.value_or_empty("btrfs_subvolid"); !text.empty()) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && value != 0) number = value;
  }
  const Result<fs::Subvolume> subvolume = file_system.subvolume(number);
  return subvolume ? subvolume->path : std::string();
}

bool leads_through(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

// Of several that fit GRUB takes the one whose name is the greatest.
const BtrfsMount* mount_of(const std::vector<BtrfsMount>& mounts, std::string_view path) {
  const BtrfsMount* found = nullptr;
  for (const BtrfsMount& mount : mounts)
    if (leads_through(path, mount.directory) && (found == nullptr || mount.directory >= found->directory))
      found = &mount;
  return found;
}

}  // namespace

bool is_btrfs_path_relative(const Environment& environment) {
  const std::string_view value = environment.value_or_empty("btrfs_relative_path");
  return value.starts_with('1') || value.starts_with('y');
}

std::string btrfs_path(const Environment& environment, const std::vector<BtrfsMount>& mounts,
                       fs::FileSystem& file_system, std::string_view path) {
  if (const BtrfsMount* const mount = mount_of(mounts, path))
    return mount->subvolume + std::string(path.substr(mount->directory.size()));
  const std::string subvolume = beginning(environment, file_system);
  if (subvolume.empty() || leads_through(path, subvolume)) return std::string(path);
  return subvolume + std::string(path);
}

}  // namespace pvhgrub::grubcfg
