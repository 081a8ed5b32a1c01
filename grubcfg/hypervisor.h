// SPDX-License-Identifier: LGPL-2.1-or-later
// Entries that load Xen below Linux, as a dom0's configuration does.
#pragma once

#include "base/result.h"
#include "grubcfg/evaluator.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// Finds out what the modules of a multiboot kernel are, as Xen does: the first is Linux, the next one its
/// initrd, but for microcode (`ucode=NUMBER`) and security policies. A Result's error is fatal.
[[nodiscard]] Result<void> assign_modules(Evaluator& evaluator);

/// Makes the hypervisor of an entry what is booted, and the Linux kernel its only module (--boot-hypervisor).
/// Linux's command line goes behind " -- " on Xen's, which a module of libxl's has none of. An entry without
/// a hypervisor stays as it is. kUnsupported: the entry has an initrd, but Xen's toolstack passes one module.
[[nodiscard]] Result<void> boot_hypervisor_of(BootEntry& entry);

}  // namespace pvhgrub::grubcfg
