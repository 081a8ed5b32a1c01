// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/firmware_paths.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <span>

namespace pvhgrub::broker {
namespace {

// Each list begins with files that are built for PVH for certain; ovmf.bin in Xen's firmware directory comes
// behind, since some packages put a build for HVM alone there (EDK II's OvmfPkgX64 instead of OvmfXen).
// Xen's firmware directory is $libexecdir/xen/boot, with /usr/local/lib for libexecdir where nothing else is
// said (m4/paths.m4 in Xen's sources). NixOS has no fixed paths. Debian 12's package ovmf holds no build for
// Xen.
constexpr std::array<std::string_view, 8> kOvmfX86 = {
    "/usr/lib/xen/boot/ovmf-pvh.bin",          // EVE-OS (lf-edge/eve: hypervisor/xen.go)
    "/usr/share/edk2/xen/OVMF.fd",             // Fedora: edk2-ovmf-xen (edk2.spec, xen.spec)
    "/usr/share/qemu/ovmf-x86_64-xen-4m.bin",  // openSUSE, SLES: qemu-ovmf-x86_64 (ovmf.spec, xen.spec)
    "/usr/share/qemu/ovmf-x86_64-xen.bin",     // the same, of 2 MiB
    "/usr/share/edk2/OVMF-release.fd",         // XenServer, XCP-ng: edk2 (edk2.spec, xen.spec)
    "/usr/lib/xen/boot/ovmf.bin",              // Alpine: ovmf-xen (edk2's APKBUILD); Xen with --prefix=/usr
    "/usr/libexec/xen/boot/ovmf.bin",    // Gentoo: xen-tools (its ebuild); Fedora: xen-runtime (xen.spec)
    "/usr/local/lib/xen/boot/ovmf.bin",  // Xen, built from its sources
};
constexpr std::array<std::string_view, 2> kPvgrubX86 = {
    "/usr/lib/grub-xen/grub-i386-xen_pvh.bin",  // Debian: grub-xen-host 2.06-13 (its file list)
    "/var/lib/qubes/vm-kernels/pvgrub2-pvh/grub-i386-xen_pvh.bin",  // Qubes OS: grub2-xen-pvh (its spec file)
};
// EDK II's ArmVirtXen.
constexpr std::array<std::string_view, 2> kOvmfArm64 = {
    "/usr/lib/xen/boot/ovmf-pvh.bin",  // EVE-OS
    "/usr/lib64/xen/boot/XEN_EFI.fd",  // CentOS Virtualization SIG: xen (xen.spec)
};
constexpr std::array<std::string_view, 0> kNoPaths = {};

struct BuiltIn {
  Architecture architecture;
  std::string_view name;
  std::span<const std::string_view> paths;
  std::string_view remedy;  ///< what to install
};

constexpr std::array<BuiltIn, 4> kBuiltIn = {
    BuiltIn{
        Architecture::kX86, "ovmf", kOvmfX86,
        "install edk2-ovmf-xen (Fedora), qemu-ovmf-x86_64 (openSUSE, SLES), ovmf-xen (Alpine) or edk2 "
        "(XenServer, XCP-ng), or build EDK II's OvmfPkg/OvmfXen.dsc; Debian 12's ovmf is not built for Xen: "
        "there --firmware=pvgrub, of grub-xen-host, is what a package has"},
    BuiltIn{
        Architecture::kX86, "pvgrub", kPvgrubX86,
        "install grub-xen-host (Debian, Ubuntu) or grub2-xen-pvh (Qubes OS), or make one with grub-mkimage "
        "-O i386-xen_pvh"},
    BuiltIn{Architecture::kArm64, "ovmf", kOvmfArm64,
            "no common distribution packages it: build EDK II's ArmVirtPkg/ArmVirtXen.dsc"},
    BuiltIn{Architecture::kArm64, "uboot", kNoPaths,
            "no common distribution packages it: build U-Boot with xenguest_arm64_defconfig"},
};

const BuiltIn* find_built_in(std::string_view name, Architecture architecture) {
  for (const BuiltIn& entry : kBuiltIn)
    if (entry.name == name && entry.architecture == architecture) return &entry;
  return nullptr;
}

const FirmwareEntry* find_configured(const HostConfiguration& configuration, std::string_view name) {
  for (const FirmwareEntry& entry : configuration.firmware)
    if (entry.name == name) return &entry;
  return nullptr;
}

std::string known_names(const HostConfiguration& configuration, Architecture architecture) {
  std::vector<std::string> names;
  for (const BuiltIn& entry : kBuiltIn)
    if (entry.architecture == architecture) names.emplace_back(entry.name);
  for (const FirmwareEntry& entry : configuration.firmware)
    if (std::ranges::find(names, entry.name) == names.end()) names.push_back(entry.name);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

// What a file is there, or why not: its `fd` is not valid, and `reason` says so in a few words.
struct Attempt {
  FirmwareFile file;
  std::string reason;
};

Attempt try_open(std::string_view name, const std::string& path) {
  Attempt attempt{.file = {.name = std::string(name), .path = path, .fd = {}, .size = 0}, .reason = {}};
  // O_NONBLOCK: opening a FIFO would wait.
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status{};
  if (!fd.valid() || fstat(fd.get(), &status) != 0) {
    const char* text = strerrordesc_np(errno);
    attempt.reason = text != nullptr ? text : "cannot open it";
  } else if (!S_ISREG(status.st_mode)) {
    attempt.reason = "not a regular file";
  } else if (status.st_size == 0) {
    attempt.reason = "an empty file";
  } else {
    attempt.file.fd = std::move(fd);
    attempt.file.size = static_cast<std::uint64_t>(status.st_size);
  }
  return attempt;
}

}  // namespace

Result<void> check_firmware_choice(std::string_view name_or_path) {
  // From behind the last '/' on; npos + 1 is 0.
  std::string name(name_or_path.substr(name_or_path.rfind('/') + 1));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool is_path = name_or_path.find('/') != std::string_view::npos;
  if (!is_path && name == "uefi")
    return fail(ErrorCode::kUsage,
                "the firmware name uefi means something else on each host; say ovmf, or a file's path");
  if (!is_path && name == "bios")
    return fail(
        ErrorCode::kUsage,
        "the firmware name bios means something else on each host, and a BIOS needs an HVM domain; for a "
        "PVH domain say ovmf or pvgrub, or a file's path");
  const std::string_view stem = std::string_view(name).substr(0, name.find('.'));
  for (const std::string_view refused : {"hvmloader", "seabios", "rombios", "bios-256k"}) {
    if (!stem.starts_with(refused)) continue;
    const std::string_view rest = stem.substr(refused.size());
    if (!rest.empty() && rest[0] != '-' && rest[0] != '_') continue;
    return fail(
        ErrorCode::kUsage,
        std::string(name_or_path) +
            " is firmware of HVM domains: it has no PVH entry, and is started by hvmloader and a device "
            "model, which a PVH domain has not; take ovmf or pvgrub, or set type = \"hvm\" in xl.cfg "
            "and leave the bootloader out");
  }
  return {};
}

std::vector<std::string> firmware_search_list(const HostConfiguration& configuration, std::string_view name,
                                              Architecture architecture) {
  std::vector<std::string> paths;
  if (const FirmwareEntry* entry = find_configured(configuration, name)) paths = entry->paths;
  if (const BuiltIn* entry = find_built_in(name, architecture))
    paths.insert(paths.end(), entry->paths.begin(), entry->paths.end());
  return paths;
}

Result<FirmwareFile> find_firmware(const HostConfiguration& configuration, std::string_view name_or_path,
                                   Architecture architecture) {
  PVHGRUB_TRY(check_firmware_choice(name_or_path));
  const std::string name(name_or_path);
  if (name.find('/') != std::string::npos) {
    Attempt attempt = try_open(name, name);
    if (attempt.file.fd.valid()) return std::move(attempt.file);
    return fail(ErrorCode::kNotFound,
                "cannot take it as the firmware: " + attempt.reason +
                    "; --firmware wants a file or one of these "
                    "names: " +
                    known_names(configuration, architecture),
                name);
  }
  const BuiltIn* built_in = find_built_in(name, architecture);
  if (built_in == nullptr && find_configured(configuration, name) == nullptr)
    return fail(ErrorCode::kUsage, "no firmware is called '" + name + "' on this architecture; known are: " +
                                       known_names(configuration, architecture) +
                                       "; a path holds a '/', and [firmware] in pvhgrub.conf adds names");
  std::string looked_at;
  for (const std::string& path : firmware_search_list(configuration, name, architecture)) {
    Attempt attempt = try_open(name, path);
    if (attempt.file.fd.valid()) return std::move(attempt.file);
    looked_at += (looked_at.empty() ? "" : ", ") + path + " (" + attempt.reason + ")";
  }
  std::string message = "the firmware " + name + " is not on this host";
  message += looked_at.empty() ? "; it has no common place to look at" : "; looked at " + looked_at;
  if (built_in != nullptr) message += "; " + std::string(built_in->remedy);
  message += "; where it lies elsewhere, name it in pvhgrub.conf: [firmware] " + name + " = \"PATH\"";
  return fail(ErrorCode::kNotFound, std::move(message));
}

}  // namespace pvhgrub::broker
