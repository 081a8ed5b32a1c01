// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/loaded_entry.h"

#include <utility>

#include "grubcfg/environment_blocks.h"
#include "grubcfg/hypervisor.h"

namespace pvhgrub::grubcfg {

std::vector<EnvironmentBlockChange> changes_to_write(const Session& session, const MachineState& state) {
  if (session.settings.grubenv != GrubenvMode::kWrite) return {};
  return environment_changes(state);
}

Result<BootEntry> take_loaded_entry(Evaluator& evaluator) {
  PVHGRUB_TRY(assign_modules(evaluator));
  BootEntry entry = std::move(evaluator.state().loaded.entry);
  if (entry.kind == BootEntry::Kind::kLinux) entry.device_tree = std::move(evaluator.state().device_tree);
  entry.environment_changes = changes_to_write(evaluator.session(), evaluator.state());
  if (entry.kind == BootEntry::Kind::kNone)
    entry.error = evaluator.first_error().empty() ? "the entry loads nothing" : evaluator.first_error();
  return entry;
}

}  // namespace pvhgrub::grubcfg
