// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string_view>

#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

enum class Presence : std::uint8_t {
  kEveryBuild,  ///< a function of that name is never called, as in GRUB
  kSomeBuilds,  ///< not every GRUB has the command: a function of that name goes first
};

struct CommandEntry {
  std::string_view name;
  Result<Status> (*run)(Evaluator& evaluator, const CommandCall& call);
  Presence presence = Presence::kEveryBuild;
  bool takes_block = false;   ///< its last argument may be a block, which comes as CommandCall::block
  bool in_extractor = false;  ///< may also run inside extract_entries_...
};

/// The command of that name, or null.
[[nodiscard]] const CommandEntry* find_command(std::string_view name);

// The commands, by the file that has them.
[[nodiscard]] std::span<const CommandEntry> language_commands();     // commands_language.cc
[[nodiscard]] std::span<const CommandEntry> file_commands();         // commands_files.cc
[[nodiscard]] std::span<const CommandEntry> environment_commands();  // commands_environment.cc
[[nodiscard]] std::span<const CommandEntry> search_commands();       // commands_search.cc
[[nodiscard]] std::span<const CommandEntry> device_commands();       // commands_devices.cc
[[nodiscard]] std::span<const CommandEntry> inspection_commands();   // commands_inspection.cc
[[nodiscard]] std::span<const CommandEntry> hash_commands();         // commands_hash.cc
[[nodiscard]] std::span<const CommandEntry> loader_commands();       // commands_loaders.cc
[[nodiscard]] std::span<const CommandEntry> menu_commands();         // commands_menu.cc
[[nodiscard]] std::span<const CommandEntry> legacy_commands();       // commands_legacy.cc
[[nodiscard]] std::span<const CommandEntry> bls_commands();          // commands_bls.cc
[[nodiscard]] std::span<const CommandEntry> syslinux_commands();     // commands_syslinux.cc
[[nodiscard]] std::span<const CommandEntry> inert_commands();        // commands_inert.cc
[[nodiscard]] std::span<const CommandEntry> hardware_commands();     // commands_hardware.cc

}  // namespace pvhgrub::grubcfg
