// SPDX-License-Identifier: LGPL-2.1-or-later
// What is started for the chosen kernel: the kernel itself, firmware, or the PV shim; or why nothing can be.
// docs/boot-decision.md has the rules in words.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "bootimage/kernel_image.h"
#include "protocol/boot_terms.h"

namespace pvhgrub::worker {

/// All that the decision depends on.
struct BootFacts {
  protocol::BootRequest request = protocol::BootRequest::kAuto;
  protocol::GuestType guest_type = protocol::GuestType::kUnknown;
  /// The entry starts an EFI program: another boot loader, or a unified kernel image.
  bool is_efi_entry = false;
  bool has_firmware = false;   ///< checked and ready
  std::string no_firmware;     ///< where there is none: why, and what to do
  bool has_shim_file = false;  ///< --shim, checked and ready
  bool has_ramdisk = false;
  std::size_t command_line_bytes = 0;
};

struct BootDecision {
  protocol::BootKind kind = protocol::BootKind::kDirect;
  /// Of kShim: the shim is the kernel and the kernel its module; else the toolstack adds the shim (pvshim=1).
  bool with_shim_file = false;
  std::string reason;  ///< for a person
  std::string notice;  ///< what else they should know; empty for nothing
};

/// `kernel` with all that is compressed in it (KernelImage::add_contents). kNoEntry: the domain cannot start
/// it; the message tells why and each way out. kLimit: its command line is too long for the shim.
[[nodiscard]] Result<BootDecision> decide_boot(const bootimage::KernelImage& kernel, const BootFacts& facts);

/// Why a PV domain is refused what needs firmware. `why`: why firmware is needed.
[[nodiscard]] std::string no_firmware_for_pv(const std::string& why);

/// Behind the arguments of the shim itself, the PV kernel's follow: Xen, xen/common/kernel.c, "--".
[[nodiscard]] std::string shim_command_line(const std::string& kernel_command_line);

}  // namespace pvhgrub::worker
