// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/image_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>
#include <span>
#include <utility>

#include "bootimage/pe.h"

namespace pvhgrub::bootimage {
namespace {

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return "0x" + std::string(digits.data(), result.ptr);
}

// Linux, Documentation/arch/x86/boot.rst: brought xloadflags.
constexpr std::uint16_t kProtocolOf64Bit = 0x020C;

struct NoteName {
  XenNoteType type;
  std::string_view name;
};

constexpr std::array kNoteNames = {
    NoteName{XenNoteType::kGuestOs, "guest-os"},
    NoteName{XenNoteType::kGuestVersion, "guest-version"},
    NoteName{XenNoteType::kXenVersion, "xen-version"},
    NoteName{XenNoteType::kLoader, "loader"},
    NoteName{XenNoteType::kFeatures, "features"},
    NoteName{XenNoteType::kSupportedFeatures, "supported-features"},
    NoteName{XenNoteType::kPhysical32Entry, "phys32-entry"},
    NoteName{XenNoteType::kPhysical32Relocation, "phys32-relocation"},
    NoteName{XenNoteType::kEntry, "pv-entry"},
    NoteName{XenNoteType::kHypercallPage, "hypercall-page"},
    NoteName{XenNoteType::kVirtualBase, "virtual-base"},
    NoteName{XenNoteType::kPhysicalOffset, "physical-offset"},
    NoteName{XenNoteType::kInitialP2m, "initial-p2m"},
    NoteName{XenNoteType::kPaeMode, "pae-mode"},
    NoteName{XenNoteType::kHypervisorStart, "hypervisor-start"},
    NoteName{XenNoteType::kL1MachineFrameValid, "l1-mfn-valid"},
    NoteName{XenNoteType::kSuspendCancel, "suspend-cancel"},
    NoteName{XenNoteType::kModuleStartFrame, "module-start-frame"},
    NoteName{XenNoteType::kBsdSymbols, "bsd-symbols"},
    NoteName{XenNoteType::kInfo, "info"},
};

std::string_view source_name(XenNotes::Source source) {
  switch (source) {
    case XenNotes::Source::kSegments:
      return "segments";
    case XenNotes::Source::kSections:
      return "sections";
    case XenNotes::Source::kGuestSection:
      return "__xen_guest";
    case XenNotes::Source::kNone:
      break;
  }
  return "none";
}

std::string join(const std::vector<std::string>& texts, std::string_view between) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : std::string(between)) + text;
  return result;
}

// Before boot protocol 2.12 the header does not tell of 64 bits.
std::string x86_machine(const KernelImage& image) {
  if (image.bzimage->is_64) return "x86-64";
  if (image.efi_stub) return pe_machine_name(*image.efi_stub);
  return image.bzimage->protocol >= kProtocolOf64Bit ? "32-bit x86" : "x86";
}

// Of the layers, from the inside; empty where none tells.
std::string machine_of(const KernelImage& image) {
  if (image.elf) return elf_machine_name(image.elf->image.header.machine);
  for (const ImageLayer& layer : image.layers | std::views::reverse) {
    if (layer.kind == ImageKind::kArm64Image) return "arm64";
    if (layer.kind == ImageKind::kArm32Image) return "32-bit ARM";
    if (layer.kind == ImageKind::kBzImage && image.bzimage) return x86_machine(image);
  }
  return image.efi_stub ? pe_machine_name(*image.efi_stub) : "";
}

class FactList {
 public:
  explicit FactList(const KernelImage& image) : image_(image) {}

  std::vector<ImageFact> collect() {
    add_layers();
    if (image_.bzimage) add_bzimage(*image_.bzimage);
    add_efi_stub();
    if (image_.arm64) add_arm64(*image_.arm64);
    add_compression();
    if (image_.elf) add_elf(*image_.elf);
    add("problem", image_.problem);
    add("notices", join(image_.notices, "; "));
    return std::move(facts_);
  }

