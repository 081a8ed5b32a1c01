// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/kernel_image.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "bootimage/other_image.h"
#include "bootimage/pe.h"

namespace pvhgrub::bootimage {
namespace {

static_assert(kImageStartBytes >= kOtherStartBytes && kImageStartBytes >= kMultibootBytes &&
              kImageStartBytes >= kPeStartBytes && kImageStartBytes >= kSetupHeaderBytes);

constexpr std::uint16_t kEfiApplication = 10;  // of subsystems in PE images; 11 and 12 are drivers

std::string elf_layer_name(const XenElf& elf) {
  const std::uint16_t type = elf.image.header.type;
  const bool is_program = type == kElfTypeExecutable || type == kElfTypeShared;
  std::string name =
      (is_program ? "ELF for " : "ELF object for ") + elf_machine_name(elf.image.header.machine);
  if (elf.multiboot != 0) name += " with a multiboot " + std::to_string(elf.multiboot) + " header";
  return name;
}

// Where a version comes from Linux: "6.1.0 (builder) #1 SMP ...". Other programs that pose as Linux kernels
// (Memtest86+, iPXE) have texts of their own.
bool is_linux_version(std::string_view version) {
  return version.find(" (") != std::string_view::npos && version.find(" #") != std::string_view::npos;
}

std::string elf_system(const XenElf& elf) {
  if (elf.has_grub_modules) return "GRUB";
  const std::string_view guest_os = elf.notes.text(XenNoteType::kGuestOs);
  if (!elf.notes.linux_build.empty()) return "Linux " + elf.notes.linux_build;
  // Linux says "2.6" of every version.
  if (guest_os == "linux") return "Linux";
  const std::string_view version = elf.notes.text(XenNoteType::kGuestVersion);
  return std::string(guest_os) + (version.empty() ? "" : " " + std::string(version));
}

class Inspector {
 public:
  Inspector(ByteSource& whole, Budget& budget) : whole_(whole), budget_(budget) {}

  Result<KernelImage> run() {
    std::optional<ImageRange> range = ImageRange{0, whole_.size()};
    for (unsigned depth = 0; range; ++depth) {
      if (depth == limits::kImageLayers)
        return fail(ErrorCode::kLimit,
                    "an image of more layers than " + std::to_string(limits::kImageLayers));
      PVHGRUB_TRY_ASSIGN(range, read_layer(*range));
    }
    return std::move(image_);
  }

 private:
  // Reads one layer; gives the range of the next one where it lies within as it is.
  Result<std::optional<ImageRange>> read_layer(ImageRange range) {
    PartSource source(whole_, range.offset, range.size);
    PVHGRUB_TRY_ASSIGN(const auto start, read_start(source, kImageStartBytes, budget_, "the image"));
    PVHGRUB_TRY(budget_.charge_steps(start.size() / 4, "looking at the image"));
    const ImageKind kind = recognise_image(start);
    switch (kind) {
      case ImageKind::kElf:
        return read_elf(source, range);
      case ImageKind::kBzImage:
        return read_bz(source, start, range);
      case ImageKind::kArm64Image:
      case ImageKind::kArm32Image:
        return read_arm(start, range);
      case ImageKind::kEfiZboot:
        return read_zboot(source, start, range);
      case ImageKind::kEfiProgram:
      case ImageKind::kUnifiedImage:
        return read_efi(source, range);
      case ImageKind::kCompressed:
        return read_compressed(start, range);
      case ImageKind::kXenBinary:
        return last(kind, "binary with Xen's table for PV guests", range, "");
      case ImageKind::kMultiboot:
        return last(kind, "binary with a multiboot " + std::to_string(multiboot_version(start)) + " header",
                    range, "it is started by a multiboot loader, which Xen has not");
      case ImageKind::kUboot:
        return last(kind, "uImage (" + describe_uimage(start).value_or("") + ")", range,
                    "it is an image for U-Boot, which Xen does not start");
      case ImageKind::kOther:
        return read_other(source, start, range);
    }
    return fail(ErrorCode::kInternal, "an image of no kind");
  }

