// SPDX-License-Identifier: LGPL-2.1-or-later
// The headers of a PE image, which is what every EFI program is.
// https://learn.microsoft.com/windows/win32/debug/pe-format
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace pvhgrub::bootimage {

/// "Machine Types" of the specification.
inline constexpr std::uint16_t kPeMachineI386 = 0x014C;
inline constexpr std::uint16_t kPeMachineAmd64 = 0x8664;
inline constexpr std::uint16_t kPeMachineArm64 = 0xAA64;

/// "32-bit x86", "x86-64", "arm64", else "machine N".
[[nodiscard]] std::string pe_machine_name(std::uint16_t machine);

struct PeSection {
  std::string name;  ///< at most 8 bytes; one of the long names of object files stays "/OFFSET"
  std::uint32_t virtual_address = 0;
  std::uint32_t virtual_size = 0;  ///< bytes in memory; zeros follow what the file has of them
  std::uint32_t raw_offset = 0;    ///< bytes from the file's start; without meaning where raw_size is 0
  std::uint32_t raw_size = 0;      ///< bytes in the file, rounded up to the file's alignment
  /// Bytes of the file that belong to the section: what both sizes have.
  [[nodiscard]] std::uint32_t contents_size() const {
    return raw_size < virtual_size ? raw_size : virtual_size;
  }
};

struct PeImage {
  std::uint16_t machine = 0;
  std::uint16_t subsystem = 0;      ///< 10 for an EFI application
  std::uint32_t image_size = 0;     ///< bytes in memory
  std::vector<PeSection> sections;  ///< in the order of the section table
};

/// The machine of the PE image that begins so; nothing where none does. Says nothing of the rest of it.
[[nodiscard]] std::optional<std::uint16_t> pe_machine(Bytes start);

/// Enough of a file's start for the first call of pe_header_bytes(), and for all headers of a usual image.
inline constexpr std::size_t kPeStartBytes = 4096;

/// How many bytes of the file, from its start, hold its headers, as far as `start` tells: more than it has
/// where the caller must read on and ask again (twice at most). At most limits::kPeHeaderBytes. Errors as
/// read_pe_headers().
[[nodiscard]] Result<std::size_t> pe_header_bytes(Bytes start);

/// Reads the headers, of which `start` has all bytes (pe_header_bytes()). The contents of every section lie
/// within the `file_size` bytes of the file, behind the headers, and no two share a byte. kUnsupported: not a
/// PE image. kDamaged: one whose headers contradict themselves or the file's size, or
/// are larger than base/limits.h allows.
[[nodiscard]] Result<PeImage> read_pe_headers(Bytes start, std::uint64_t file_size);

}  // namespace pvhgrub::bootimage
