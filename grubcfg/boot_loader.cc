// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/boot_loader.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/pe_file.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kEspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

/// The names that a UEFI firmware looks for in \EFI\BOOT (UEFI specification 2.10, section 3.5.1.1), of the
/// processors that our guests have.
constexpr std::array<std::string_view, 3> kDefaultPrograms = {"bootx64.efi", "bootaa64.efi", "bootia32.efi"};
constexpr std::array<std::string_view, 3> kStartedByShim = {"grubx64.efi", "grubaa64.efi", "grubia32.efi"};

std::string_view name_of(BootLoader loader) {
  switch (loader) {
    case BootLoader::kGrub:
      return "GRUB";
    case BootLoader::kSystemdBoot:
      return "systemd-boot";
    case BootLoader::kUnifiedImage:
      return "a unified kernel image";
    case BootLoader::kSyslinux:
      return "syslinux";
    case BootLoader::kShim:
      break;
  }
  return "shim";
}

bool is_whole_disk(const fs::Device& device) {
  return device.name.find(',') == std::string::npos;
}

bool is_esp(const fs::Device& device) {
  return device.partition_type == kEspType || device.partition_type == "0xef";
}

/// Looks at the EFI programs of one file system.
class EfiPrograms {
 public:
  EfiPrograms(fs::Devices& devices, const fs::Device& device, Budget& budget)
      : files_(&devices, budget), device_(device), budget_(budget) {}

  Result<std::optional<InstalledLoader>> find_default();
  Result<std::optional<InstalledLoader>> find_only_one();

 private:
  Result<std::vector<std::string>> directories_like(const std::string& parent, std::string_view wanted);
  Result<std::optional<InstalledLoader>> look_at(const std::string& directory, const std::string& name);
  Result<void> follow_shim(const std::string& directory, InstalledLoader& shim);
  /// A program that cannot be read is none that we know.
  Result<std::optional<BootLoader>> identify(fs::File& file) {
    Result<std::optional<BootLoader>> loader = identify_efi_program(file, budget_);
    if (!loader && !is_fatal(loader.error())) return std::nullopt;
    return loader;
  }

  GuestFiles files_;
  const fs::Device& device_;
  Budget& budget_;
};

Result<std::vector<std::string>> EfiPrograms::directories_like(const std::string& parent,
                                                               std::string_view wanted) {
  std::vector<std::string> found;
  PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries, files_.list({device_.name, parent}));
  for (const fs::DirectoryEntry& entry : entries)
    if (wanted.empty() || equal_ignoring_case(entry.name, wanted))
      found.push_back((parent == "/" ? "" : parent) + "/" + entry.name);
  std::ranges::sort(found);
  return found;
}

Result<std::optional<InstalledLoader>> EfiPrograms::look_at(const std::string& directory,
                                                            const std::string& name) {
  const FileReference place{device_.name, directory + "/" + name};
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> file, files_.open(place));
  if (!file) return std::nullopt;
  PVHGRUB_TRY_ASSIGN(const std::optional<BootLoader> loader, identify(*file));
  if (!loader) return std::nullopt;
  InstalledLoader found{*loader, place, place.to_string() + " is " + std::string(name_of(*loader))};
  if (*loader == BootLoader::kShim) PVHGRUB_TRY(follow_shim(directory, found));
  return found;
}

// Shim starts the program that is called grubx64.efi beside it, which may be another loader under that name.
Result<void> EfiPrograms::follow_shim(const std::string& directory, InstalledLoader& shim) {
  shim.loader = BootLoader::kGrub;
  PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries, files_.list({device_.name, directory}));
  for (const fs::DirectoryEntry& entry : entries) {
    const bool is_started = std::ranges::any_of(
        kStartedByShim, [&](std::string_view name) { return equal_ignoring_case(entry.name, name); });
    if (!is_started) continue;
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> file,
                       files_.open({device_.name, directory + "/" + entry.name}));
    if (!file) continue;
    PVHGRUB_TRY_ASSIGN(const std::optional<BootLoader> started, identify(*file));
    if (!started || *started == BootLoader::kShim) continue;
    shim.loader = *started;
    shim.reason += ", and it starts " + entry.name + ", which is " + std::string(name_of(*started));
    break;
  }
  return {};
}

Result<std::optional<InstalledLoader>> EfiPrograms::find_default() {
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> roots, directories_like("/", "efi"));
  for (const std::string& root : roots) {
    PVHGRUB_TRY_ASSIGN(const std::vector<std::string> boots, directories_like(root, "boot"));
    for (const std::string& boot : boots) {
      PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries, files_.list({device_.name, boot}));
      for (const std::string_view wanted : kDefaultPrograms) {
        for (const fs::DirectoryEntry& entry : entries) {
          if (!equal_ignoring_case(entry.name, wanted)) continue;
          PVHGRUB_TRY_ASSIGN(std::optional<InstalledLoader> found, look_at(boot, entry.name));
          if (found) return found;
        }
      }
    }
  }
  return std::nullopt;
}

