// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known of a kernel image as a list of names and values: lines for a person, keys for a program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bootimage/kernel_image.h"

namespace pvhgrub::bootimage {

/// One statement. Names are words of [a-z0-9-] and keep their meaning from version to version.
struct ImageFact {
  std::string_view name;
  /// "yes" or "no"; a number in decimal, sizes in bytes; an address, "0x1000040"; several of them with a
  /// space between; else text, which may hold the guest's bytes raw.
  std::string value;
  bool operator==(const ImageFact&) const = default;
};

/// "elf", "bzimage", "zimage", "arm64-image", "arm-zimage", "efi-zboot", "unified-image", "efi-program",
/// "compressed", "xen-binary", "multiboot", "uimage", "other". `image` tells bzImage from zImage.
[[nodiscard]] std::string_view format_name(ImageKind kind, const KernelImage& image);

/// All that is known of the image, each name at most once, in the order in which a person reads them; what is
/// not known is left out, but `pvh` and `pv` say "no" with a reason where an ELF image was read. The names
/// are:
///
/// format, contents        format_name() of the outermost layer, and of the innermost where that is another
/// layers                  all layers in words, from the outside
/// machine                 "x86-64", "32-bit x86", "arm64", ...: of the ELF image, else as the format tells
/// version                 of a bzImage the text that it holds, else Linux's build salt (release)
/// boot-protocol, setup-size, init-size, 64-bit, relocatable, command-line-size           bzImage, zImage
/// efi-stub                whether the file is an EFI program too; bzImage, Image, zboot
/// text-offset, memory-size, page-size, byte-order                                        Image for arm64
/// compression, compressed-size, decompressed-size                of the innermost stream, whether read or
/// not elf-class, entry, loaded-from, loaded-to                       the ELF image multiboot "1" or "2": the
/// specification of its multiboot header xen-notes               where they stand: "segments", "sections",
/// "__xen_guest", "none" pvh, pvh-entry, no-pvh; pv, no-pv                              as XenSupport
/// pv-entry, hypercall-page, virtual-base, physical-offset, xen-version, guest-os, guest-version, loader,
/// pae-mode, features, bsd-symbols, hypervisor-start, l1-mfn-valid, suspend-cancel, initial-p2m,
/// module-start-frame, supported-features, phys32-entry, phys32-relocation, info
///                         Xen's notes as they stand, the last one of each type
/// problem                 why no loader starts it
/// notices                 what is odd about it, with "; " between them
[[nodiscard]] std::vector<ImageFact> facts_of(const KernelImage& image);

}  // namespace pvhgrub::bootimage