  void add(ImageKind kind, std::string name, ImageRange range) {
    image_.layers.push_back({kind, std::move(name), range});
  }

  Result<std::optional<ImageRange>> last(ImageKind kind, std::string name, ImageRange range,
                                         std::string problem) {
    add(kind, std::move(name), range);
    image_.problem = std::move(problem);
    return std::optional<ImageRange>();
  }

  Result<std::optional<ImageRange>> read_elf(ByteSource& source, ImageRange range) {
    PVHGRUB_TRY_ASSIGN(XenElf elf, read_xen_elf(source, budget_));
    KernelImage inner = elf_image(std::move(elf), range.size);
    inner.layers.front().range = range;
    image_.add_contents(std::move(inner));
    return std::optional<ImageRange>();
  }

  Result<std::optional<ImageRange>> read_bz(ByteSource& source, Bytes start, ImageRange range) {
    PVHGRUB_TRY_ASSIGN(const BzImage bzimage, read_bzimage(source, budget_));
    add(ImageKind::kBzImage,
        (bzimage.is_loaded_high ? "bzImage" : "zImage") + std::string(" (boot protocol ") +
            bzimage.protocol_text() + ")",
        range);
    image_.bzimage = bzimage;
    image_.efi_stub = pe_machine(start);
    if (bzimage.missing != 0)
      image_.notices.push_back("the image ends " + std::to_string(bzimage.missing) +
                               " bytes before the end that its header tells");
    if (!bzimage.payload) {
      image_.problem = bzimage.protocol < 0x0208 ? "its boot protocol is " + bzimage.protocol_text() +
                                                       ", and Xen starts bzImages from 2.08 (Linux 2.6.26) on"
                                                 : "no compressed kernel lies in it";
      return std::optional<ImageRange>();
    }
    return read_payload(source, *bzimage.payload, range.offset);
  }

  // What lies in a bzImage: almost always a compressed ELF image, with its size behind it.
  Result<std::optional<ImageRange>> read_payload(ByteSource& source, ImageRange payload, std::uint64_t base) {
    const std::uint64_t tail_size = std::min<std::uint64_t>(payload.size, kPayloadTailBytes);
    PartSource part(source, payload.offset, payload.size);
    PVHGRUB_TRY_ASSIGN(const auto start,
                       read_start(part, kCompressionMagicBytes, budget_, "the kernel's payload"));
    PVHGRUB_TRY_ASSIGN(const auto tail, read_bytes(part, payload.size - tail_size, tail_size, budget_,
                                                   "the kernel's payload"));
    const auto compression = recognise_compression(start);
    if (!compression) return std::optional(ImageRange{base + payload.offset, payload.size});
    PVHGRUB_TRY_ASSIGN(const PayloadSize size, payload_size(*compression, payload.size, tail));
    add_compressed(*compression, {base + payload.offset, size.compressed}, size.decompressed);
    return std::optional<ImageRange>();
  }

  void add_compressed(Compression compression, ImageRange range, std::optional<std::uint64_t> declared) {
    add(ImageKind::kCompressed, std::string(compression_name(compression)), range);
    image_.compressed = CompressedLayer{compression, range, declared};
  }

  // A compressed file: its own last bytes may be anything, so they are not asked for its size.
  Result<std::optional<ImageRange>> read_compressed(Bytes start, ImageRange range) {
    const auto compression = recognise_compression(start);
    if (!compression) return fail(ErrorCode::kInternal, "a compression of no kind");
    add_compressed(*compression, range, std::nullopt);
    return std::optional<ImageRange>();
  }

