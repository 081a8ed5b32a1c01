// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/configuration_search.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "grubcfg/bare_kernel.h"
#include "grubcfg/boot_loader.h"
#include "grubcfg/firmware_menu.h"
#include "grubcfg/freebsd_menu.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/netbsd_menu.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// In the order of preference where nothing else decides.
constexpr std::string_view kGrub = "grub2";
constexpr std::string_view kBls = "bls";
constexpr std::string_view kUki = "uki";
constexpr std::string_view kSyslinux = "extlinux";
constexpr std::string_view kLegacy = "grub-legacy";
constexpr std::string_view kFreebsd = "freebsd";
constexpr std::string_view kNetbsd = "netbsd";
constexpr std::string_view kElf = "elf";
constexpr std::string_view kEfi = "efi";
constexpr std::array<std::string_view, 9> kKinds = {kGrub,    kBls,    kUki, kSyslinux, kLegacy,
                                                    kFreebsd, kNetbsd, kElf, kEfi};

struct UsualPlace {
  std::string_view kind;
  std::string_view path;
};

/// On the root file system, on a separate /boot, on an EFI system partition, on an installation medium. Names
/// are compared as the file system does: on FAT without regard to case.
constexpr std::array kUsualPlaces = {
    UsualPlace{kGrub, "/boot/grub/grub.cfg"},
    UsualPlace{kGrub, "/boot/grub2/grub.cfg"},
    UsualPlace{kGrub, "/grub/grub.cfg"},
    UsualPlace{kGrub, "/grub2/grub.cfg"},
    // The root's subvolume on btrfs: Ubuntu's, Debian's, Fedora's; SUSE's is the default one.
    UsualPlace{kGrub, "/@/boot/grub/grub.cfg"},
    UsualPlace{kGrub, "/@rootfs/boot/grub/grub.cfg"},
    UsualPlace{kGrub, "/root/boot/grub2/grub.cfg"},
    UsualPlace{kGrub, "/boot/grub.cfg"},
    UsualPlace{kSyslinux, "/boot/extlinux/extlinux.conf"},
    UsualPlace{kSyslinux, "/boot/extlinux.conf"},
    UsualPlace{kSyslinux, "/extlinux/extlinux.conf"},
    UsualPlace{kSyslinux, "/extlinux.conf"},
    UsualPlace{kSyslinux, "/boot/syslinux/extlinux.conf"},
    UsualPlace{kSyslinux, "/syslinux/extlinux.conf"},
    UsualPlace{kSyslinux, "/boot/syslinux/syslinux.cfg"},
    UsualPlace{kSyslinux, "/boot/extlinux/syslinux.cfg"},
    UsualPlace{kSyslinux, "/syslinux/syslinux.cfg"},
    UsualPlace{kSyslinux, "/syslinux.cfg"},
    UsualPlace{kSyslinux, "/EFI/BOOT/syslinux.cfg"},
    UsualPlace{kSyslinux, "/EFI/syslinux/syslinux.cfg"},
    UsualPlace{kSyslinux, "/boot/isolinux/isolinux.cfg"},
    UsualPlace{kSyslinux, "/isolinux/isolinux.cfg"},
    UsualPlace{kSyslinux, "/boot/isolinux.cfg"},
    UsualPlace{kSyslinux, "/isolinux.cfg"},
    UsualPlace{kLegacy, "/boot/grub/menu.lst"},
    UsualPlace{kLegacy, "/boot/grub/grub.conf"},
    UsualPlace{kLegacy, "/grub/menu.lst"},
    UsualPlace{kLegacy, "/grub/grub.conf"},
    UsualPlace{kLegacy, "/boot/menu.lst"},
    UsualPlace{kLegacy, "/menu.lst"},
};

constexpr std::string_view kEspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
constexpr std::string_view kXbootldrType = "bc13c2ff-59e6-4262-a352-b275fd6f7172";

/// Partition types that never hold a file system of a guest: not worth a notice.
bool never_has_files(const fs::Device& device) {
  constexpr std::array<std::string_view, 12> kTypes = {
      "21686148-6449-6e6f-744e-656564454649",  // BIOS boot
      "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",  // Linux swap
      "83bd6b9d-7f41-11dc-be0b-001560b84f0f",  // FreeBSD boot
      "516e7cb5-6ecf-11d6-8ff8-00022d09712b",  // FreeBSD swap
      "49f48d32-b10e-11dc-b99b-0019d1879648",  // NetBSD swap
      "0x82",                                  // Linux swap
      "0x5",
      "0x05",
      "0x0f",  // extended
      "bsd:0x00",
      "bsd:0x01",   // unused, often the whole disk; swap
      "sun:0x82"};  // Linux swap
  return std::ranges::find(kTypes, device.partition_type) != kTypes.end();
}

