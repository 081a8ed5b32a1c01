// SPDX-License-Identifier: LGPL-2.1-or-later
// What an evaluation has put in place when it comes to booting.
#pragma once

#include <vector>

#include "base/result.h"
#include "grubcfg/evaluator.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// What GRUB would boot now; takes it out of the evaluator's state. Where nothing is loaded, BootEntry::error
/// is the first error that was printed.
[[nodiscard]] Result<BootEntry> take_loaded_entry(Evaluator& evaluator);

/// The environment blocks that are to be written when something is booted in that state.
[[nodiscard]] std::vector<EnvironmentBlockChange> changes_to_write(const Session& session,
                                                                   const MachineState& state);

}  // namespace pvhgrub::grubcfg