  Result<std::optional<ImageRange>> read_arm(Bytes start, ImageRange range) {
    if (const auto arm64 = read_arm64_image(start)) {
      image_.arm64 = arm64;
      image_.efi_stub = pe_machine(start);
      if (arm64->is_big_endian) image_.notices.emplace_back("the kernel is big-endian");
      std::string pages;
      if (arm64->page_kib != 0) pages = " (" + std::to_string(arm64->page_kib) + " KiB pages)";
      return last(ImageKind::kArm64Image, "Image for arm64" + pages, range, "");
    }
    const auto arm32 = read_arm32_image(start);
    if (arm32 && arm32->size > range.size)
      return fail(ErrorCode::kDamaged, "a damaged zImage: it has " + std::to_string(range.size) + " of " +
                                           std::to_string(arm32->size) + " bytes");
    return last(ImageKind::kArm32Image, "zImage for 32-bit ARM", range, "");
  }

  Result<std::optional<ImageRange>> read_zboot(ByteSource& source, Bytes start, ImageRange range) {
    const auto zboot = read_efi_zboot(start);
    if (!zboot) return fail(ErrorCode::kInternal, "a zboot image of no form");
    add(ImageKind::kEfiZboot, "EFI program with a compressed kernel in it (zboot)", range);
    image_.efi_stub = pe_machine(start);
    if (!range_inside<std::uint64_t>(zboot->payload_offset, zboot->payload_size, range.size))
      return fail(ErrorCode::kDamaged, "a damaged EFI zboot image: its payload (" +
                                           std::to_string(zboot->payload_size) + " bytes at " +
                                           std::to_string(zboot->payload_offset) +
                                           ") ends behind the image's end at " + std::to_string(range.size));
    PartSource part(source, zboot->payload_offset, zboot->payload_size);
    PVHGRUB_TRY_ASSIGN(const auto magic,
                       read_start(part, kCompressionMagicBytes, budget_, "the kernel's payload"));
    const auto compression = recognise_compression(magic);
    if (!compression) {
      image_.problem = "its kernel is compressed by \"" + zboot->compression + "\", which is not known";
      return std::optional<ImageRange>();
    }
    // Unlike in a bzImage the payload's size does not count what was appended to it, and what stands there
    // changed between versions of Linux.
    add_compressed(*compression, {range.offset + zboot->payload_offset, zboot->payload_size}, std::nullopt);
    return std::optional<ImageRange>();
  }

  Result<std::optional<ImageRange>> read_efi(ByteSource& source, ImageRange range) {
    PVHGRUB_TRY_ASSIGN(auto start, read_start(source, kPeStartBytes, budget_, "the EFI program"));
    auto needed = pe_header_bytes(start);
    for (unsigned i = 0; i < 2 && needed && *needed > start.size() && start.size() < range.size; ++i) {
      PVHGRUB_TRY_ASSIGN(start, read_start(source, *needed, budget_, "the EFI program"));
      needed = pe_header_bytes(start);
    }
    auto pe = needed ? read_pe_headers(start, range.size) : std::unexpected(needed.error());
    if (!pe && pe.error().code != ErrorCode::kUnsupported) return std::unexpected(std::move(pe).error());
    if (!pe)
      return last(ImageKind::kOther, "a program for DOS", range, "it is a program for DOS, and no kernel");
    const auto linux_section = std::ranges::find(pe->sections, ".linux", &PeSection::name);
    const std::string machine = pe_machine_name(pe->machine);
    if (linux_section != pe->sections.end()) {
      add(ImageKind::kUnifiedImage, "unified kernel image for " + machine, range);
      return std::optional(
          ImageRange{range.offset + linux_section->raw_offset, linux_section->contents_size()});
    }
    if (pe->subsystem < kEfiApplication || pe->subsystem > kEfiApplication + 3)
      return last(ImageKind::kOther, "a program for Windows", range,
                  "it is a program for Windows, and no kernel");
    return last(ImageKind::kEfiProgram, "EFI program for " + machine, range,
                "it is an EFI program without a kernel in it, which needs firmware to start it");
  }