/// The two partitions whose entries make one menu (Boot Loader Specification, "The partitions").
bool shares_a_menu(const fs::Device& device) {
  constexpr std::array<std::string_view, 4> kTypes = {kEspType, kXbootldrType, "0xef", "0xea"};
  return std::ranges::find(kTypes, device.partition_type) != kTypes.end();
}

std::string_view disk_of(std::string_view device) {
  return device.substr(0, device.find(','));
}

bool has_ending(std::string_view name, std::string_view ending) {
  return name.size() > ending.size() && !name.starts_with('.') &&
         equal_ignoring_case(name.substr(name.size() - ending.size()), ending);
}

class Finder {
 public:
  Finder(fs::Devices& devices, Budget& budget, Diagnostics& diagnostics)
      : devices_(devices), files_(&devices, budget), budget_(budget), diagnostics_(diagnostics) {}

  Result<std::vector<ConfigurationSource>> find();
  [[nodiscard]] const std::optional<Error>& damage() const { return files_.damage(); }

 private:
  /// True where the device has a file system that can be read.
  Result<bool> mount(const fs::Device& device);
  Result<void> look_at(const fs::Device& device);
  Result<void> look_in_usual_places(const fs::Device& device);
  Result<void> look_in_efi_directories(const fs::Device& device, const std::string& efi);
  Result<void> look_for_entries(const fs::Device& device, const std::string& parent);
  Result<void> look_for_unified_images(const fs::Device& device, const std::string& efi);
  /// Systems that have no loader of Linux', kernels that stand alone, and programs for a UEFI firmware.
  Result<void> look_for_others(const fs::Device& device);
  /// The names in a directory that are `wanted` but for case; all of them where it is empty. Sorted.
  Result<std::vector<std::string>> names_like(const fs::Device& device, const std::string& directory,
                                              std::string_view wanted);
  void add(std::vector<ConfigurationSource>& list, const fs::Device& device, std::string_view kind,
           std::string path);
  /// Puts those that the loader would read in front of what is not in order yet.
  void prefer(const InstalledLoader& loader, bool uefi);
  void take(std::string_view kind);
  void put_stubs_where_they_belong();

  fs::Devices& devices_;
  GuestFiles files_;
  Budget& budget_;
  Diagnostics& diagnostics_;
  std::vector<ConfigurationSource> found_;               ///< devices in order; of GRUB's, without the stubs
  std::vector<ConfigurationSource> stubs_;               ///< EFI/VENDOR/grub.cfg
  std::vector<ConfigurationSource> programs_elsewhere_;  ///< EFI/BOOT, not on an EFI system partition
  std::vector<std::string> disks_with_entries_;          ///< whose ESP or XBOOTLDR has type 1 entries
  std::vector<std::string> disks_with_images_;           ///< the same of unified kernel images
  std::vector<ConfigurationSource> ordered_;
};

Result<bool> Finder::mount(const fs::Device& device) {
  const Result<fs::FileSystem*> mounted = devices_.file_system(device.name);
  if (mounted) return true;
  const Error& error = mounted.error();
  if (error.code == ErrorCode::kLimit) return std::unexpected(at(device.name, error));
  const bool has_partitions = std::ranges::any_of(
      devices_.devices(), [&](const fs::Device& other) { return other.name.starts_with(device.name + ","); });
  if (error.code == ErrorCode::kUnsupported && (has_partitions || never_has_files(device))) {
    diagnostics_.explain(device.name + ": no file system here");
  } else {
    // The devices themselves told this as a notice, once, whoever asked first.
    Error reason = error;
    if (reason.where == device.name) reason.where.clear();
    diagnostics_.explain(device.name + ": skipped: " + reason.describe());
  }
  return false;
}

void Finder::add(std::vector<ConfigurationSource>& list, const fs::Device& device, std::string_view kind,
                 std::string path) {
  diagnostics_.explain("found " + path + " on " + device.name + " (" + std::string(kind) + ")");
  list.push_back({std::string(kind), device.name, std::move(path)});
}

Result<std::vector<std::string>> Finder::names_like(const fs::Device& device, const std::string& directory,
                                                    std::string_view wanted) {
  PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries, files_.list({device.name, directory}));
  std::vector<std::string> names;
  for (const fs::DirectoryEntry& entry : entries)
    if (wanted.empty() || equal_ignoring_case(entry.name, wanted)) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

