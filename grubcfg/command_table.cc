// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/command_table.h"

#include <algorithm>
#include <unordered_map>

#include "grubcfg/command_help.h"

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

const Table& command_table() {
  static const Table table = make_table();
  return table;
}

}  // namespace

const CommandEntry* find_command(std::string_view name) {
  const Table& table = command_table();
  const auto found = table.find(name);
  return found != table.end() ? found->second : nullptr;
}

const std::vector<std::string_view>& command_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const auto& [name, command] : command_table()) all.push_back(name);
    std::ranges::sort(all);
    return all;
  }();
  return names;
}

}  // namespace pvhgrub::grubcfg
