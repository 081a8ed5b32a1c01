// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/file_access.h"

#include <algorithm>

#include "grubcfg/block_list_file.h"
#include "grubcfg/btrfs_path.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

bool is_fatal(const Error& error) {
  return error.code == ErrorCode::kLimit || error.code == ErrorCode::kInternal ||
         error.code == ErrorCode::kProtocol || error.code == ErrorCode::kSandbox;
}

namespace {

/// GRUB opens "/boot/vmlinuz/" as it opens "/boot/vmlinuz".
std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

std::optional<std::string> FileAccess::resolve_device(std::string_view name) {
  const std::string_view disk = name.substr(0, name.find(','));
  const std::vector<LoopbackDisk>& loopbacks = evaluator_.state().loopbacks;
  const auto loopback = std::ranges::find(loopbacks, disk, &LoopbackDisk::name);
  std::string resolved(name);
  if (loopback != loopbacks.end()) {
    resolved = loopback->disk + std::string(name.substr(disk.size()));
  } else if (evaluator_.session().loopback_disks.contains(disk)) {
    // What another entry's `loopback` made is not there.
    evaluator_.raise(kStatusUnknownDevice, "disk `" + resolved + "' not found");
    return std::nullopt;
  }
  const fs::Devices* const devices = evaluator_.session().devices;
  const fs::Device* const device = devices != nullptr ? devices->device(resolved) : nullptr;
  return device != nullptr ? device->name : resolved;
}

std::optional<FileReference> FileAccess::locate(std::string_view name) {
  FileReference file;
  if (name.starts_with('(')) {
    const std::size_t closing = name.find(')');
    if (closing == std::string_view::npos) {
      evaluator_.raise(kStatusBadFilename, "missing `)' symbol");
      return std::nullopt;
    }
    const std::optional<std::string> device = resolve_device(name.substr(1, closing - 1));
    if (!device) return std::nullopt;
    file.device = *device;
    file.path = path_in_subvolume(file.device, std::string(name.substr(closing + 1)));
    return file;
  }
  const std::string_view root = evaluator_.environment().value_or_empty("root");
  if (root.empty() && evaluator_.session().devices != nullptr) {
    evaluator_.raise(kStatusBadDevice, "variable `root' isn't set");
    return std::nullopt;
  }
  const std::optional<std::string> device = resolve_device(root);
  if (!device) return std::nullopt;
  file.device = *device;
  file.path = path_in_subvolume(file.device, std::string(name));
  return file;
}

std::string FileAccess::path_in_subvolume(const std::string& device, std::string path) {
  fs::Devices* const devices = evaluator_.session().devices;
  if (devices == nullptr || !is_btrfs_path_relative(evaluator_.environment()) || !path.starts_with('/'))
    return path;
  const Result<fs::FileSystem*> file_system_of_it = devices->file_system(device);
  if (!file_system_of_it || (*file_system_of_it)->type_name() != "btrfs") return path;
  return btrfs_path(evaluator_.environment(), evaluator_.state().btrfs_mounts, **file_system_of_it, path);
}

Result<void> FileAccess::report(Error error, const FileReference& file) {
  if (is_fatal(error)) return std::unexpected(at(file.device, std::move(error)));
  switch (error.code) {
    case ErrorCode::kNotFound:
      evaluator_.raise(kStatusFileNotFound, "file `" + file.path + "' not found");
      break;
    case ErrorCode::kWrongType:
      evaluator_.raise(kStatusBadFileType, "not a regular file: `" + file.path + "'");
      break;
    case ErrorCode::kSyntax:
      evaluator_.raise(kStatusBadFilename, std::move(error).message);
      break;
    case ErrorCode::kIo:
      evaluator_.raise(kStatusReadError, "failure reading " + file.to_string() + ": " + error.describe());
      break;
    default:
      evaluator_.raise(kStatusBadFileSystem, "cannot read " + file.to_string() + ": " + error.describe());
  }
  return {};
}

Result<fs::FileSystem*> FileAccess::file_system(std::string_view device) {
  fs::Devices* devices = evaluator_.session().devices;
  if (devices == nullptr) {
    evaluator_.raise(kStatusUnknownDevice, "disk `" + std::string(device) + "' not found");
    return nullptr;
  }
  Result<fs::FileSystem*> found = devices->file_system(device);
  if (found) return found;
  if (is_fatal(found.error())) return std::unexpected(at(device, std::move(found).error()));
  if (found.error().code == ErrorCode::kNotFound) {
    evaluator_.raise(kStatusUnknownDevice, "disk `" + std::string(device) + "' not found");
  } else if (found.error().code == ErrorCode::kUnsupported) {
    evaluator_.raise(kStatusUnknownFileSystem, "unknown filesystem on `" + std::string(device) + "'");
  } else {
    evaluator_.raise(kStatusBadFileSystem, "cannot read the file system of `" + std::string(device) +
                                               "': " + found.error().describe());
  }
  return nullptr;
}

// Needs no file system, and never leaves the device.
Result<std::unique_ptr<fs::File>> FileAccess::open_blocks(const FileReference& file) {
  fs::Devices* devices = evaluator_.session().devices;
  fs::BlockSource* const device = devices != nullptr ? devices->source(file.device) : nullptr;
  if (device == nullptr) {
    evaluator_.raise(kStatusUnknownDevice, "disk `" + file.device + "' not found");
    return nullptr;
  }
  Result<std::unique_ptr<fs::File>> opened = open_block_list(*device, file.path, evaluator_.session().budget);
  if (opened) return opened;
  PVHGRUB_TRY(report(std::move(opened).error(), file));
  return nullptr;
}

Result<std::unique_ptr<fs::File>> FileAccess::open(const FileReference& file) {
  if (is_block_list(file.path)) return open_blocks(file);
  PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system_of_it, file_system(file.device));
  if (file_system_of_it == nullptr) return nullptr;
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1 + file.path.size() / 8, "opening files"));
  Result<std::unique_ptr<fs::File>> opened = file_system_of_it->open(without_trailing_slashes(file.path));
  if (opened) return opened;
  PVHGRUB_TRY(report(std::move(opened).error(), file));
  return nullptr;
}

