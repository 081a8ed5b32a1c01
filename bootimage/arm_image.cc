// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/arm_image.h"

#include <algorithm>

namespace pvhgrub::bootimage {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kArm64TextOffset = 0x08;
constexpr std::size_t kArm64Flags = 0x18;
constexpr std::size_t kArm64Magic = 0x38;
constexpr std::string_view kArm64MagicText = "ARM\x64"sv;
constexpr std::uint32_t kArm64OldStart = 0x14000008;  // a branch over the header
constexpr std::uint64_t kArm64BigEndian = 1;
constexpr unsigned kArm64PageShift = 1;
constexpr std::uint64_t kArm64PageMask = 3;

constexpr std::size_t kArm32Magic = 0x24;
constexpr std::uint32_t kArm32MagicValue = 0x016F2818;

constexpr std::size_t kZbootCompression = 0x18;
constexpr std::size_t kZbootCompressionBytes = 32;  // up to what stands at 0x38

Result<Arm64Image> read_arm64_fields(Bytes start) {
  Arm64Image image;
  ByteReader reader(start);
  PVHGRUB_TRY(reader.seek(kArm64TextOffset));
  PVHGRUB_TRY_ASSIGN(image.text_offset, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(image.image_size, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kArm64Flags));
  PVHGRUB_TRY_ASSIGN(const auto flags, reader.little_endian<std::uint64_t>());
  image.is_big_endian = (flags & kArm64BigEndian) != 0;
  constexpr unsigned kPages[] = {0, 4, 16, 64};
  image.page_kib = kPages[(flags >> kArm64PageShift) & kArm64PageMask];
  return image;
}

// In the image's own byte order, which the magic shows.
template <bool is_big_endian>
Result<Arm32Image> read_arm32_fields(Bytes start) {
  const auto word = [](ByteReader& reader) {
    return is_big_endian ? reader.big_endian<std::uint32_t>() : reader.little_endian<std::uint32_t>();
  };
  ByteReader reader(start);
  PVHGRUB_TRY(reader.seek(kArm32Magic));
  PVHGRUB_TRY_ASSIGN(const auto magic, word(reader));
  PVHGRUB_TRY_ASSIGN(const auto code_start, word(reader));
  PVHGRUB_TRY_ASSIGN(const auto code_end, word(reader));
  if (magic != kArm32MagicValue) return fail(ErrorCode::kUnsupported, "not a zImage");
  return Arm32Image{is_big_endian, code_end - std::min(code_start, code_end)};
}

Result<EfiZboot> read_zboot_fields(Bytes start) {
  EfiZboot image;
  ByteReader reader(start);
  PVHGRUB_TRY(reader.seek(8));
  PVHGRUB_TRY_ASSIGN(image.payload_offset, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(image.payload_size, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY(reader.seek(kZbootCompression));
  PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(kZbootCompressionBytes));
  image.compression = as_text(name).substr(0, as_text(name).find('\0'));
  return image;
}

template <typename T>
std::optional<T> if_good(Result<T> result) {
  return result ? std::optional(std::move(*result)) : std::nullopt;
}

}  // namespace

std::optional<Arm64Image> read_arm64_image(Bytes start) {
  if (start.size() < kArmHeaderBytes) return std::nullopt;
  const auto first = ByteReader(start).little_endian<std::uint32_t>();
  if (as_text(start).substr(kArm64Magic, kArm64MagicText.size()) == kArm64MagicText)
    return if_good(read_arm64_fields(start));
  if (first && *first == kArm64OldStart) return Arm64Image{};
  return std::nullopt;
}

std::optional<Arm32Image> read_arm32_image(Bytes start) {
  if (auto image = if_good(read_arm32_fields<false>(start))) return image;
  return if_good(read_arm32_fields<true>(start));
}

std::optional<EfiZboot> read_efi_zboot(Bytes start) {
  const std::string_view text = as_text(start);
  if (!text.starts_with("MZ") || text.size() < 8 || text.substr(4, 4) != "zimg") return std::nullopt;
  return if_good(read_zboot_fields(start));
}

}  // namespace pvhgrub::bootimage
