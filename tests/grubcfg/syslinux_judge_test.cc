// SPDX-License-Identifier: LGPL-2.1-or-later
// What syslinux 6.04 itself made of configurations, in qemu, against what we make of them. The expectations
// are recorded by syslinux_judge/judge.py.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "grubcfg/choice.h"
#include "grubcfg/syslinux.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using nlohmann::json;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// The judge's disk: the case's files, and syslinux's programs beside the first one. Returns that one's path.
std::string fill_disk(test::MemoryFileSystem& disk, const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::vector<std::pair<std::string, std::string>> files;
  while (std::getline(lines, line)) {
    if (line.starts_with("=== ")) {
      files.emplace_back(line.substr(4, line.find(' ', 4) - 4), "");
    } else if (!files.empty()) {
      files.back().second += line + "\n";
    }
  }
  for (const auto& [path, contents] : files) disk.add(path, contents);
  const std::string directory = files.front().first.substr(0, files.front().first.rfind('/') + 1);
  for (const char* program : {"menu", "vesamenu", "mboot", "config", "ifcpu64", "whichsys", "linux", "reboot",
                              "poweroff", "chain", "libutil", "libcom32"})
    disk.add(directory + program + ".c32", "program");
  return files.front().first;
}

std::string with_name(const FileReference& file, const std::string& command_line) {
  return command_line.empty() ? file.path : file.path + " " + command_line;
}

void check_entry(const BootEntry& entry, const json& expected) {
  REQUIRE(entry.error.empty());
  CHECK(entry.bootable());
  if (expected.contains("modules")) {
    // The judge's names are as written, ours are full ones.
    const auto rest = [](const std::string& line) {
      return line.substr(std::min(line.find(' '), line.size()));
    };
    REQUIRE(entry.hypervisor);
    CHECK(entry.hypervisor->path == expected["kernel"].get<std::string>());
    CHECK(rest(with_name(*entry.hypervisor, entry.hypervisor_command_line)) ==
          rest(expected["command_line"].get<std::string>()));
    CHECK(rest(with_name(entry.kernel, entry.command_line)) ==
          rest(expected["modules"][0].get<std::string>()));
    CHECK(entry.initrds.size() == expected["modules"].size() - 1);
    return;
  }
  CHECK_FALSE(entry.hypervisor);
  CHECK(entry.kernel.path == expected["kernel"].get<std::string>());
  CHECK(entry.command_line == expected["command_line"].get<std::string>());
  std::vector<std::string> initrds;
  for (const InitrdFile& initrd : entry.initrds) initrds.push_back(initrd.file.path);
  CHECK(initrds == expected["initrds"].get<std::vector<std::string>>());
}

/// What choosing an entry by hand boots.
void check_chosen(Menu& menu, std::size_t index, const json& expected) {
  const MenuEntry& shown = menu.entries()[index];
  INFO("entry " << index << " (" << shown.title << ")");
  if (shown.restricted) return;  // the judge knows no password
  if (shown.is_submenu) {
    const auto submenu = menu.submenu(index);
    REQUIRE(submenu.has_value());
    // A configuration that boots its default at once; else the judge saw a menu and no boot.
    const bool at_once = (*submenu)->timeout() == std::optional<std::uint32_t>(0);
    CHECK(at_once == !expected.is_null());
    if (at_once) check_chosen(**submenu, (*submenu)->default_index(), expected);
    return;
  }
  const auto entry = menu.evaluate(index);
  REQUIRE(entry.has_value());
  if (expected.is_null()) {
    CHECK_FALSE(entry->bootable());
  } else if (!entry->bootable() && !menu.fallback().empty()) {
    const auto fallback = menu.evaluate(menu.fallback()[0]);
    REQUIRE(fallback.has_value());
    check_entry(*fallback, expected);
  } else {
    check_entry(*entry, expected);
  }
}

std::vector<std::size_t> shown_entries(const Menu& menu) {
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < menu.entries().size(); ++i)
    if (!menu.entries()[i].hidden) shown.push_back(i);
  return shown;
}

