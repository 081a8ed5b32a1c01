// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes small kernel images of the kinds that have no writer of their own.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bootimage/elf_writer.h"

namespace pvhgrub::test {

/// Turns an image into an EFI program as well: the bytes that Linux's EFI stub has at its start. They lie in
/// the first 0x6C bytes, where kernels have nothing else.
inline void put_efi_stub(std::string& image, std::uint16_t machine) {
  image.replace(0, 2, "MZ");
  image.replace(0x3C, 4, word(0x40));
  image.replace(0x40, 4, std::string("PE\0\0", 4));
  image.replace(0x44, 2, word(machine, 2));
  image.replace(0x54, 2, word(240, 2));  // bytes of the optional header
}

/// Linux, Documentation/arch/arm64/booting.rst, section 4.
inline std::string arm64_image(std::uint64_t text_offset, std::uint64_t image_size, std::uint64_t flags) {
  return word(0x91005A4D) + word(0x14000010) + word(text_offset, 8) + word(image_size, 8) + word(flags, 8) +
         std::string(24, '\0') + "ARM\x64" + word(0) + std::string(200, '\0');
}

/// Linux, arch/arm/boot/compressed/head.S: the words behind eight instructions.
inline std::string arm32_image(std::uint32_t size, bool big_endian) {
  const auto in_order = [&](std::uint32_t value) {
    const std::string bytes = word(value);
    return big_endian ? std::string(bytes.rbegin(), bytes.rend()) : bytes;
  };
  std::string image(size, 'c');
  image.replace(0x24, 4, in_order(0x016F2818));
  image.replace(0x28, 4, in_order(0));
  image.replace(0x2C, 4, in_order(size));
  return image;
}

/// Linux, drivers/firmware/efi/libstub/zboot-header.S.
inline std::string zboot_image(const std::string& payload, std::string_view compression) {
  constexpr std::size_t kPayload = 0x1000;
  std::string image(kPayload, '\0');
  put_efi_stub(image, 0xAA64);
  image.replace(4, 4, "zimg");
  image.replace(8, 4, word(kPayload));
  image.replace(12, 4, word(payload.size()));
  image.replace(0x18, compression.size(), compression);
  return image + payload;
}

/// U-Boot, include/image.h: a kernel of Linux for arm64.
inline std::string uimage(std::string_view name) {
  std::string image(64, '\0');
  image.replace(0, 4, "\x27\x05\x19\x56");
  image.replace(28, 4, "\x05\x16\x02\x01");
  image.replace(32, name.size(), name);
  return image + "kernel";
}

/// Multiboot Specification 0.6.96, section 3.1.1.
inline std::string multiboot1_header() {
  return word(0x1BADB002) + word(3) + word(0U - 0x1BADB002U - 3U);
}

/// The bytes in one gzip member, not compressed (RFC 1951, section 3.2.4).
inline std::string gzip_stored(const std::string& contents) {
  std::string bytes("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  for (std::size_t at = 0; at < contents.size(); at += 0xFFFF) {
    const std::string block = contents.substr(at, 0xFFFF);
    bytes += at + block.size() == contents.size() ? '\1' : '\0';
    bytes += word(block.size(), 2) + word(~block.size(), 2) + block;
  }
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(contents.data()), static_cast<uInt>(contents.size()));
  return bytes + word(sum) + word(contents.size());
}

}  // namespace pvhgrub::test
