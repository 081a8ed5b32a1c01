// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.h"
#include "grubcfg/guest_files.h"

namespace pvhgrub::grubcfg {

/// What a loader that guesses takes a kernel for.
enum class KernelFormat : std::uint8_t {
  kUnknown,     ///< there is no disk to look at, or the file cannot be read
  kLinux,       ///< a Linux boot sector and setup header (Linux: Documentation/arch/x86/boot.rst)
  kMultiboot,   ///< a Multiboot header (Multiboot specification 0.6.96, section 3.1)
  kCompressed,  ///< gzip: a Linux image never is as a whole, Xen most often
  kOther,
};

[[nodiscard]] Result<KernelFormat> kernel_format(GuestFiles files, const FileReference& kernel,
                                                 Budget& budget);

}  // namespace pvhgrub::grubcfg
