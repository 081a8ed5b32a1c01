// SPDX-License-Identifier: LGPL-2.1-or-later
// Linux for x86: the setup header of bzImage and zImage.
// Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/byte_source.h"

namespace pvhgrub::bootimage {

/// Bytes from a kernel image's start that hold all of the setup header.
inline constexpr std::size_t kSetupHeaderBytes = 0x26C;

/// A run of an image, in bytes from the image's start.
struct ImageRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool operator==(const ImageRange&) const = default;
};

struct BzImage {
  std::uint16_t protocol = 0;  ///< 0x020F for 2.15
  /// Loaded at 1 MiB, which makes it a bzImage; else below 640 KiB, a zImage.
  bool is_loaded_high = false;
  bool is_64 = false;                   ///< has a 64-bit entry; from protocol 2.12, else false
  bool is_relocatable = false;          ///< from protocol 2.05
  std::uint32_t init_size = 0;          ///< bytes of memory that it needs to begin with; from 2.10, else 0
  std::uint64_t setup_size = 0;         ///< bytes of real-mode code; the protected-mode code follows
  std::string version;                  ///< "6.1.0-50-amd64 (builder) #1 SMP ..."; empty where it tells none
  std::uint32_t command_line_size = 0;  ///< the longest command line in bytes, without the final NUL
  /// Where the compressed kernel lies; from protocol 2.08, and only where the image has one.
  std::optional<ImageRange> payload;
  /// The image ends so many bytes before the end that its header tells (protocol 2.04 and later); else 0.
  std::uint64_t missing = 0;

  /// "2.15".
  [[nodiscard]] std::string protocol_text() const;
  /// The version's first word.
  [[nodiscard]] std::string release() const { return version.substr(0, version.find(' ')); }
};

/// Whether the bytes begin an image with a setup header. Kernels before 1.3.73 have none.
[[nodiscard]] bool has_setup_header(Bytes start);

/// The setup header's statements. kUnsupported: none there. kDamaged: it is cut off, or its payload lies not
/// in the image.
[[nodiscard]] Result<BzImage> read_bzimage(ByteSource& source, Budget& budget);

/// The longest command line that an x86 kernel image takes, in bytes without the final NUL. Nothing for what
/// has no setup header, or not the whole of it.
[[nodiscard]] std::optional<std::uint32_t> command_line_size(Bytes image_start);

}  // namespace pvhgrub::bootimage
