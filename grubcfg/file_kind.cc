// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/file_kind.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"

namespace pvhgrub::grubcfg {

namespace {

using namespace std::string_view_literals;

struct Option {
  std::string_view name;
  FileKind kind;
};

constexpr std::array kOptions = {
    Option{"is-i386-xen-pae-domu", FileKind::kXen32Guest},
    Option{"is-x86_64-xen-domu", FileKind::kXen64Guest},
    Option{"is-x86-xen-dom0", FileKind::kXenControlDomain},
    Option{"is-x86-multiboot", FileKind::kMultiboot},
    Option{"is-x86-multiboot2", FileKind::kMultiboot2},
    Option{"is-arm-linux", FileKind::kArmLinux},
    Option{"is-arm64-linux", FileKind::kArm64Linux},
    Option{"is-loongarch64-linux", FileKind::kLoongArch64Linux},
    Option{"is-ia64-linux", FileKind::kIa64Linux},
    Option{"is-mips-linux", FileKind::kMipsLinux},
    Option{"is-mipsel-linux", FileKind::kMipselLinux},
    Option{"is-sparc64-linux", FileKind::kSparc64Linux},
    Option{"is-powerpc-linux", FileKind::kPowerPcLinux},
    Option{"is-x86-linux", FileKind::kX86Linux},
    Option{"is-x86-linux32", FileKind::kX86Linux32},
    Option{"is-x86-kfreebsd", FileKind::kFreeBsd},
    Option{"is-i386-kfreebsd", FileKind::kFreeBsd32},
    Option{"is-x86_64-kfreebsd", FileKind::kFreeBsd64},
    Option{"is-x86-knetbsd", FileKind::kNotKnownHere},
    Option{"is-i386-knetbsd", FileKind::kNotKnownHere},
    Option{"is-x86_64-knetbsd", FileKind::kNotKnownHere},
    Option{"is-i386-efi", FileKind::kEfi386},
    Option{"is-x86_64-efi", FileKind::kEfiX64},
    Option{"is-ia64-efi", FileKind::kEfiIa64},
    Option{"is-arm64-efi", FileKind::kEfiArm64},
    Option{"is-arm-efi", FileKind::kEfiArm},
    Option{"is-riscv32-efi", FileKind::kEfiRiscv},
    Option{"is-riscv64-efi", FileKind::kEfiRiscv},
    Option{"is-loongarch64-efi", FileKind::kEfiLoongArch64},
    Option{"is-hibernated-hiberfil", FileKind::kHibernationImage},
    Option{"is-x86_64-xnu", FileKind::kNotKnownHere},
    Option{"is-i386-xnu", FileKind::kNotKnownHere},
    Option{"is-xnu-hibr", FileKind::kNotKnownHere},
    Option{"is-x86-bios-bootsector", FileKind::kBootSector},
};

/// The notes of a kernel are a few hundred bytes; Linux's have some 600.
constexpr std::uint64_t kNotesBytes = 64 * std::uint64_t{1024};
constexpr std::size_t kProgramHeaders = 64;

/// Numbers anywhere in a file. What lies past its end is no value; a file that cannot be read is an error
/// that is kept until the question is answered.
class Probe {
 public:
  explicit Probe(fs::File& file) : file_(file) {}

