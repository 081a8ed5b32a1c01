// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/other_image.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pvhgrub::bootimage {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kMultiboot1Magic = 0x1BADB002;
constexpr std::size_t kMultiboot1Bytes = 8192;
constexpr std::size_t kMultiboot1Alignment = 4;
constexpr std::uint32_t kMultiboot2Magic = 0xE85250D6;
constexpr std::size_t kMultiboot2Alignment = 8;
constexpr std::uint32_t kXenBinaryMagic = 0x336EC578;

// A header of `words` little-endian words, the first of which is the magic, and which add up to 0.
bool has_summed_header(Bytes start, std::uint32_t magic, std::size_t words, std::size_t alignment) {
  const std::size_t size = words * sizeof(std::uint32_t);
  for (std::size_t offset = 0; offset + size <= start.size(); offset += alignment) {
    std::uint32_t sum = 0;
    ByteReader reader(start.subspan(offset, size));
    for (std::size_t i = 0; i < words; ++i) {
      const auto word = reader.little_endian<std::uint32_t>();
      if (!word || (i == 0 && *word != magic)) {
        sum = 1;
        break;
      }
      sum += *word;
    }
    if (sum == 0) return true;
  }
  return false;
}

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  std::string_view name;
};

constexpr std::array kMagics = {
    Magic{0, "070701", "a cpio archive, as an initramfs is"},
    Magic{0, "070702", "a cpio archive, as an initramfs is"},
    Magic{0, "070707", "a cpio archive, as an initramfs is"},
    Magic{0, "\xC7\x71"sv, "a cpio archive, as an initramfs is"},
    Magic{0, "LUKS\xBA\xBE"sv, "an encrypted volume (LUKS)"},
    Magic{0, "\xD0\x0D\xFE\xED"sv, "a flattened device tree, or a FIT image of U-Boot"},
    Magic{0, "ANDROID!", "a boot image of Android"},
    Magic{0, "NetWare Loadable Module\x1A"sv, "a NetWare loadable module"},
    Magic{0, "hsqs", "a squashfs file system"},
    Magic{0, "XFSB", "an XFS file system"},
    Magic{0x438, "\x53\xEF"sv, "an ext2, ext3 or ext4 file system"},
    Magic{0x8001, "CD001", "an ISO 9660 file system"},
    Magic{0, "QFI\xFB"sv, "a qcow2 disk image"},
    Magic{0x28, "_FVH", "a volume of UEFI firmware, without an entry for Xen"},
    Magic{0, "!<arch>\n", "an ar archive, as a Debian package is"},
    Magic{0, "\xED\xAB\xEE\xDB"sv, "an RPM package"},
    Magic{0, "PK\x03\x04"sv, "a zip archive"},
    Magic{257, "ustar", "a tar archive"},
    Magic{0, "#!", "a script"},
    Magic{0x1FE, "\x55\xAA"sv, "a boot sector, or a Linux kernel from before 1996"},
};

// A text file: enough of printable characters in any encoding, and nothing of what text never has.
constexpr std::size_t kTextBytes = 512;

bool is_text(Bytes start) {
  const std::string_view text = as_text(start.first(std::min(start.size(), kTextBytes)));
  return !text.empty() && std::ranges::all_of(text, [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return (byte >= 0x20 && byte != 0x7F) || character == '\n' || character == '\r' || character == '\t';
  });
}

// U-Boot, include/image.h: the numbers of the header's fields.
std::string uimage_system(std::uint8_t number) {
  switch (number) {
    case 1:
      return "OpenBSD";
    case 2:
      return "NetBSD";
    case 3:
      return "FreeBSD";
    case 5:
      return "Linux";
    case 8:
      return "Solaris";
    case 17:
      return "U-Boot";
    default:
      return "operating system " + std::to_string(number);
  }
}

std::string uimage_machine(std::uint8_t number) {
  switch (number) {
    case 2:
      return "32-bit ARM";
    case 3:
      return "32-bit x86";
    case 22:
      return "arm64";
    case 24:
      return "x86-64";
    default:
      return "machine " + std::to_string(number);
  }
}

std::string uimage_type(std::uint8_t number) {
  switch (number) {
    case 2:
      return "kernel";
    case 3:
      return "ramdisk";
    case 4:
      return "several files";
    case 5:
      return "firmware";
    case 6:
      return "script";
    case 8:
      return "device tree";
    default:
      return "type " + std::to_string(number);
  }
}

constexpr std::uint32_t kUimageMagic = 0x27051956;
constexpr std::size_t kUimageKinds = 28;  // operating system, machine, type: a byte each; then compression
constexpr std::size_t kUimageName = 32;
constexpr std::size_t kUimageNameBytes = 32;

Result<std::string> read_uimage(Bytes start) {
  ByteReader reader(start);
  PVHGRUB_TRY_ASSIGN(const auto magic, reader.big_endian<std::uint32_t>());
  if (magic != kUimageMagic) return fail(ErrorCode::kUnsupported, "not a uImage");
  PVHGRUB_TRY(reader.seek(kUimageKinds));
  PVHGRUB_TRY_ASSIGN(const auto system, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY_ASSIGN(const auto machine, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY_ASSIGN(const auto type, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY(reader.seek(kUimageName));
  PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(kUimageNameBytes));
  const std::string_view text = as_text(name);
  return "\"" + std::string(text.substr(0, text.find('\0'))) + "\", " + uimage_system(system) + ", " +
         uimage_machine(machine) + ", " + uimage_type(type);
}

}  // namespace

unsigned multiboot_version(Bytes start) {
  // The second form has its length and architecture between magic and checksum.
  const Bytes start2 = start.first(std::min(start.size(), kMultibootBytes));
  if (has_summed_header(start2, kMultiboot2Magic, 4, kMultiboot2Alignment)) return 2;
  const Bytes start1 = start.first(std::min(start.size(), kMultiboot1Bytes));
  return has_summed_header(start1, kMultiboot1Magic, 3, kMultiboot1Alignment) ? 1 : 0;
}

bool has_xen_binary_table(Bytes start) {
  return has_summed_header(start.first(std::min(start.size(), kMultiboot1Bytes)), kXenBinaryMagic, 3,
                           kMultiboot1Alignment);
}

std::optional<std::string> describe_uimage(Bytes start) {
  auto text = read_uimage(start);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

std::optional<std::string_view> recognise_other(Bytes start) {
  const std::string_view text = as_text(start);
  for (const Magic& magic : kMagics)
    if (text.size() >= magic.offset && text.substr(magic.offset).starts_with(magic.bytes)) return magic.name;
  if (is_text(start)) return "a text file";
  return std::nullopt;
}

}  // namespace pvhgrub::bootimage