Result<void> Finder::look_in_usual_places(const fs::Device& device) {
  for (const UsualPlace& place : kUsualPlaces) {
    PVHGRUB_TRY_ASSIGN(const bool there, files_.is_file({device.name, std::string(place.path)}));
    if (there) add(found_, device, place.kind, std::string(place.path));
  }
  PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system, devices_.file_system(device.name));
  const Result<fs::Subvolume> subvolume = file_system->subvolume(std::nullopt);
  if (!subvolume || subvolume->path.empty()) return {};
  for (const UsualPlace& place : kUsualPlaces) {
    const std::string path = subvolume->path + std::string(place.path);
    if (std::ranges::find(kUsualPlaces, path, &UsualPlace::path) != kUsualPlaces.end()) continue;
    PVHGRUB_TRY_ASSIGN(const bool there, files_.is_file({device.name, path}));
    if (there) add(found_, device, place.kind, path);
  }
  return {};
}

// EFI/<vendor>/grub.cfg on the EFI system partition, which most often runs `configfile` on the real one.
Result<void> Finder::look_in_efi_directories(const fs::Device& device, const std::string& efi) {
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> vendors, names_like(device, efi, ""));
  for (const std::string& vendor : vendors) {
    const std::string directory = efi + "/" + vendor;
    PVHGRUB_TRY_ASSIGN(const std::vector<std::string> files, names_like(device, directory, "grub.cfg"));
    for (const std::string& file : files) {
      PVHGRUB_TRY_ASSIGN(const bool there, files_.is_file({device.name, directory + "/" + file}));
      if (there) add(stubs_, device, kGrub, directory + "/" + file);
    }
  }
  return {};
}

// loader/entries/*.conf
Result<void> Finder::look_for_entries(const fs::Device& device, const std::string& parent) {
  const std::string disk(disk_of(device.name));
  const bool shares = shares_a_menu(device);
  if (shares && std::ranges::find(disks_with_entries_, disk) != disks_with_entries_.end()) return {};
  const std::string directory = parent + "/loader/entries";
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> names, names_like(device, directory, ""));
  const bool any = std::ranges::any_of(names, [](const auto& name) { return has_ending(name, ".conf"); });
  if (!any) return {};
  add(found_, device, kBls, directory);
  if (shares) disks_with_entries_.push_back(disk);
  return {};
}

Result<void> Finder::look_for_unified_images(const fs::Device& device, const std::string& efi) {
  const std::string disk(disk_of(device.name));
  const bool shares = shares_a_menu(device);
  if (shares && std::ranges::find(disks_with_images_, disk) != disks_with_images_.end()) return {};
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> directories, names_like(device, efi, "linux"));
  for (const std::string& directory : directories) {
    const std::string path = efi + "/" + directory;
    PVHGRUB_TRY_ASSIGN(const std::vector<std::string> names, names_like(device, path, ""));
    const bool any = std::ranges::any_of(names, [](const auto& name) { return has_ending(name, ".efi"); });
    if (!any) continue;
    add(found_, device, kUki, path);
    if (shares) disks_with_images_.push_back(disk);
    break;
  }
  return {};
}

Result<void> Finder::look_for_others(const fs::Device& device) {
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> freebsd, find_freebsd(files_, device.name));
  if (freebsd) add(found_, device, kFreebsd, std::move(*freebsd));
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> netbsd, find_netbsd(files_, device.name));
  if (netbsd) add(found_, device, kNetbsd, std::move(*netbsd));
  PVHGRUB_TRY_ASSIGN(std::vector<std::string> kernels, find_bare_kernels(files_, device.name));
  for (std::string& kernel : kernels) add(found_, device, kElf, std::move(kernel));
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> program, find_default_efi_program(files_, device.name));
  const bool is_esp = device.partition_type == kEspType || device.partition_type == "0xef";
  if (program) add(is_esp ? found_ : programs_elsewhere_, device, kEfi, std::move(*program));
  return {};
}

Result<void> Finder::look_at(const fs::Device& device) {
  PVHGRUB_TRY(look_in_usual_places(device));
  PVHGRUB_TRY(look_for_entries(device, ""));
  PVHGRUB_TRY(look_for_entries(device, "/boot"));
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> efi_directories, names_like(device, "/", "efi"));
  for (const std::string& efi : efi_directories) {
    PVHGRUB_TRY(look_in_efi_directories(device, "/" + efi));
    PVHGRUB_TRY(look_for_unified_images(device, "/" + efi));
  }
  return look_for_others(device);
}

void Finder::take(std::string_view kind) {
  for (ConfigurationSource& source : found_)
    if (source.kind == kind) ordered_.push_back(std::move(source));
  std::erase_if(
      found_, [&](const ConfigurationSource& source) { return source.kind == kind || source.kind.empty(); });
}

