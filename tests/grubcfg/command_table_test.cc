// SPDX-License-Identifier: LGPL-2.1-or-later
// Every command of every installed GRUB has an answer of ours: /usr/lib/grub/*/command.lst names them.
#include "grubcfg/command_table.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <string>

using namespace pvhgrub::grubcfg;

namespace {

/// The names of one list; a '*' in front says that the command takes options of its own.
std::set<std::string> names_of(const std::filesystem::path& list) {
  std::set<std::string> names;
  std::ifstream stream(list);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with('*')) line.erase(0, 1);
    line.resize(line.rfind(':') == std::string::npos ? line.size() : line.rfind(':'));
    if (!line.empty()) names.insert(line);
  }
  return names;
}

std::map<std::string, std::set<std::string>> installed_lists() {
  std::map<std::string, std::set<std::string>> lists;
  const std::filesystem::path root = "/usr/lib/grub";
  if (std::filesystem::exists(root))
    for (const auto& platform : std::filesystem::directory_iterator(root))
      if (const auto list = platform.path() / "command.lst"; std::filesystem::exists(list))
        lists[platform.path().filename().string()] = names_of(list);
  if (lists.empty()) std::cout << "skipped: no GRUB is installed (package grub-xen-bin and its like)\n";
  return lists;
}

}  // namespace

TEST_CASE("Every command that an installed GRUB knows is known") {
  for (const auto& [platform, names] : installed_lists())
    for (const std::string& name : names) {
      INFO(platform << ": " << name);
      CHECK(find_command(name) != nullptr);
    }
}

TEST_CASE("What GRUB's own build for PVH has is not hidden by a function") {
  const auto lists = installed_lists();
  const auto pvh = lists.find("i386-xen_pvh");
  if (pvh == lists.end()) {
    std::cout << "skipped: GRUB for PVH is not installed (package grub-xen-bin)\n";
    return;
  }
  for (const std::string& name : pvh->second) {
    INFO(name);
    const CommandEntry* const command = find_command(name);
    CHECK((command != nullptr && command->presence == Presence::kEveryBuild));
  }
  // And the other way about; these are in its core, whose commands the list leaves out.
  const std::set<std::string> core = {"set", "unset", "insmod", "boot"};
  for (const auto commands : {language_commands(), file_commands(), environment_commands(), search_commands(),
                              device_commands(), inspection_commands(), hash_commands(), loader_commands(),
                              menu_commands(), inert_commands(), hardware_commands()})
    for (const CommandEntry& command : commands) {
      INFO(command.name);
      const bool has =
          pvh->second.contains(std::string(command.name)) || core.contains(std::string(command.name));
      CHECK((command.presence == Presence::kEveryBuild) == has);
    }
}

TEST_CASE("No command is there twice") {
  std::set<std::string_view> names;
  for (const auto commands : {language_commands(), file_commands(), environment_commands(), search_commands(),
                              device_commands(), inspection_commands(), hash_commands(), loader_commands(),
                              menu_commands(), inert_commands(), hardware_commands()})
    for (const CommandEntry& command : commands) {
      INFO(command.name);
      CHECK(names.insert(command.name).second);
    }
}