  [[nodiscard]] std::uint64_t size() const { return file_.size(); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  std::optional<std::vector<std::byte>> bytes(std::uint64_t offset, std::size_t count) {
    if (error_ || !range_inside<std::uint64_t>(offset, count, file_.size())) return std::nullopt;
    std::vector<std::byte> bytes(count);
    auto read = file_.read(offset, bytes);
    if (!read) {
      error_ = std::move(read).error();
      return std::nullopt;
    }
    if (*read != count) return std::nullopt;
    return bytes;
  }

  bool has_text(std::uint64_t offset, std::string_view text) {
    const auto found = bytes(offset, text.size());
    return found && as_text(*found) == text;
  }

  template <std::unsigned_integral T>
  std::optional<T> number(std::uint64_t offset, bool big_endian = false) {
    const auto found = bytes(offset, sizeof(T));
    if (!found) return std::nullopt;
    ByteReader reader(*found);
    const Result<T> value = big_endian ? reader.big_endian<T>() : reader.little_endian<T>();
    return value ? std::optional<T>(*value) : std::nullopt;
  }

  template <std::unsigned_integral T>
  bool has(std::uint64_t offset, T value) {
    return number<T>(offset) == value;
  }

 private:
  fs::File& file_;
  std::optional<Error> error_;
};

// --- ELF (System V ABI, "Object Files")

constexpr std::uint8_t kClass32 = 1;
constexpr std::uint8_t kClass64 = 2;
constexpr std::uint8_t kLittleEndian = 1;
constexpr std::uint8_t kBigEndian = 2;
constexpr std::uint8_t kFreeBsdAbi = 9;
constexpr std::uint16_t kExecutable = 2;
constexpr std::uint16_t kShared = 3;
constexpr std::uint16_t kMachine386 = 3;
constexpr std::uint16_t kMachineMips = 8;
constexpr std::uint16_t kMachinePowerPc = 20;
constexpr std::uint16_t kMachinePowerPc64 = 21;
constexpr std::uint16_t kMachineSparc64 = 43;
constexpr std::uint16_t kMachineIa64 = 50;
constexpr std::uint16_t kMachineX64 = 62;

struct ElfHeader {
  std::uint8_t file_class = 0;
  std::uint8_t encoding = 0;
  std::uint8_t abi = 0;
  std::uint16_t type = 0;
  std::uint16_t machine = 0;
};

std::optional<ElfHeader> elf_header(Probe& probe) {
  if (!probe.has_text(0,
                      "\x7f"
                      "ELF"sv))
    return std::nullopt;
  const auto file_class = probe.number<std::uint8_t>(4);
  const auto encoding = probe.number<std::uint8_t>(5);
  const auto abi = probe.number<std::uint8_t>(7);
  const bool big = encoding == kBigEndian;
  const auto type = probe.number<std::uint16_t>(16, big);
  const auto machine = probe.number<std::uint16_t>(18, big);
  const bool current = probe.has<std::uint8_t>(6, 1) && probe.number<std::uint32_t>(20, big) == 1U;
  if (!file_class || !encoding || !abi || !type || !machine || !current) return std::nullopt;
  return ElfHeader{*file_class, *encoding, *abi, *type, *machine};
}

bool is_elf_linux(Probe& probe, FileKind kind) {
  const std::optional<ElfHeader> header = elf_header(probe);
  if (!header) return false;
  const bool big = header->encoding == kBigEndian;
  switch (kind) {
    case FileKind::kIa64Linux:
      return header->machine == kMachineIa64 && header->file_class == kClass64 && !big;
    case FileKind::kSparc64Linux:
      return header->machine == kMachineSparc64 && header->file_class == kClass64 && big &&
             header->type == kExecutable;
    case FileKind::kPowerPcLinux:
      return (header->machine == kMachinePowerPc || header->machine == kMachinePowerPc64) && big &&
             (header->type == kExecutable || header->type == kShared);
    case FileKind::kMipsLinux:
      return header->machine == kMachineMips && big && header->type == kExecutable;
    case FileKind::kMipselLinux:
      return header->machine == kMachineMips && !big && header->type == kExecutable;
    default:
      return false;
  }
}

bool is_free_bsd(Probe& probe, bool allow32, bool allow64) {
  const std::optional<ElfHeader> header = elf_header(probe);
  if (!header || header->encoding != kLittleEndian || header->abi != kFreeBsdAbi ||
      header->type != kExecutable)
    return false;
  return (allow32 && header->machine == kMachine386 && header->file_class == kClass32) ||
         (allow64 && header->machine == kMachineX64 && header->file_class == kClass64);
}

// --- Xen (xen/include/public/elfnote.h)

struct XenNotes {
  bool any = false;
  bool pae = false;  ///< PAE_MODE says "yes" or "bimodal"
};

constexpr std::uint32_t kPaeModeNote = 9;

/// Reads what one run of notes holds; `alignment` of names and descriptions is 4.
void read_notes(Bytes bytes, XenNotes& notes) {
  ByteReader reader(bytes);
  const auto padded = [](std::uint32_t length) { return (std::uint64_t{length} + 3) & ~std::uint64_t{3}; };
  while (reader.remaining() >= 12) {
    const auto name_size = reader.little_endian<std::uint32_t>();
    const auto text_size = reader.little_endian<std::uint32_t>();
    const auto type = reader.little_endian<std::uint32_t>();
    if (!name_size || !text_size || !type) return;
    if (padded(*name_size) > reader.remaining()) return;
    const auto name = reader.take(static_cast<std::size_t>(padded(*name_size)));
    if (!name || padded(*text_size) > reader.remaining()) return;
    const auto text = reader.take(static_cast<std::size_t>(padded(*text_size)));
    if (!text || *name_size != 4 || as_text(*name) != "Xen\0"sv) continue;
    notes.any = true;
    if (*type == kPaeModeNote)
      notes.pae = as_text(*text).starts_with("yes") || as_text(*text).starts_with("bimodal");
  }
}

XenNotes xen_notes(Probe& probe, const ElfHeader& header) {
  constexpr std::uint32_t kNoteSegment = 4;
  XenNotes notes;
  const bool wide = header.file_class == kClass64;
  const auto table = wide ? probe.number<std::uint64_t>(32)
                          : std::optional<std::uint64_t>(probe.number<std::uint32_t>(28).value_or(0));
  const auto entry_size = probe.number<std::uint16_t>(wide ? 54 : 42);
  const auto count = probe.number<std::uint16_t>(wide ? 56 : 44);
  if (!table || !entry_size || !count) return notes;
  for (std::size_t i = 0; i < std::min<std::size_t>(*count, kProgramHeaders); ++i) {
    const auto place = checked_add<std::uint64_t>(*table, std::uint64_t{*entry_size} * i);
    if (!place || !probe.has<std::uint32_t>(*place, kNoteSegment)) continue;
    const auto offset =
        wide ? probe.number<std::uint64_t>(*place + 8)
             : std::optional<std::uint64_t>(probe.number<std::uint32_t>(*place + 4).value_or(0));
    const auto size =
        wide ? probe.number<std::uint64_t>(*place + 32)
             : std::optional<std::uint64_t>(probe.number<std::uint32_t>(*place + 16).value_or(0));
    if (!offset || !size) continue;
    const auto bytes = probe.bytes(*offset, static_cast<std::size_t>(std::min(*size, kNotesBytes)));
    if (bytes) read_notes(*bytes, notes);
  }
  return notes;
}

bool is_xen_kernel(Probe& probe, FileKind kind) {
  const std::optional<ElfHeader> header = elf_header(probe);
  if (!header || header->encoding != kLittleEndian) return false;
  const XenNotes notes = xen_notes(probe, *header);
  if (!notes.any) return false;
  if (kind == FileKind::kXen64Guest) return header->machine == kMachineX64;
  if (kind == FileKind::kXen32Guest) return header->machine == kMachine386 && notes.pae;
  return true;
}

// --- Other headers

/// Multiboot 0.6.96, section 3.1.1; Multiboot2 2.0, section 3.1.1: magic and checksum in the file's first
/// part.
bool has_multiboot_header(Probe& probe, std::uint32_t magic, std::size_t searched, std::size_t step,
                          std::size_t numbers) {
  const auto bytes =
      probe.bytes(0, static_cast<std::size_t>(std::min<std::uint64_t>(searched, probe.size())));
  if (!bytes || bytes->size() < 32) return false;
  for (std::size_t offset = 0; offset + 4 * numbers <= bytes->size(); offset += step) {
    ByteReader reader(Bytes(*bytes).subspan(offset));
    std::uint32_t sum = 0;
    std::uint32_t first = 0;
    for (std::size_t i = 0; i < numbers; ++i) {
      const std::uint32_t value = reader.little_endian<std::uint32_t>().value_or(0);
      if (i == 0) first = value;
      sum += value;
    }
    if (first == magic && sum == 0) return true;
  }
  return false;
}

/// Linux, Documentation/arch/x86/boot.rst.
bool is_x86_linux(Probe& probe, bool enters_in_32_bits) {
  constexpr std::uint64_t kHeaderEnd = 0x268;
  constexpr std::uint8_t kLongestSetup = 64;
  const auto setup_sectors = probe.number<std::uint8_t>(0x1F1);
  const auto version = probe.number<std::uint16_t>(0x206);
  if (probe.size() < kHeaderEnd || !setup_sectors || *setup_sectors > kLongestSetup || !version) return false;
  if (!probe.has<std::uint16_t>(0x1FE, 0xAA55) || !probe.has_text(0x202, "HdrS") || *version < 0x0200)
    return false;
  if (!enters_in_32_bits) return true;
  const auto flags = probe.number<std::uint8_t>(0x211);
  return *version >= 0x0203 && flags && (*flags & 1) != 0;
}

/// Microsoft's PE format, "COFF File Header" and "Optional Header".
bool is_efi(Probe& probe, std::uint16_t machine, bool wide) {
  constexpr std::uint16_t kEfiApplication = 10;
  const auto pe = probe.number<std::uint32_t>(0x3C);
  if (!probe.has_text(0, "MZ") || !pe || !probe.has_text(*pe, "PE\0\0"sv)) return false;
  const std::uint64_t optional_header = std::uint64_t{*pe} + 24;
  return probe.has<std::uint16_t>(std::uint64_t{*pe} + 4, machine) &&
         probe.has<std::uint16_t>(optional_header, wide ? 0x20B : 0x10B) &&
         probe.has<std::uint16_t>(optional_header + 68, kEfiApplication);
}

/// Linux, Documentation/arch/arm64/booting.rst and arch/loongarch: the PE header tells the machine.
bool is_efi_stub_linux(Probe& probe, std::uint16_t machine) {
  const auto pe = probe.number<std::uint32_t>(0x3C);
  return probe.size() >= 64 && probe.has_text(0, "MZ") && pe && probe.has_text(*pe, "PE\0\0"sv) &&
         probe.has<std::uint16_t>(std::uint64_t{*pe} + 4, machine);
}

bool is_compressed(Probe& probe) {
  return probe.has_text(0, "\x1f\x8b") || probe.has_text(0,
                                                         "\xfd"
                                                         "7zXZ"sv);
}

bool check(Probe& probe, FileKind kind) {
  constexpr std::uint16_t kPe386 = 0x14C;
  constexpr std::uint16_t kPeIa64 = 0x200;
  constexpr std::uint16_t kPeArmThumb = 0x1C2;
  constexpr std::uint16_t kPeRiscv64 = 0x5064;
  constexpr std::uint16_t kPeLoongArch64 = 0x6264;
  constexpr std::uint16_t kPeX64 = 0x8664;
  constexpr std::uint16_t kPeArm64 = 0xAA64;
  switch (kind) {
    case FileKind::kXen32Guest:
    case FileKind::kXen64Guest:
    case FileKind::kXenControlDomain:
      return is_xen_kernel(probe, kind);
    case FileKind::kMultiboot:
      return has_multiboot_header(probe, 0x1BADB002, 8192, 4, 3);
    case FileKind::kMultiboot2:
      return has_multiboot_header(probe, 0xE85250D6, 32768, 8, 4);
    case FileKind::kArmLinux:
      return probe.size() >= 64 &&
             (probe.has<std::uint32_t>(0, 0xEA000006) || probe.has<std::uint32_t>(0x24, 0x016F2818));
    case FileKind::kArm64Linux:
      return is_efi_stub_linux(probe, kPeArm64);
    case FileKind::kLoongArch64Linux:
      return is_efi_stub_linux(probe, kPeLoongArch64);
    case FileKind::kIa64Linux:
    case FileKind::kMipsLinux:
    case FileKind::kMipselLinux:
    case FileKind::kSparc64Linux:
    case FileKind::kPowerPcLinux:
      return is_elf_linux(probe, kind);
    case FileKind::kX86Linux:
      return is_x86_linux(probe, false);
    case FileKind::kX86Linux32:
      return is_x86_linux(probe, true);
    case FileKind::kFreeBsd:
      return is_free_bsd(probe, true, true);
    case FileKind::kFreeBsd32:
      return is_free_bsd(probe, true, false);
    case FileKind::kFreeBsd64:
      return is_free_bsd(probe, false, true);
    case FileKind::kEfi386:
      return is_efi(probe, kPe386, false);
    case FileKind::kEfiX64:
      return is_efi(probe, kPeX64, true);
    case FileKind::kEfiIa64:
      return is_efi(probe, kPeIa64, true);
    case FileKind::kEfiArm64:
      return is_efi(probe, kPeArm64, true);
    case FileKind::kEfiArm:
      return is_efi(probe, kPeArmThumb, false);
    case FileKind::kEfiRiscv:
      return is_efi(probe, kPeRiscv64, true);
    case FileKind::kEfiLoongArch64:
      return is_efi(probe, kPeLoongArch64, true);
    case FileKind::kHibernationImage:
      return probe.has_text(0, "hibr") || probe.has_text(0, "HIBR");
    case FileKind::kBootSector:
      return probe.size() == 512 && probe.has<std::uint16_t>(510, 0xAA55);
    case FileKind::kNotKnownHere:
      break;
  }
  return false;
}

bool asks_for_xen(FileKind kind) {
  return kind == FileKind::kXen32Guest || kind == FileKind::kXen64Guest ||
         kind == FileKind::kXenControlDomain;
}

}  // namespace

std::optional<FileKind> find_file_kind(std::string_view option) {
  const auto found = std::ranges::find(kOptions, option, &Option::name);
  return found != kOptions.end() ? std::optional(found->kind) : std::nullopt;
}

Result<bool> is_of_kind(fs::File& file, FileKind kind) {
  Probe probe(file);
  if (kind == FileKind::kNotKnownHere)
    return fail(ErrorCode::kUnsupported, "kernels of that kind are not known here");
  // GRUB would look inside.
  if (is_compressed(probe)) return fail(ErrorCode::kUnsupported, "it is compressed, and is not looked into");
  if (asks_for_xen(kind) && is_x86_linux(probe, false))
    return fail(ErrorCode::kUnsupported,
                "it is a bzImage, whose payload is compressed and is not looked into");
  const bool is = check(probe, kind);
  if (probe.error()) return std::unexpected(*probe.error());
  return is;
}

}  // namespace pvhgrub::grubcfg