void Finder::prefer(const InstalledLoader& loader, bool uefi) {
  diagnostics_.explain("boot loader: " + loader.reason + ", which a " + (uefi ? "UEFI firmware" : "BIOS") +
                       " starts: what it reads comes first");
  switch (loader.loader) {
    case BootLoader::kGrub:
      take(kGrub);
      // GRUB Legacy has the same boot sector, and never was an EFI program on a Linux distribution.
      if (!uefi) take(kLegacy);
      break;
    case BootLoader::kSystemdBoot:
      take(kBls);
      take(kUki);
      break;
    case BootLoader::kUnifiedImage:
      ordered_.push_back({std::string(kUki), loader.place.device, loader.place.path});
      break;
    case BootLoader::kSyslinux:
      take(kSyslinux);
      break;
    case BootLoader::kShim:
      break;
  }
}

// A stub leads to the configuration of the system that the partition belongs to. Where there is only one
// anyway, that one is read without the detour, also if the stub is out of date.
void Finder::put_stubs_where_they_belong() {
  const auto is_grub = [](const ConfigurationSource& source) { return source.kind == kGrub; };
  const bool several = std::ranges::count_if(found_, is_grub) > 1;
  const auto after_grub = std::ranges::find_if(found_.rbegin(), found_.rend(), is_grub).base();
  found_.insert(several ? found_.begin() : after_grub, stubs_.begin(), stubs_.end());
}

Result<std::vector<ConfigurationSource>> Finder::find() {
  for (const fs::Device& device : devices_.devices()) {
    if (!device.begins_as.empty()) {
      diagnostics_.explain(device.name + ": begins where " + device.begins_as +
                           " does, which is looked into");
      continue;
    }
    PVHGRUB_TRY_ASSIGN(const bool mounted, mount(device));
    if (mounted) {
      PVHGRUB_TRY(look_at(device));
      continue;
    }
    PVHGRUB_TRY_ASSIGN(std::optional<std::string> kernel,
                       find_kernel_on_disk(devices_, device, budget_, diagnostics_));
    if (kernel) add(found_, device, kElf, std::move(*kernel));
  }
  put_stubs_where_they_belong();
  PVHGRUB_TRY_ASSIGN(const std::optional<InstalledLoader> uefi, find_uefi_loader(devices_, budget_));
  if (uefi) prefer(*uefi, true);
  PVHGRUB_TRY_ASSIGN(const std::optional<InstalledLoader> bios, find_bios_loader(devices_, budget_));
  if (bios) prefer(*bios, false);
  found_.insert(found_.end(), programs_elsewhere_.begin(), programs_elsewhere_.end());
  for (const std::string_view kind : kKinds) take(kind);
  return std::move(ordered_);
}

}  // namespace

Result<std::vector<ConfigurationSource>> find_configurations(fs::Devices& devices, Budget& budget,
                                                             Diagnostics& diagnostics,
                                                             std::optional<Error>* damage) {
  Finder finder(devices, budget, diagnostics);
  auto found = finder.find();
  if (finder.damage()) diagnostics.notice(finder.damage()->where, finder.damage()->message);
  if (damage != nullptr) *damage = finder.damage();
  return found;
}

void leave_out_stand_ins(std::vector<ConfigurationSource>& sources) {
  const auto stands_in = [](const ConfigurationSource& source) {
    return source.kind == kElf || source.kind == kEfi;
  };
  if (!std::ranges::all_of(sources, stands_in)) std::erase_if(sources, stands_in);
}

std::string_view kind_of_configuration(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  // The same name as systemd-boot's, which lies in a directory "loader".
  if (path == "/boot/loader.conf" || path == "/boot/defaults/loader.conf") return kFreebsd;
  constexpr std::array<UsualPlace, 7> kNames = {{{kSyslinux, "extlinux.conf"},
                                                 {kSyslinux, "syslinux.cfg"},
                                                 {kSyslinux, "isolinux.cfg"},
                                                 {kLegacy, "menu.lst"},
                                                 {kLegacy, "grub.conf"},
                                                 {kNetbsd, "boot.cfg"},
                                                 {kBls, "loader.conf"}}};
  for (const auto& [kind, known] : kNames)
    if (equal_ignoring_case(name, known)) return kind;
  if (has_ending(name, ".efi")) return kUki;
  if (has_ending(name, ".elf")) return kElf;
  if (path.ends_with("/loader/entries") || path.ends_with("/loader/entries/")) return kBls;
  return kGrub;
}

std::optional<std::string_view> kind_named(std::string_view name) {
  if (name == "grub") return kGrub;
  const auto found = std::ranges::find(kKinds, name);
  if (found == kKinds.end()) return std::nullopt;
  return *found;
}

}  // namespace pvhgrub::grubcfg
