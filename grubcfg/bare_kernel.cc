// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bare_kernel.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "bootimage/elf.h"
#include "grubcfg/block_list_file.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

namespace {

/// Xen's document lets a first loader (pvhgrub in this) start the guest's own. Debian's grub-xen-host does so
/// before it looks for a grub.cfg; here they come after all configurations that can be read: what lies there
/// is GRUB, which would read the guest's grub.cfg as pvhgrub has done, and it is a PV kernel, which a PVH
/// guest cannot start. `grub-install --target=i386-xen_pvh` puts its PVH kernel beside GRUB's modules, for no
/// document names a place. The document wants /boot before the root of a file system of its own, and no i686.
constexpr std::array<std::string_view, 8> kPlaces = {"/boot/kernel.elf",
                                                     "/kernel.elf",
                                                     "/boot/grub/i386-xen_pvh/core.img",
                                                     "/grub/i386-xen_pvh/core.img",
                                                     "/boot/xen/pvboot-x86_64.elf",
                                                     "/xen/pvboot-x86_64.elf",
                                                     "/boot/xen/pvboot-i386.elf",
                                                     "/xen/pvboot-i386.elf"};

/// The bytes of a device, for those who inspect images.
class DeviceBytes final : public bootimage::ByteSource {
 public:
  explicit DeviceBytes(fs::BlockSource& device) : device_(device) {}
  [[nodiscard]] std::uint64_t size() const override { return device_.size(); }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (!range_inside<std::uint64_t>(offset, out.size(), size()))
      return fail(ErrorCode::kDamaged, "the image passes the end of the disk");
    return device_.read_at(offset, out);
  }

 private:
  fs::BlockSource& device_;
};

/// The first byte behind all that the image's headers name; sections without bytes in the image, and those
/// that lie outside of the disk, do not count.
std::uint64_t end_of_image(const bootimage::ElfImage& image,
                           const std::vector<bootimage::ElfSection>& sections, std::uint64_t disk_size) {
  constexpr std::uint32_t kNoBits = 8;  // System V ABI, chapter 4, SHT_NOBITS
  std::uint64_t end = 0;
  const auto include = [&](std::uint64_t offset, std::uint64_t size) {
    if (range_inside(offset, size, disk_size)) end = std::max(end, offset + size);
  };
  include(image.header.program_headers.offset, image.header.program_headers.size());
  include(image.header.section_headers.offset, image.header.section_headers.size());
  for (const bootimage::ElfSegment& segment : image.segments) include(segment.offset, segment.file_size);
  for (const bootimage::ElfSection& section : sections)
    if (static_cast<std::uint32_t>(section.type) != kNoBits) include(section.offset, section.size);
  return end;
}

std::string title_of(const ConfigurationSource& source) {
  if (is_block_list(source.path)) return "the kernel on disk " + source.device;
  return source.path.substr(source.path.rfind('/') + 1);
}

}  // namespace

Result<std::vector<std::string>> find_bare_kernels(GuestFiles files, const std::string& device) {
  std::vector<std::string> found;
  for (const std::string_view place : kPlaces) {
    PVHGRUB_TRY_ASSIGN(const bool there, files.is_file({device, std::string(place)}));
    if (there) found.emplace_back(place);
  }
  return found;
}

Result<std::optional<std::string>> find_kernel_on_disk(fs::Devices& devices, const fs::Device& disk,
                                                       Budget& budget, Diagnostics& diagnostics) {
  constexpr std::uint64_t kSectorBytes = 512;
  constexpr std::size_t kMagicBytes = 16;
  if (disk.name.find(',') != std::string::npos || !devices.partitions(disk.name).empty()) return std::nullopt;
  fs::BlockSource* const source = devices.source(disk.name);
  if (source == nullptr || source->size() < kSectorBytes) return std::nullopt;
  PVHGRUB_TRY(budget.charge_bytes(kMagicBytes, "looking for kernels on disks"));
  std::array<std::byte, kMagicBytes> start{};
  if (!source->read_at(0, start) || !bootimage::is_elf(start)) return std::nullopt;
  DeviceBytes bytes(*source);
  Result<bootimage::ElfImage> image = bootimage::read_elf_image(bytes, budget);
  std::vector<bootimage::ElfSection> sections;
  if (image) {
    // Nothing is loaded by sections, so a broken table of them only leaves the symbols out.
    Result<std::vector<bootimage::ElfSection>> read =
        bootimage::read_elf_sections(bytes, image->header, budget);
    if (read) sections = std::move(*read);
    if (!read && is_fatal(read.error())) return std::unexpected(at(disk.name, std::move(read).error()));
  } else {
    if (is_fatal(image.error())) return std::unexpected(at(disk.name, std::move(image).error()));
    diagnostics.notice(disk.name, "the disk begins with an ELF image that is no kernel for this machine: " +
                                      image.error().describe());
    return std::nullopt;
  }
  const std::uint64_t end = end_of_image(*image, sections, source->size());
  // A block list counts whole sectors; one that the disk has only a part of is none.
  const std::uint64_t count =
      std::min(end / kSectorBytes + (end % kSectorBytes == 0 ? 0 : 1), source->size() / kSectorBytes);
  return "0+" + std::to_string(count);
}

Result<std::unique_ptr<Menu>> load_bare_kernel_menu(const MenuContext& context,
                                                    const ConfigurationSource& source) {
  std::vector<PlainEntry> entries(1);
  PlainEntry& entry = entries.front();
  entry.shown.title = entry.shown.id = title_of(source);
  entry.boot.kind = BootEntry::Kind::kLinux;
  entry.boot.loader_command = "elf";
  entry.boot.kernel = {source.device, source.path};
  entry.source = entry.boot.kernel.to_string() + "\n";
  PlainMenuSettings settings;
  settings.timeout = 0;
  settings.timeout_style = TimeoutStyle::kHidden;
  return std::make_unique<PlainMenu>(context, source, std::move(entries), std::move(settings));
}

}  // namespace pvhgrub::grubcfg