void check_menu(Menu& menu, const json& expected) {
  std::vector<std::string> titles;
  for (const json& item : expected) titles.push_back(item[0]);
  std::vector<std::size_t> shown = shown_entries(menu);
  // A command line of ONTIMEOUT is an entry of ours, at the end.
  REQUIRE(shown.size() >= titles.size());
  shown.resize(titles.size());
  std::vector<std::string> ours;
  for (const std::size_t index : shown) ours.push_back(menu.entries()[index].title);
  CHECK(ours == titles);
  for (std::size_t i = 0; i < titles.size(); ++i) {
    if (!expected[i][1].is_array()) {
      check_chosen(menu, shown[i], expected[i][1]);
    } else if (expected[i][1].empty()) {
      CHECK_FALSE(menu.entries()[shown[i]].is_submenu);
    } else {
      const auto submenu = menu.submenu(shown[i]);
      REQUIRE(submenu.has_value());
      check_menu(**submenu, expected[i][1]);
    }
  }
}

/// The entry with that label in the menu or below.
void check_label(Menu& menu, const std::string& label, const json& expected, bool& found) {
  for (std::size_t i = 0; i < menu.entries().size() && !found; ++i) {
    const MenuEntry& entry = menu.entries()[i];
    if (entry.id.substr(0, entry.id.find(' ')) == label) {
      found = true;
      check_chosen(menu, i, expected);
    } else if (entry.is_submenu) {
      const auto submenu = menu.submenu(i);
      REQUIRE(submenu.has_value());
      if ((*submenu)->source() == menu.source()) check_label(**submenu, label, expected, found);
    }
  }
}

void check_unattended(Menu& menu, const json& expected) {
  RecordedDiagnostics diagnostics;
  const auto choice = choose_default(menu, diagnostics);
  CHECK((menu.timeout() && choice) == !expected.is_null());
  if (expected.is_null() || !menu.timeout() || !choice) return;
  const std::uint32_t seconds = expected["seconds"];
  // What a menu of another file waits for comes on top.
  Menu* waiting = &menu;
  while (*waiting->timeout() == 0 && waiting->entries()[waiting->default_index()].is_submenu) {
    const auto submenu = waiting->submenu(waiting->default_index());
    REQUIRE(submenu.has_value());
    if (!(*submenu)->timeout()) break;
    waiting = *submenu;
  }
  CHECK(*waiting->timeout() >= seconds - std::min(seconds, 1U));
  CHECK(*waiting->timeout() <= seconds + 1);
  check_entry(choice->entry, expected);
}

/// The menu that syslinux begins with: a submenu, where the default lies in one.
Menu* start_menu(Menu& menu, const json& expected) {
  const std::vector<std::size_t> shown = shown_entries(menu);
  if (!shown.empty() && menu.entries()[shown[0]].title == expected[0][0].get<std::string>()) return &menu;
  const auto submenu = menu.submenu(menu.default_index());
  REQUIRE(submenu.has_value());
  return *submenu;
}

}  // namespace

TEST_CASE("Configurations boot what syslinux itself boots of them") {
  std::size_t cases = 0;
  for (const std::filesystem::path& path : test::data_files("syslinux", ".case")) {
    INFO(path.filename().string());
    const json expected =
        json::parse(test::read_file(std::filesystem::path(path).replace_extension(".expected.json")));
    MemoryDevices devices;
    test::MemoryFileSystem& disk = devices.add("hd0", "da1a-0b2e");
    disk.set_type("fat");
    const std::string configuration = fill_disk(disk, test::read_file(path));
    Budget budget = Budget::standard();
    RecordedDiagnostics diagnostics;
    const GrubSettings settings;
    const auto menu =
        load_syslinux_menu({&devices, settings, budget, diagnostics}, {"extlinux", "hd0", configuration});
    REQUIRE(menu.has_value());
    check_unattended(**menu, expected["unattended"]);
    if (expected["menu"].is_array() && !expected["menu"].empty())
      check_menu(*start_menu(**menu, expected["menu"]), expected["menu"]);
    for (const auto& [label, answer] : expected["labels"].items()) {
      INFO("label " << label);
      bool found = false;
      check_label(**menu, label, answer, found);
      // What the judge found by searching for the word may be no label.
      CHECK((found || answer.is_null()));
    }
    ++cases;
  }
  CHECK(cases >= 60);
}
