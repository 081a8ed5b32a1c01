// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/bzimage.h"

#include <algorithm>

#include "base/checked.h"

namespace pvhgrub::bootimage {
namespace {

// Places in the image.
constexpr std::size_t kSetupSectors = 0x1F1;
constexpr std::size_t kSystemSize = 0x1F4;
constexpr std::size_t kBootFlag = 0x1FE;
constexpr std::size_t kMagicPlace = 0x202;
constexpr std::size_t kKernelVersion = 0x20E;
constexpr std::size_t kLoadFlags = 0x211;
constexpr std::size_t kRelocatable = 0x234;
constexpr std::size_t kExtendedLoadFlags = 0x236;
constexpr std::size_t kCommandLineSize = 0x238;
constexpr std::size_t kPayloadOffset = 0x248;
constexpr std::size_t kInitSize = 0x260;
// Values.
constexpr std::uint16_t kBootFlagValue = 0xAA55;
constexpr std::uint32_t kMagic = 0x53726448;  // "HdrS"
constexpr std::uint8_t kLoadedHigh = 1;       // LOADED_HIGH
constexpr std::uint16_t kHas64BitEntry = 1;   // XLF_KERNEL_64
constexpr std::uint64_t kSectorBytes = 512;
constexpr std::uint8_t kDefaultSetupSectors = 4;  // what 0 means
constexpr std::uint64_t kParagraphBytes = 16;
constexpr std::uint64_t kVersionOffset = 0x200;  // added to the field
constexpr std::uint64_t kVersionBytes = 256;     // real ones have some 150
constexpr std::uint32_t kOldCommandLineSize = 255;
// Protocols that brought fields.
constexpr std::uint16_t kWithSystemSize = 0x0204;
constexpr std::uint16_t kWithRelocatable = 0x0205;
constexpr std::uint16_t kWithCommandLineSize = 0x0206;
constexpr std::uint16_t kWithPayload = 0x0208;
constexpr std::uint16_t kWithInitSize = 0x020A;
constexpr std::uint16_t kWithExtendedLoadFlags = 0x020C;

template <std::unsigned_integral T>
Result<T> field(Bytes image_start, std::size_t place) {
  ByteReader reader(image_start);
  PVHGRUB_TRY(reader.seek(place));
  return reader.little_endian<T>();
}

// The protocol's version; nothing where there is no setup header.
Result<std::optional<std::uint16_t>> read_protocol(Bytes start) {
  PVHGRUB_TRY_ASSIGN(const auto flag, field<std::uint16_t>(start, kBootFlag));
  PVHGRUB_TRY_ASSIGN(const auto magic, field<std::uint32_t>(start, kMagicPlace));
  if (flag != kBootFlagValue || magic != kMagic) return std::optional<std::uint16_t>();
  PVHGRUB_TRY_ASSIGN(const auto protocol, field<std::uint16_t>(start, kMagicPlace + sizeof(kMagic)));
  return std::optional(protocol);
}

Result<std::uint32_t> read_command_line_size(Bytes start, std::uint16_t protocol) {
  if (protocol < kWithCommandLineSize) return kOldCommandLineSize;
  return field<std::uint32_t>(start, kCommandLineSize);
}

Result<std::optional<ImageRange>> read_payload(Bytes start, std::uint64_t setup_size) {
  PVHGRUB_TRY_ASSIGN(const auto offset, field<std::uint32_t>(start, kPayloadOffset));
  PVHGRUB_TRY_ASSIGN(const auto size, field<std::uint32_t>(start, kPayloadOffset + sizeof(offset)));
  if (size == 0) return std::optional<ImageRange>();
  return std::optional(ImageRange{setup_size + offset, size});
}

Result<BzImage> read_fields(Bytes start, std::uint16_t protocol) {
  BzImage image;
  image.protocol = protocol;
  PVHGRUB_TRY_ASSIGN(const auto sectors, field<std::uint8_t>(start, kSetupSectors));
  // The boot sector comes on top.
  image.setup_size = (std::uint64_t{sectors == 0 ? kDefaultSetupSectors : sectors} + 1) * kSectorBytes;
  PVHGRUB_TRY_ASSIGN(const auto flags, field<std::uint8_t>(start, kLoadFlags));
  image.is_loaded_high = (flags & kLoadedHigh) != 0;
  PVHGRUB_TRY_ASSIGN(image.command_line_size, read_command_line_size(start, protocol));
  if (protocol >= kWithRelocatable) {
    PVHGRUB_TRY_ASSIGN(const auto relocatable, field<std::uint8_t>(start, kRelocatable));
    image.is_relocatable = relocatable != 0;
  }
  if (protocol >= kWithPayload) {
    PVHGRUB_TRY_ASSIGN(image.payload, read_payload(start, image.setup_size));
  }
  if (protocol >= kWithInitSize) {
    PVHGRUB_TRY_ASSIGN(image.init_size, field<std::uint32_t>(start, kInitSize));
  }
  if (protocol >= kWithExtendedLoadFlags) {
    PVHGRUB_TRY_ASSIGN(const auto extended, field<std::uint16_t>(start, kExtendedLoadFlags));
    image.is_64 = (extended & kHas64BitEntry) != 0;
  }
  return image;
}

// The text that the header points to, which lies in the real-mode code. An image boots without it.
Result<std::string> read_version(ByteSource& source, Bytes start, std::uint64_t setup_size, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const auto pointer, field<std::uint16_t>(start, kKernelVersion));
  const std::uint64_t offset = pointer + kVersionOffset;
  const std::uint64_t end = std::min(setup_size, source.size());
  if (pointer == 0 || offset >= end) return std::string();
  PVHGRUB_TRY_ASSIGN(const auto bytes, read_bytes(source, offset, std::min(kVersionBytes, end - offset),
                                                  budget, "the kernel's version"));
  const std::string_view text = as_text(bytes);
  return std::string(text.substr(0, text.find('\0')));
}

Result<std::uint64_t> missing_bytes(Bytes start, const BzImage& image, std::uint64_t size) {
  if (image.protocol < kWithSystemSize) return std::uint64_t{0};
  PVHGRUB_TRY_ASSIGN(const auto paragraphs, field<std::uint32_t>(start, kSystemSize));
  const std::uint64_t end = image.setup_size + paragraphs * kParagraphBytes;
  // The field is rounded up, the image need not be.
  return end >= size + kParagraphBytes ? end - size : 0;
}

}  // namespace