// Which of several a firmware's variables name is not on the disk; one that is alone needs no naming.
Result<std::optional<InstalledLoader>> EfiPrograms::find_only_one() {
  std::optional<InstalledLoader> only;
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> roots, directories_like("/", "efi"));
  for (const std::string& root : roots) {
    PVHGRUB_TRY_ASSIGN(const std::vector<std::string> vendors, directories_like(root, ""));
    for (const std::string& vendor : vendors) {
      if (equal_ignoring_case(vendor.substr(root.size() + 1), "linux")) continue;  // images, not loaders
      PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries, files_.list({device_.name, vendor}));
      for (const fs::DirectoryEntry& entry : entries) {
        if (entry.name.size() < 5 || !equal_ignoring_case(entry.name.substr(entry.name.size() - 4), ".efi"))
          continue;
        PVHGRUB_TRY_ASSIGN(const std::optional<InstalledLoader> found, look_at(vendor, entry.name));
        if (!found) continue;
        if (only && only->loader != found->loader) return std::nullopt;
        if (!only) only = found;
      }
    }
  }
  return only;
}

const bootimage::PeSection* find_section(const bootimage::PeImage& image, std::string_view name) {
  const auto found = std::ranges::find(image.sections, name, &bootimage::PeSection::name);
  return found != image.sections.end() ? &*found : nullptr;
}

/// The beginning of the section in which programs that are signed name themselves, a line for each component:
/// "shim,4,UEFI shim,..." (https://github.com/rhboot/shim/blob/main/SBAT.md).
Result<std::string> read_sbat(fs::File& file, const bootimage::PeImage& image, Budget& budget) {
  constexpr std::uint64_t kSbatBytes = 4096;
  const bootimage::PeSection* const section = find_section(image, ".sbat");
  if (section == nullptr) return std::string();
  FilePart part = section_part(*section);
  part.size = std::min(part.size, kSbatBytes);
  return read_text_part(file, part, budget);
}

/// What the first sector of a device belongs to.
std::optional<BootLoader> identify_boot_sector(std::string_view sector) {
  // The partition table begins at 440 (disk signature) and 446; before it is code and text.
  const std::string_view code = sector.substr(0, 440);
  // GRUB 2's boot.S and GRUB Legacy's stage1.S have the same messages.
  if (code.find(std::string_view("GRUB \0Geom\0", 11)) != std::string_view::npos) return BootLoader::kGrub;
  // The OEM name of the BIOS parameter block (extlinux writes one although there is no FAT), and the message
  // of isohybrid's first sector.
  const std::string_view oem = sector.substr(3, 8);
  if (oem == "SYSLINUX" || oem == "EXTLINUX" || code.find("isolinux.bin") != std::string_view::npos)
    return BootLoader::kSyslinux;
  return std::nullopt;
}

}  // namespace

Result<std::optional<BootLoader>> identify_efi_program(fs::File& file, Budget& budget) {
  const Result<bootimage::PeImage> image = read_pe_file(file, budget);
  if (!image && is_fatal(image.error())) return std::unexpected(image.error());
  if (!image) return std::nullopt;
  if (find_section(*image, ".linux") != nullptr) return BootLoader::kUnifiedImage;
  // systemd's own mark ("#### LoaderInfo: systemd-boot ... ####"), which its stub has as well.
  if (find_section(*image, ".sdmagic") != nullptr) return BootLoader::kSystemdBoot;
  if (find_section(*image, "mods") != nullptr) return BootLoader::kGrub;  // GRUB's modules
  PVHGRUB_TRY_ASSIGN(const std::string names, read_sbat(file, *image, budget));
  if (names.find("\nshim,") != std::string::npos) return BootLoader::kShim;
  if (names.find("\ngrub,") != std::string::npos) return BootLoader::kGrub;
  return std::nullopt;
}

Result<std::optional<InstalledLoader>> find_uefi_loader(fs::Devices& devices, Budget& budget) {
  for (const bool only_one : {false, true}) {
    for (const fs::Device& device : devices.devices()) {
      if (!is_esp(device)) continue;
      EfiPrograms programs(devices, device, budget);
      PVHGRUB_TRY_ASSIGN(std::optional<InstalledLoader> found,
                         only_one ? programs.find_only_one() : programs.find_default());
      if (found) return found;
    }
  }
  return std::nullopt;
}

Result<std::optional<InstalledLoader>> find_bios_loader(fs::Devices& devices, Budget& budget) {
  // A BIOS starts the first disk: its own first sector, or through a neutral one a partition's.
  std::string_view disk;
  for (const fs::Device& device : devices.devices()) {
    if (is_whole_disk(device)) {
      if (!disk.empty()) break;
      disk = device.name;
    }
    fs::BlockSource* const source = devices.source(device.name);
    constexpr std::size_t kSector = 512;
    if (source == nullptr || source->size() < kSector) continue;
    PVHGRUB_TRY(budget.charge_bytes(kSector, "looking at boot sectors"));
    std::array<std::byte, kSector> sector{};
    if (!source->read_at(0, sector)) continue;
    const std::optional<BootLoader> loader = identify_boot_sector(as_text(sector));
    if (loader)
      return InstalledLoader{
          *loader,
          {device.name, ""},
          "the boot sector of " + device.name + " is that of " + std::string(name_of(*loader))};
  }
  return std::nullopt;
}

}  // namespace pvhgrub::grubcfg
