// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/linux_header.h"

namespace pvhgrub::bootimage {
namespace {

// Offsets from Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
constexpr std::size_t kMagicOffset = 0x202;
constexpr std::uint32_t kMagic = 0x53726448;  // "HdrS"
constexpr std::size_t kCommandLineSizeOffset = 0x238;
constexpr std::uint16_t kVersionWithCommandLineSize = 0x0206;
constexpr std::uint32_t kOldCommandLineSize = 255;

Result<std::optional<std::uint32_t>> read_command_line_size(Bytes image_start) {
  ByteReader reader(image_start);
  PVHGRUB_TRY(reader.seek(kMagicOffset));
  PVHGRUB_TRY_ASSIGN(const auto magic, reader.little_endian<std::uint32_t>());
  if (magic != kMagic) return std::optional<std::uint32_t>();
  PVHGRUB_TRY_ASSIGN(const auto version, reader.little_endian<std::uint16_t>());
  if (version < kVersionWithCommandLineSize) return std::optional(kOldCommandLineSize);
  PVHGRUB_TRY(reader.seek(kCommandLineSizeOffset));
  PVHGRUB_TRY_ASSIGN(const auto size, reader.little_endian<std::uint32_t>());
  return std::optional(size);
}

}  // namespace

std::optional<std::uint32_t> command_line_size(Bytes image_start) {
  const auto size = read_command_line_size(image_start);
  return size ? *size : std::nullopt;
}

}  // namespace pvhgrub::bootimage
