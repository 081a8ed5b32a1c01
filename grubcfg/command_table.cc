// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/command_table.h"

#include <unordered_map>

namespace pvhgrub::grubcfg {

namespace {

using Table = std::unordered_map<std::string_view, const CommandEntry*>;

Table make_table() {
  Table table;
  for (const std::span<const CommandEntry> commands :
       {language_commands(), file_commands(), environment_commands(), search_commands(), device_commands(),
        inspection_commands(), hash_commands(), loader_commands(), menu_commands(), bls_commands(),
        legacy_commands(), syslinux_commands(), inert_commands(), hardware_commands()})
    for (const CommandEntry& command : commands) table.emplace(command.name, &command);
  return table;
}

}  // namespace

const CommandEntry* find_command(std::string_view name) {
  static const Table table = make_table();
  const auto found = table.find(name);
  return found != table.end() ? found->second : nullptr;
}

}  // namespace pvhgrub::grubcfg
