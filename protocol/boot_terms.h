// SPDX-License-Identifier: LGPL-2.1-or-later
// The words in which a boot is asked for and told of, and how they are spelled on the command line.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace pvhgrub::protocol {

/// --boot: what to start.
enum class BootRequest : std::uint8_t {
  kAuto = 0,      ///< what the kernel says of itself decides
  kDirect = 1,    ///< the kernel
  kFirmware = 2,  ///< firmware, which starts the guest's own boot loader
  kShim = 3,      ///< the PV shim, which starts the kernel as a PV guest inside of a PVH one
};

/// The domain's type, as xl.cfg's `type` has it. On arm Xen has but one.
enum class GuestType : std::uint8_t { kUnknown = 0, kPvh = 1, kPv = 2, kArm = 3 };

/// --kernel-format: in which form a kernel is handed over.
enum class KernelFormat : std::uint8_t {
  kElf = 0,   ///< decompressed: an ELF image, on arm an Image
  kAsIs = 1,  ///< the bytes of the guest's file
};

/// What is started.
enum class BootKind : std::uint8_t { kDirect = 0, kFirmware = 1, kShim = 2 };

/// "auto", "direct", "firmware", "shim". kUsage for anything else.
[[nodiscard]] Result<BootRequest> parse_boot_request(std::string_view name);
/// "pvh", "pv", "arm". kUsage for anything else.
[[nodiscard]] Result<GuestType> parse_guest_type(std::string_view name);
/// "elf", "as-is". kUsage for anything else.
[[nodiscard]] Result<KernelFormat> parse_kernel_format(std::string_view name);
/// "direct", "firmware", "shim".
[[nodiscard]] std::string_view boot_kind_name(BootKind kind);

}  // namespace pvhgrub::protocol