 private:
  void add(std::string_view name, std::string value) {
    if (!value.empty()) facts_.push_back({name, std::move(value)});
  }
  void add_number(std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); }
  void add_flag(std::string_view name, bool value) { add(name, value ? "yes" : "no"); }

  void add_layers() {
    const ImageKind outer = image_.layers.front().kind;
    add("format", std::string(format_name(outer, image_)));
    if (image_.kind() != outer) add("contents", std::string(format_name(image_.kind(), image_)));
    std::vector<std::string> names;
    names.reserve(image_.layers.size());
    for (const ImageLayer& layer : image_.layers) names.push_back(layer.name);
    add("layers", join(names, ", "));
    add("machine", machine_of(image_));
    if (image_.bzimage) add("version", image_.bzimage->version);
    if (!image_.bzimage || image_.bzimage->version.empty())
      add("version", image_.elf ? image_.elf->notes.linux_build : "");
  }

  void add_bzimage(const BzImage& image) {
    add("boot-protocol", image.protocol_text());
    add_number("setup-size", image.setup_size);
    if (image.init_size != 0) add_number("init-size", image.init_size);
    if (image.protocol >= kProtocolOf64Bit) add_flag("64-bit", image.is_64);
    add_flag("relocatable", image.is_relocatable);
    add_number("command-line-size", image.command_line_size);
  }

  void add_efi_stub() {
    const bool can_have_one = std::ranges::any_of(image_.layers, [](const ImageLayer& layer) {
      return layer.kind == ImageKind::kBzImage || layer.kind == ImageKind::kArm64Image ||
             layer.kind == ImageKind::kEfiZboot;
    });
    if (can_have_one) add_flag("efi-stub", image_.efi_stub.has_value());
  }

  void add_arm64(const Arm64Image& image) {
    add_number("text-offset", image.text_offset);
    if (image.image_size != 0) add_number("memory-size", image.image_size);
    if (image.page_kib != 0) add_number("page-size", std::uint64_t{image.page_kib} * 1024);
    add("byte-order", image.is_big_endian ? "big-endian" : "little-endian");
  }

  void add_compression() {
    const auto inside_out = image_.layers | std::views::reverse;
    const auto stream = std::ranges::find(inside_out, ImageKind::kCompressed, &ImageLayer::kind);
    if (stream == inside_out.end()) return;
    add("compression", stream->name);
    add_number("compressed-size", stream->range.size);
    // The layer in it, if it was read, has the whole of what came out.
    if (stream != inside_out.begin())
      add_number("decompressed-size", std::prev(stream)->range.size);
    else if (image_.compressed && image_.compressed->declared)
      add_number("decompressed-size", *image_.compressed->declared);
  }

  void add_elf(const XenElf& elf) {
    add_number("elf-class", elf.image.header.is_64 ? 64 : 32);
    add("entry", hexadecimal(elf.image.header.entry));
    if (elf.image.memory) {
      add("loaded-from", hexadecimal(elf.image.memory->start));
      add("loaded-to", hexadecimal(elf.image.memory->end));
    }
    if (elf.multiboot != 0) add_number("multiboot", elf.multiboot);
    add("xen-notes", std::string(source_name(elf.notes.source)));
    add_flag("pvh", elf.support.pvh_entry.has_value());
    if (elf.support.pvh_entry) add("pvh-entry", hexadecimal(*elf.support.pvh_entry));
    add("no-pvh", elf.support.no_pvh);
    add_flag("pv", elf.support.pv);
    add("no-pv", elf.support.no_pv);
    for (const NoteName& known : kNoteNames) add_note(known, elf.notes.notes);
  }

  void add_note(const NoteName& known, std::span<const XenNote> notes) {
    const auto last_first = notes | std::views::reverse;
    const auto note = std::ranges::find(last_first, known.type, &XenNote::type);
    if (note == last_first.end()) return;
    std::vector<std::string> numbers;
    for (const std::uint64_t number : note->numbers) numbers.push_back(hexadecimal(number));
    add(known.name, numbers.empty() ? note->text : join(numbers, " "));
  }

  const KernelImage& image_;
  std::vector<ImageFact> facts_;
};

}  // namespace

std::string_view format_name(ImageKind kind, const KernelImage& image) {
  switch (kind) {
    case ImageKind::kElf:
      return "elf";
    case ImageKind::kBzImage:
      return image.bzimage && !image.bzimage->is_loaded_high ? "zimage" : "bzimage";
    case ImageKind::kArm64Image:
      return "arm64-image";
    case ImageKind::kArm32Image:
      return "arm-zimage";
    case ImageKind::kEfiZboot:
      return "efi-zboot";
    case ImageKind::kUnifiedImage:
      return "unified-image";
    case ImageKind::kEfiProgram:
      return "efi-program";
    case ImageKind::kCompressed:
      return "compressed";
    case ImageKind::kXenBinary:
      return "xen-binary";
    case ImageKind::kMultiboot:
      return "multiboot";
    case ImageKind::kUboot:
      return "uimage";
    case ImageKind::kOther:
      break;
  }
  return "other";
}

std::vector<ImageFact> facts_of(const KernelImage& image) {
  return FactList(image).collect();
}

}  // namespace pvhgrub::bootimage
