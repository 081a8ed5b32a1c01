// SPDX-License-Identifier: LGPL-2.1-or-later
// What a kernel image is: its layers, from the outside to the inside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/arm_image.h"
#include "bootimage/byte_source.h"
#include "bootimage/bzimage.h"
#include "bootimage/decompress.h"
#include "bootimage/xen_elf.h"

namespace pvhgrub::bootimage {

enum class ImageKind : std::uint8_t {
  kElf,
  kBzImage,       ///< Linux for x86 with a setup header: bzImage, or the older zImage
  kArm64Image,    ///< Linux's Image
  kArm32Image,    ///< Linux's zImage
  kEfiZboot,      ///< Linux as an EFI program that decompresses itself
  kUnifiedImage,  ///< a unified kernel image: an EFI program that holds a kernel
  kEfiProgram,    ///< any other EFI program
  kCompressed,    ///< a compressed stream
  kXenBinary,     ///< Xen's own form for PV kernels that are no ELF
  kMultiboot,     ///< a binary with a multiboot header; an ELF image with one is kElf
  kUboot,         ///< uImage
  kOther,         ///< no kernel: a file of another kind, empty, zeros, unknown
};

struct ImageLayer {
  ImageKind kind = ImageKind::kOther;
  std::string name;  ///< for a person: "bzImage (boot protocol 2.15)", "xz", "ELF for x86-64"
  ImageRange range;  ///< in the bytes that were inspected
  bool operator==(const ImageLayer&) const = default;
};

/// A compressed stream.
struct CompressedLayer {
  Compression compression{};
  ImageRange range;                       ///< of the stream alone, in the bytes that were inspected
  std::optional<std::uint64_t> declared;  ///< bytes that it must decompress to, where the image tells
};

struct KernelImage {
  std::vector<ImageLayer> layers;   ///< never empty
  std::optional<BzImage> bzimage;   ///< where a layer is one
  std::optional<Arm64Image> arm64;  ///< where a layer is one
  /// Where the bzImage, Image or zboot image is an EFI program too (Linux's EFI stub): the machine that its
  /// PE header tells (bootimage/pe.h).
  std::optional<std::uint16_t> efi_stub;
  std::optional<XenElf> elf;                  ///< where the last layer is one
  std::optional<CompressedLayer> compressed;  ///< where the last layer is one: what lies in it is not known
  std::string problem;               ///< why no loader can start it; empty: nothing speaks against it
  std::vector<std::string> notices;  ///< what is odd about it, for a person

  [[nodiscard]] ImageKind kind() const { return layers.back().kind; }
  /// Adds what the compressed layer turned out to hold.
  void add_contents(KernelImage contents);
  /// What it is in words, such as "Linux 6.1.0-50-amd64, bzImage (boot protocol 2.15), xz". May hold the
  /// guest's text.
  [[nodiscard]] std::string describe() const;
};

/// Bytes from an image's start that are enough for recognise_image().
inline constexpr std::size_t kImageStartBytes = 0x9000;

/// What begins with these bytes, of which there may be fewer where the image is shorter. A unified kernel
/// image is taken for the kEfiProgram that it is too: only its sections tell.
[[nodiscard]] ImageKind recognise_image(Bytes start);

/// Reads layer after layer, but decompresses nothing: what lies in a compressed layer the caller inspects in
/// turn, by inspect() on the decompressed bytes or by XenNoteScanner. What is no kernel is no error, but
/// named. kDamaged: it is of a known kind, but contradicts itself or its size. kUnsupported: of a known kind
/// that no Xen guest is. kLimit: see base/limits.h.
[[nodiscard]] Result<KernelImage> inspect(ByteSource& source, Budget& budget);

/// The one layer of an ELF image that was read by other means (XenNoteScanner). `size` in bytes.
[[nodiscard]] KernelImage elf_image(XenElf elf, std::uint64_t size);

}  // namespace pvhgrub::bootimage