Result<std::optional<std::string>> FileAccess::read(const FileReference& file, std::size_t maximum) {
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, open(file));
  if (!opened) return std::nullopt;
  return read(*opened, file, maximum);
}

Result<std::optional<std::string>> FileAccess::read(fs::File& opened, const FileReference& file,
                                                    std::size_t maximum) {
  Result<std::string> contents = fs::read_whole_file(opened, file.path, maximum, evaluator_.session().budget);
  if (contents) return std::move(*contents);
  PVHGRUB_TRY(report(std::move(contents).error(), file));
  return std::nullopt;
}

Result<std::optional<FileReference>> FileAccess::locate_for_loader(std::string_view name) {
  std::optional<FileReference> file = locate(name);
  if (!file || evaluator_.session().devices == nullptr) return file;
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, open(*file));
  if (!opened) return std::nullopt;
  if (!is_block_list(file->path)) file->path = without_trailing_slashes(file->path);
  return file;
}

Result<FileTests::Answer> FileAccess::look_up(std::string_view name) {
  if (evaluator_.session().devices == nullptr) return Answer{};
  std::optional<FileReference> file = locate(name);
  if (!file) return Answer{};
  PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system_of_it, file_system(file->device));
  if (file_system_of_it == nullptr) return Answer{};
  std::string& path = file->path;
  // GRUB's `test` takes what follows any ')', also in a name without a device.
  if (const std::size_t closing = path.find(')'); closing != std::string::npos && !name.starts_with('('))
    path.erase(0, closing + 1);
  while (path.ends_with('/')) path.pop_back();
  // The device itself counts as its root directory.
  if (path.empty()) return Answer{true, true, std::nullopt};
  // GRUB reads the directory and so sees a symbolic link itself, which is no directory to it.
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
  const std::string last = path.substr(slash == std::string::npos ? 0 : slash + 1);
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1 + path.size() / 8, "looking files up"));
  Result<std::vector<fs::DirectoryEntry>> entries = file_system_of_it->list(directory);
  if (!entries) {
    PVHGRUB_TRY(report(std::move(entries).error(), {file->device, directory}));
    return Answer{};
  }
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(entries->size(), "looking files up"));
  if (last == "." || last == "..") return Answer{true, true, std::nullopt};
  const bool ignore_case =
      file_system_of_it->type_name() == "fat" || file_system_of_it->type_name() == "exfat";
  const auto found = std::ranges::find_if(*entries, [&](const fs::DirectoryEntry& entry) {
    return entry.name == last || (ignore_case && equal_ignoring_case(entry.name, last));
  });
  if (found == entries->end()) return Answer{};
  Answer answer{true, found->type == fs::FileType::kDirectory, std::nullopt};
  Result<fs::FileInfo> info = file_system_of_it->stat(path);
  if (info) answer.modification_time = info->modification_time;
  if (!info && is_fatal(info.error())) return std::unexpected(std::move(info).error());
  return answer;
}

