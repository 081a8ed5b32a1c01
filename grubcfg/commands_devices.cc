// SPDX-License-Identifier: LGPL-2.1-or-later
// loopback, cryptomount, probe (GRUB manual), gptprio.next (CoreOS, Flatcar), btrfs-mount-subvol (SUSE):
// disks and what they are.
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr unsigned kPlain = static_cast<unsigned>(OptionStyle::kPlain);

std::string_view without_parentheses(std::string_view name) {
  if (name.size() >= 2 && name.starts_with('(') && name.ends_with(')'))
    return name.substr(1, name.size() - 2);
  return name;
}

// --- loopback

Result<Status> delete_loopback(Evaluator& evaluator, std::string_view name) {
  std::vector<LoopbackDisk>& loopbacks = evaluator.state().loopbacks;
  if (std::erase_if(loopbacks, [&](const LoopbackDisk& loopback) { return loopback.name == name; }) == 0)
    return evaluator.raise(kStatusBadDevice, "device not found");
  return kStatusOk;
}

/// Whether the file is one that GRUB's -D would decompress, by its first bytes.
Result<bool> is_compressed(fs::File& file) {
  constexpr std::array<std::string_view, 3> kMagics = {"\x1f\x8b",
                                                       "\xfd"
                                                       "7zXZ",
                                                       "\x89LZO"};
  std::array<std::byte, 8> start{};
  PVHGRUB_TRY_ASSIGN(const std::size_t count, file.read(0, start));
  const std::string_view text = as_text(Bytes(start).first(count));
  return std::ranges::any_of(kMagics, [&](std::string_view magic) { return text.starts_with(magic); });
}

/// The name by which Devices knows the file as a disk; no value with GRUB's error raised.
Result<std::optional<std::string>> open_as_disk(Evaluator& evaluator, const std::string& name,
                                                const FileReference& file, bool decompress) {
  fs::Devices* const devices = evaluator.session().devices;
  // Without a disk the file is taken to be there, as a kernel's would be.
  if (devices == nullptr) return name;
  FileAccess files(evaluator);
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files.open(file));
  if (!opened) return std::nullopt;
  if (decompress) {
    PVHGRUB_TRY_ASSIGN(const bool compressed, is_compressed(*opened));
    if (compressed) {
      evaluator.raise(kStatusNotImplemented,
                      file.to_string() + " is compressed; decompress it in the guest to use it as a disk");
      return std::nullopt;
    }
  }
  Result<std::string> disk = devices->add_loopback(name, file.device, file.path);
  if (disk) return std::move(*disk);
  PVHGRUB_TRY(files.report(std::move(disk).error(), file));
  return std::nullopt;
}

Result<Status> run_loopback(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 2> kOptions = {
      {{"delete", 'd', false, false}, {"decompress", 'D', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, kPlain, parsed)) return evaluator.error();
  if (parsed.arguments.empty()) return evaluator.raise(kStatusBadArgument, "device name required");
  const std::string& name = parsed.arguments[0];
  if (parsed.options[0].set) return delete_loopback(evaluator, name);
  if (parsed.arguments.size() < 2) return evaluator.raise(kStatusBadArgument, "filename expected");
  std::vector<LoopbackDisk>& loopbacks = evaluator.state().loopbacks;
  PVHGRUB_TRY(evaluator.session().budget.charge_steps(1 + loopbacks.size(), "opening files as disks"));
  if (std::ranges::find(loopbacks, name, &LoopbackDisk::name) != loopbacks.end())
    return evaluator.raise(kStatusBadArgument, "device name already exists");
  if (loopbacks.size() >= limits::kLoopbackDisks)
    return evaluator.raise(kStatusOutOfRange, "more than " + std::to_string(limits::kLoopbackDisks) +
                                                  " files are opened as disks");
  const std::optional<FileReference> file = FileAccess(evaluator).locate(parsed.arguments[1]);
  if (!file) return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> disk,
                     open_as_disk(evaluator, name, *file, parsed.options[1].set));
  if (!disk) return evaluator.error();
  evaluator.session().loopback_disks.insert(*disk);
  loopbacks.insert(loopbacks.begin(), {name, *disk});
  evaluator.session().diagnostics.explain("loopback " + name + ": " + file->to_string());
  return kStatusOk;
}

// --- cryptomount

enum CryptoOption : std::size_t { kUuid, kAll, kBoot };

constexpr std::array<OptionSpec, 9> kCryptoOptions = {{{"uuid", 'u', false, false},
                                                       {"all", 'a', false, false},
                                                       {"boot", 'b', false, false},
                                                       {"password", 'p', true, false},
                                                       {"key-file", 'k', true, false},
                                                       {"keyfile-offset", 'O', true, false},
                                                       {"keyfile-size", 'S', true, false},
                                                       {"header", 'H', true, false},
                                                       {"protector", 'P', true, false}}};

