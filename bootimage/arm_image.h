// SPDX-License-Identifier: LGPL-2.1-or-later
// Linux for ARM: Image, zImage, and the EFI program that decompresses itself (also on other machines).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace pvhgrub::bootimage {

/// Bytes from an image's start that all functions here need.
inline constexpr std::size_t kArmHeaderBytes = 64;

/// Linux, Documentation/arch/arm64/booting.rst, "Call the kernel image".
struct Arm64Image {
  std::uint64_t text_offset = 0;  ///< bytes from a 2 MiB boundary to where it is loaded; 0 since Linux 5.8
  std::uint64_t image_size = 0;   ///< bytes of memory that it needs; 0 before Linux 3.17, which did not tell
  bool is_big_endian = false;
  unsigned page_kib = 0;  ///< size of its pages; 0 where it does not tell
};

/// Nothing for other images. Also takes the form of Linux 3.7, which is known by its first instruction alone:
/// so does libxenguest.
[[nodiscard]] std::optional<Arm64Image> read_arm64_image(Bytes start);

/// Linux, arch/arm/boot/compressed/head.S.
struct Arm32Image {
  bool is_big_endian = false;
  std::uint32_t size = 0;  ///< bytes that it should have
};

/// Nothing for other images.
[[nodiscard]] std::optional<Arm32Image> read_arm32_image(Bytes start);

/// Linux, drivers/firmware/efi/libstub/zboot-header.S.
struct EfiZboot {
  std::uint32_t payload_offset = 0;  ///< bytes from the image's start
  std::uint32_t payload_size = 0;    ///< bytes; the payload's size when decompressed may follow it
  std::string compression;           ///< "gzip", "zstd", ...
};

/// Nothing for other images.
[[nodiscard]] std::optional<EfiZboot> read_efi_zboot(Bytes start);

}  // namespace pvhgrub::bootimage