Result<bool> FileAccess::has_contents(std::string_view name) {
  if (evaluator_.session().devices == nullptr) return false;
  const std::optional<FileReference> file = locate(name);
  bool has = false;
  if (file) {
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, open(*file));
    has = opened && opened->size() > 0;
  }
  evaluator_.clear_error();
  return has;
}

std::vector<std::string> FileAccess::partition_names(std::string_view disk) {
  std::vector<std::string> names;
  const std::optional<std::string> resolved = resolve_device(disk);
  if (!resolved || evaluator_.session().devices == nullptr) return names;
  for (const fs::Device* const partition : evaluator_.session().devices->partitions(*resolved))
    names.push_back(std::string(disk) + partition->name.substr(partition->name.find(',')));
  return names;
}

std::vector<std::string> FileAccess::device_names() {
  std::vector<std::string> names;
  if (evaluator_.session().devices == nullptr) return names;
  // GRUB gathers a disk's partitions in a list that it builds from its end: the last comes first.
  const auto add_disk = [&](const std::string& disk) {
    names.push_back(disk);
    const std::vector<std::string> partitions = partition_names(disk);
    names.insert(names.end(), partitions.rbegin(), partitions.rend());
  };
  for (const LoopbackDisk& loopback : evaluator_.state().loopbacks) add_disk(loopback.name);
  std::string_view last;
  for (const fs::Device& device : evaluator_.session().devices->devices()) {
    const std::string_view disk = std::string_view(device.name).substr(0, device.name.find(','));
    if (disk == last) continue;
    last = disk;
    if (disk.size() == device.name.size()) {
      add_disk(device.name);
    } else {
      const std::vector<std::string> partitions = partition_names(disk);
      names.insert(names.end(), partitions.rbegin(), partitions.rend());
    }
  }
  return names;
}

Result<std::optional<std::vector<std::string>>> FileAccess::names_in(std::string_view directory) {
  if (evaluator_.session().devices == nullptr) return std::nullopt;
  // Errors while wildcards are matched are nobody's: the word then stays as it is.
  std::optional<FileReference> place = locate(directory);
  std::optional<std::vector<std::string>> names;
  if (place) {
    PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system_of_it, file_system(place->device));
    if (file_system_of_it != nullptr) {
      if (place->path.empty()) place->path = "/";
      Result<std::vector<fs::DirectoryEntry>> entries = file_system_of_it->list(place->path);
      if (!entries && is_fatal(entries.error())) return std::unexpected(std::move(entries).error());
      if (entries) {
        PVHGRUB_TRY(evaluator_.session().budget.charge_steps(entries->size(), "matching wildcards"));
        names.emplace();
        for (fs::DirectoryEntry& entry : *entries) names->push_back(std::move(entry.name));
      }
    }
  }
  evaluator_.clear_error();
  return names;
}

}  // namespace pvhgrub::grubcfg