std::string BzImage::protocol_text() const {
  const unsigned minor = protocol & 0xFFU;
  return std::to_string(protocol >> 8U) + (minor < 10 ? ".0" : ".") + std::to_string(minor);
}

bool has_setup_header(Bytes start) {
  const auto protocol = read_protocol(start);
  return protocol && *protocol;
}

Result<BzImage> read_bzimage(ByteSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const auto start, read_start(source, kSetupHeaderBytes, budget, "the setup header"));
  if (!has_setup_header(start)) return fail(ErrorCode::kUnsupported, "not a Linux image for x86");
  PVHGRUB_TRY_ASSIGN(const auto protocol, read_protocol(start));
  auto image = read_fields(start, *protocol);
  if (!image) return fail(ErrorCode::kDamaged, "a damaged bzImage: it ends within its setup header");
  PVHGRUB_TRY_ASSIGN(image->version, read_version(source, start, image->setup_size, budget));
  PVHGRUB_TRY_ASSIGN(image->missing, missing_bytes(start, *image, source.size()));
  if (image->payload && !range_inside(image->payload->offset, image->payload->size, source.size()))
    return fail(ErrorCode::kDamaged,
                "a damaged bzImage: its payload (" + std::to_string(image->payload->size) + " bytes at " +
                    std::to_string(image->payload->offset) + ") ends behind the image's end at " +
                    std::to_string(source.size()) + "; was it copied to its end?");
  return image;
}

std::optional<std::uint32_t> command_line_size(Bytes image_start) {
  const auto protocol = read_protocol(image_start);
  if (!protocol || !*protocol) return std::nullopt;
  const auto size = read_command_line_size(image_start, **protocol);
  return size ? std::optional(*size) : std::nullopt;
}

}  // namespace pvhgrub::bootimage