// Nothing is ever decrypted here: the key belongs to the guest, and is not to be asked for on the host.
Result<Status> run_cryptomount(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kCryptoOptions, kPlain, parsed)) return evaluator.error();
  const bool all = parsed.options[kAll].set || parsed.options[kBoot].set;
  if (parsed.arguments.empty() && !all) return evaluator.raise(kStatusBadArgument, "device name required");
  std::string what = "the encrypted disks";
  if (!parsed.arguments.empty() && !parsed.options[kAll].set)
    what =
        std::string(parsed.options[kUuid].set ? "the encrypted disk with the UUID " : "the encrypted disk ") +
        parsed.arguments[0];
  evaluator.notice(what +
                   " cannot be opened: the key is the guest's own, and nobody is asked for it on the host; "
                   "put /boot on a partition that is not encrypted");
  return evaluator.raise(kStatusAccessDenied, what + " stays closed");
}

// --- probe

enum ProbeOption : std::size_t { kProbeSet, kDriver, kPartmap, kFileSystem, kFsUuid, kFsLabel, kPartUuid };

constexpr std::array<OptionSpec, 7> kProbeOptions = {{{"set", 's', true, false},
                                                      {"driver", 'd', false, false},
                                                      {"partmap", 'p', false, false},
                                                      {"fs", 'f', false, false},
                                                      {"fs-uuid", 'u', false, false},
                                                      {"label", 'l', false, false},
                                                      {"part-uuid", '\0', false, false}}};

std::string partition_map_of(std::string_view device) {
  if (device.find(',') == std::string_view::npos) return "none";
  std::string_view map = device.substr(device.rfind(',') + 1);
  while (!map.empty() && map.back() >= '0' && map.back() <= '9') map.remove_suffix(1);
  return map.empty() ? "none" : std::string(map);
}

/// GRUB's name for what reads the disk: its PVH build sees the guest's disks through Xen, LVM's and MD's
/// volumes through what it calls a disk filter.
std::string_view driver_of(Evaluator& evaluator, std::string_view device) {
  if (device.starts_with("lvm/") || device.starts_with("md/") || device.starts_with("mduuid/"))
    return "diskfilter";
  return evaluator.session().loopback_disks.contains(device.substr(0, device.find(','))) ? "loopback" : "xen";
}

/// A property of the file system; no value with GRUB's error raised.
Result<std::optional<std::string>> probe_file_system(Evaluator& evaluator, const ParsedOptions& parsed,
                                                     const std::string& device) {
  PVHGRUB_TRY_ASSIGN(const fs::FileSystem* const file_system, FileAccess(evaluator).file_system(device));
  if (file_system == nullptr) return std::nullopt;
  if (parsed.options[kFileSystem].set) return std::string(file_system->type_name());
  if (parsed.options[kFsUuid].set) {
    if (!file_system->uuid().empty()) return std::string(file_system->uuid());
    evaluator.raise(kStatusNotImplemented, std::string(file_system->type_name()) + " does not support UUIDs");
    return std::nullopt;
  }
  if (parsed.options[kFsLabel].set) return std::string(file_system->label());
  evaluator.raise(kStatusBadArgument, "unrecognised target");
  return std::nullopt;
}

/// The property that the options ask for, the first in GRUB's order; no value with GRUB's error raised.
Result<std::optional<std::string>> probe_property(Evaluator& evaluator, const ParsedOptions& parsed,
                                                  const fs::Device& device) {
  if (parsed.options[kDriver].set) return std::string(driver_of(evaluator, device.name));
  if (parsed.options[kPartmap].set) return partition_map_of(device.name);
  if (parsed.options[kPartUuid].set)
    return device.partition_uuid.empty() ? std::string("none") : device.partition_uuid;
  return probe_file_system(evaluator, parsed, device.name);
}

Result<Status> run_probe(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kProbeOptions, kPlain, parsed)) return evaluator.error();
  if (parsed.arguments.empty()) return evaluator.raise(kStatusBadArgument, "device name required");
  const std::string_view name = without_parentheses(parsed.arguments[0]);
  const std::optional<std::string> resolved = FileAccess(evaluator).resolve_device(name);
  if (!resolved) return evaluator.error();
  const fs::Devices* const devices = evaluator.session().devices;
  const fs::Device* const device = devices != nullptr ? devices->device(*resolved) : nullptr;
  if (device == nullptr)
    return evaluator.raise(kStatusUnknownDevice, "disk `" + std::string(name) + "' not found");
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> value, probe_property(evaluator, parsed, *device));
  if (!value) return evaluator.error();
  if (const std::string* variable = parsed.options[kProbeSet].value()) {
    PVHGRUB_TRY(evaluator.set_variable(*variable, *value));
  } else {
    PVHGRUB_TRY(evaluator.print(*value));
  }
  return kStatusOk;
}

