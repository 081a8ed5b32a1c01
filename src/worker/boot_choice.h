// SPDX-License-Identifier: LGPL-2.1-or-later
// What can be said of a choice before its kernel is read.
#pragma once

#include "base/result.h"
#include "grubcfg/choice.h"
#include "protocol/messages.h"
#include "src/worker/boot_decision.h"
#include "src/worker/host_files.h"

namespace pvhgrub::worker {

/// The entry is a program for a firmware: another boot loader.
[[nodiscard]] bool starts_efi_program(const grubcfg::BootEntry& entry, const protocol::Request& request);

/// What an entry that loads no Linux kernel is, and what to do about it.
[[nodiscard]] Error not_linux(const grubcfg::Choice& choice);

/// Makes what --boot-hypervisor asks for of the entry. kNoEntry where it is one that cannot be booted.
[[nodiscard]] Result<void> settle_choice(grubcfg::Choice& choice, const protocol::Request& request);

/// libxl drops an item of 8192 bytes or more and boots without a command line, so that is refused here
/// (kLimit); so is what no result format can carry (kDamaged).
[[nodiscard]] Result<void> check_command_line(const grubcfg::Choice& choice);

/// All that the decision depends on beside the kernel itself.
[[nodiscard]] BootFacts boot_facts(const grubcfg::BootEntry& entry, const protocol::Request& request,
                                   const HostFiles& host_files);

}  // namespace pvhgrub::worker