  Result<std::optional<ImageRange>> read_other(ByteSource& source, Bytes start, ImageRange range) {
    if (range.size == 0) return last(ImageKind::kOther, "an empty file", range, "it is empty");
    PVHGRUB_TRY_ASSIGN(const std::uint64_t zeros, leading_zeros(source));
    if (zeros != 0) {
      const std::string extent =
          zeros == range.size ? "nothing but zeros" : std::to_string(zeros) + " zeros at its start";
      return last(ImageKind::kOther, extent, range, "it holds " + extent + "; was it written to its end?");
    }
    const std::string name(recognise_other(start).value_or("a file of unknown kind"));
    return last(ImageKind::kOther, name, range, "it is " + name + ", and no kernel");
  }

  // How many bytes at the start are 0, in whole pieces; 0 where the first piece is not.
  Result<std::uint64_t> leading_zeros(ByteSource& source) {
    constexpr std::uint64_t kPiece = 65536;
    const std::uint64_t end = std::min(source.size(), limits::kZeroBytes);
    std::uint64_t offset = 0;
    while (offset < end) {
      const std::uint64_t size = std::min(kPiece, end - offset);
      PVHGRUB_TRY_ASSIGN(const auto piece, read_bytes(source, offset, size, budget_, "the image"));
      if (std::ranges::any_of(piece, [](std::byte byte) { return byte != std::byte{0}; })) break;
      offset += size;
    }
    return offset;
  }

  ByteSource& whole_;
  Budget& budget_;
  KernelImage image_;
};

}  // namespace

ImageKind recognise_image(Bytes start) {
  if (is_elf(start)) return ImageKind::kElf;
  if (has_setup_header(start)) return ImageKind::kBzImage;
  if (read_arm64_image(start)) return ImageKind::kArm64Image;
  if (read_arm32_image(start)) return ImageKind::kArm32Image;
  if (read_efi_zboot(start)) return ImageKind::kEfiZboot;
  if (as_text(start).starts_with("MZ")) return ImageKind::kEfiProgram;
  if (recognise_compression(start)) return ImageKind::kCompressed;
  if (describe_uimage(start)) return ImageKind::kUboot;
  if (has_xen_binary_table(start)) return ImageKind::kXenBinary;
  if (multiboot_version(start) != 0) return ImageKind::kMultiboot;
  return ImageKind::kOther;
}

Result<KernelImage> inspect(ByteSource& source, Budget& budget) {
  return Inspector(source, budget).run();
}

KernelImage elf_image(XenElf elf, std::uint64_t size) {
  KernelImage image;
  image.layers.push_back({ImageKind::kElf, elf_layer_name(elf), {0, size}});
  image.notices = elf.notes.problems;
  const std::uint16_t type = elf.image.header.type;
  if (type != kElfTypeExecutable && type != kElfTypeShared) {
    image.problem = "it is an ELF object, as kernel modules are, and no kernel";
  } else if (!elf.support.pvh_entry && !elf.support.pv) {
    image.problem = "as a PVH guest: " + elf.support.no_pvh + "; as a PV guest: " + elf.support.no_pv;
  }
  image.elf = std::move(elf);
  return image;
}

void KernelImage::add_contents(KernelImage contents) {
  std::ranges::move(contents.layers, std::back_inserter(layers));
  std::ranges::move(contents.notices, std::back_inserter(notices));
  if (contents.bzimage) bzimage = std::move(contents.bzimage);
  if (contents.arm64) arm64 = contents.arm64;
  if (contents.efi_stub) efi_stub = contents.efi_stub;
  elf = std::move(contents.elf);
  compressed = contents.compressed;
  problem = std::move(contents.problem);
}

std::string KernelImage::describe() const {
  std::string text;
  if (bzimage && !bzimage->version.empty()) {
    const bool is_linux = is_linux_version(bzimage->version);
    text = is_linux ? "Linux " + bzimage->release() : bzimage->version;
  } else if (elf) {
    text = elf_system(*elf);
  }
  for (const ImageLayer& layer : layers) text += (text.empty() ? "" : ", ") + layer.name;
  if (elf && elf->support.pvh_entry) text += ", PVH";
  if (elf && elf->support.pv) text += ", PV";
  return text;
}

}  // namespace pvhgrub::bootimage