// --- gptprio.next

/// What the upper attribute bits of a GPT entry say of one of several copies of a system (ChromiumOS's disk
/// format, which CoreOS took over: bits 48-51 priority, 52-55 tries left, 56 has booted).
struct BootPriority {
  explicit BootPriority(std::uint64_t attributes)
      : priority((attributes >> 48) & 0xF),
        tries_left((attributes >> 52) & 0xF),
        successful(((attributes >> 56) & 1) != 0) {}
  std::uint64_t priority;
  std::uint64_t tries_left;
  bool successful;
};

/// The type of partitions with a copy of /usr for x86-64, as CoreOS and Flatcar have it.
constexpr std::string_view kUsrPartitionType = "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6";

// gptprio.next -d DEVICE-VARIABLE -u UUID-VARIABLE [DEVICE]: the copy of the system to boot. GRUB counts a
// try off, on the disk.
Result<Status> run_gptprio_next(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 2> kOptions = {
      {{"set-device", 'd', true, false}, {"set-uuid", 'u', true, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, kPlain, parsed)) return evaluator.error();
  const std::string* const device_variable = parsed.options[0].value();
  const std::string* const uuid_variable = parsed.options[1].value();
  if (device_variable == nullptr || uuid_variable == nullptr)
    return evaluator.raise(kStatusInvalidCommand, "-d and -u are required");
  if (parsed.arguments.size() > 1) return evaluator.raise(kStatusBadArgument, "unexpected arguments");
  std::string_view name = parsed.arguments.empty() ? evaluator.environment().value_or_empty("root")
                                                   : std::string_view(parsed.arguments[0]);
  const std::string disk(name.substr(0, name.find(',')));
  const std::optional<std::string> resolved = FileAccess(evaluator).resolve_device(disk);
  if (!resolved) return evaluator.error();
  const fs::Device* best = nullptr;
  if (const fs::Devices* const devices = evaluator.session().devices)
    for (const fs::Device* const partition : devices->partitions(*resolved)) {
      if (partition->partition_type != kUsrPartitionType) continue;
      const BootPriority candidate(partition->partition_attributes);
      const std::uint64_t to_beat = best != nullptr ? BootPriority(best->partition_attributes).priority : 0;
      if ((candidate.tries_left > 0 || candidate.successful) && candidate.priority > to_beat)
        best = partition;
    }
  if (best == nullptr) return evaluator.raise(kStatusUnknownDevice, "no such partition");
  if (BootPriority(best->partition_attributes).tries_left > 0)
    evaluator.notice(
        "the system on " + best->name +
        " is on trial, and the number of its tries is not counted down, as nothing is written to "
        "the guest's partition table: where it does not come up, choose the other with --entry");
  PVHGRUB_TRY(evaluator.set_variable(*device_variable, disk + best->name.substr(best->name.find(','))));
  PVHGRUB_TRY(evaluator.set_variable(*uuid_variable, best->partition_uuid));
  evaluator.session().diagnostics.explain("gptprio.next " + disk + ": " + best->name);
  return kStatusOk;
}

// --- btrfs-mount-subvol (SUSE)

// btrfs-mount-subvol (DEVICE) DIRECTORY SUBVOLUME
Result<Status> run_btrfs_mount_subvol(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() < 3)
    return evaluator.raise(kStatusBadArgument, "required <dev> <dir> and <subvol>");
  FileAccess files(evaluator);
  const std::optional<std::string> device = files.resolve_device(without_parentheses(call.arguments[0]));
  if (!device) return evaluator.error();
  if (evaluator.session().devices != nullptr) {
    PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system, files.file_system(*device));
    if (file_system == nullptr) return evaluator.error();
  }
  const auto path_of = [](std::string path) {
    while (path.ends_with('/')) path.pop_back();
    return path.starts_with('/') || path.empty() ? path : "/" + path;
  };
  std::vector<BtrfsMount>& mounts = evaluator.state().btrfs_mounts;
  PVHGRUB_TRY(evaluator.session().budget.charge_steps(1 + mounts.size(), "mounting subvolumes"));
  const BtrfsMount mount{path_of(call.arguments[1]), path_of(call.arguments[2])};
  if (std::ranges::find(mounts, mount) == mounts.end()) mounts.push_back(mount);
  return kStatusOk;
}

constexpr std::array kCommands = {
    CommandEntry{"btrfs-mount-subvol", run_btrfs_mount_subvol, Presence::kSomeBuilds},
    CommandEntry{"loopback", run_loopback},
    CommandEntry{"cryptomount", run_cryptomount},
    CommandEntry{"probe", run_probe},
    CommandEntry{"gptprio.next", run_gptprio_next, Presence::kSomeBuilds},
};

}  // namespace

std::span<const CommandEntry> device_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
