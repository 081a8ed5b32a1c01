// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/kernel_format.h"

#include <array>

#include "base/bytes.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

namespace {

/// A Multiboot header lies within the first 8192 bytes, on a multiple of four.
constexpr std::size_t kMultibootBytes = 8192;
constexpr std::uint32_t kMultibootMagic = 0x1badb002;
constexpr std::size_t kBootFlagOffset = 0x1fe;
constexpr std::uint16_t kBootFlag = 0xaa55;
constexpr std::uint32_t kSetupMagic = 0x53726448;  // "HdrS", right behind the jump at 0x200
constexpr std::size_t kLinuxBytes = 0x208;
constexpr std::uint16_t kGzipMagic = 0x8b1f;

template <typename T>
bool has_at(Bytes bytes, std::size_t offset, T wanted) {
  ByteReader reader(bytes);
  if (!reader.seek(offset)) return false;
  const Result<T> value = reader.little_endian<T>();
  return value && *value == wanted;
}

/// What the first bytes tell; kOther where a Multiboot header may still follow.
KernelFormat format_of(Bytes bytes) {
  if (has_at(bytes, kBootFlagOffset, kBootFlag) && has_at(bytes, kBootFlagOffset + 4, kSetupMagic))
    return KernelFormat::kLinux;
  if (has_at(bytes, 0, kGzipMagic)) return KernelFormat::kCompressed;
  for (std::size_t offset = 0; offset + 4 <= bytes.size(); offset += 4)
    if (has_at(bytes, offset, kMultibootMagic)) return KernelFormat::kMultiboot;
  return KernelFormat::kOther;
}

}  // namespace

Result<KernelFormat> kernel_format(GuestFiles files, const FileReference& kernel, Budget& budget) {
  if (!files.has_disk()) return KernelFormat::kUnknown;
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> file, files.open(kernel));
  if (!file) return KernelFormat::kUnknown;
  std::array<std::byte, kMultibootBytes> buffer{};
  KernelFormat format = KernelFormat::kOther;
  // Nearly every kernel shows in its first sectors what it is.
  for (const std::size_t size : {kLinuxBytes, kMultibootBytes}) {
    PVHGRUB_TRY(budget.charge_steps(1 + size / 512, "looking at a kernel"));
    const Result<std::size_t> read = file->read(0, std::span(buffer).first(size));
    if (!read && is_fatal(read.error())) return std::unexpected(read.error());
    if (!read) return KernelFormat::kUnknown;
    format = format_of(Bytes(buffer).first(*read));
    if (format != KernelFormat::kOther) break;
  }
  return format;
}

}  // namespace pvhgrub::grubcfg
