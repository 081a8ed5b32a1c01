// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole configurations of real systems against what GRUB 2.06 made of them (grub-emu on a host directory: one
// device, "host", that `search` does not see, and no kernel checked).
#include <catch2/catch.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "grubcfg/loader_command_line.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using nlohmann::json;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

std::string doubled(const std::string& id) {
  std::string text;
  for (const char c : id) text += c == '>' ? std::string(">>") : std::string(1, c);
  return text;
}

bool is_linux(const std::string& command) {
  return command == "linux" || command == "linux16" || command == "linuxefi";
}
bool is_initrd(const std::string& command) {
  return command == "initrd" || command == "initrd16" || command == "initrdefi";
}

/// The expected commands of one entry as the BootEntry that they make.
BootEntry expected_entry(const json& commands) {
  BootEntry entry;
  std::size_t modules = 0;
  for (const json& command : commands) {
    const std::string name = command["cmd"];
    const std::vector<std::string> arguments = command["argv"];
    if (arguments.empty()) continue;
    const FileReference file = arguments[0].starts_with('(')
                                   ? FileReference{arguments[0].substr(1, arguments[0].find(')') - 1),
                                                   arguments[0].substr(arguments[0].find(')') + 1)}
                                   : FileReference{command["root"], arguments[0]};
    if (is_linux(name)) {
      entry = BootEntry();
      entry.kind = BootEntry::Kind::kLinux;
      entry.kernel = file;
      entry.command_line = "BOOT_IMAGE=" + make_loader_command_line(arguments);
    } else if (is_initrd(name) && entry.kind == BootEntry::Kind::kLinux) {
      entry.initrds.clear();
      for (const std::string& argument : arguments) {
        const std::size_t end = argument.starts_with('(') ? argument.find(')') : std::string::npos;
        entry.initrds.push_back({end == std::string::npos
                                     ? FileReference{command["root"], argument}
                                     : FileReference{argument.substr(1, end - 1), argument.substr(end + 1)},
                                 std::nullopt});
      }
    } else if (name == "multiboot" || name == "multiboot2" || name == "xen_hypervisor") {
      entry = BootEntry();
      entry.hypervisor = file;
      entry.hypervisor_command_line = make_loader_command_line(std::span(arguments).subspan(1));
    } else if (name.find("module") != std::string::npos && arguments[0] != "--nounzip" && modules++ == 0) {
      entry.kind = BootEntry::Kind::kLinux;
      entry.kernel = file;
      entry.command_line = make_loader_command_line(std::span(arguments).subspan(1));
    }
  }
  return entry;
}

/// Several entries call their disks by one name, which the fake devices keep apart by words in front.
std::string script_name(const FileReference& file) {
  std::string text = file.to_string();
  for (const std::string_view word = "other_"; text.find(word) == 1;) text.erase(1, word.size());
  return text;
}

void check_entry(Menu& menu, std::size_t index, const json& commands) {
  const auto evaluated = menu.evaluate(index);
  REQUIRE(evaluated.has_value());
  // The expectations lost words of more than some 80 bytes on their way over a terminal: a kernel is a path.
  for (const json& command : commands)
    if (is_linux(command["cmd"]) && !command["argv"].empty()) {
      const std::string kernel = command["argv"][0];
      if (!kernel.starts_with('/') && !kernel.starts_with('(')) return;
    }
  const BootEntry expected = expected_entry(commands);
  if (expected.kind != BootEntry::Kind::kLinux) {
    CHECK(evaluated->kind != BootEntry::Kind::kLinux);
    return;
  }
  CHECK(evaluated->kind == BootEntry::Kind::kLinux);
  CHECK(script_name(evaluated->kernel) == expected.kernel.to_string());
  CHECK(evaluated->command_line == expected.command_line);
  CHECK(evaluated->hypervisor.has_value() == expected.hypervisor.has_value());
  if (expected.hypervisor) {
    CHECK(evaluated->hypervisor->to_string() == expected.hypervisor->to_string());
    CHECK(evaluated->hypervisor_command_line == expected.hypervisor_command_line);
    REQUIRE(evaluated->initrds.size() <= 1);
  } else {
    REQUIRE(evaluated->initrds.size() == expected.initrds.size());
    for (std::size_t i = 0; i < expected.initrds.size(); ++i)
      CHECK(script_name(evaluated->initrds[i].file) == expected.initrds[i].file.to_string());
  }
}

void check_submenu(Menu& menu, std::size_t index, const json& children) {
  const auto submenu = menu.submenu(index);
  REQUIRE(submenu.has_value());
  REQUIRE((*submenu)->entries().size() >= children.size());
  for (std::size_t i = 0; i < children.size(); ++i) {
    INFO("submenu entry " << index << ">" << i);
    const MenuEntry& entry = (*submenu)->entries()[i];
    if (entry.is_submenu) continue;
    CHECK(entry.title == children[i]["titles"].back().get<std::string>());
    if (children[i]["chosen"].is_string())
      CHECK(doubled(menu.entries()[index].id) + ">" + doubled(entry.id) ==
            children[i]["chosen"].get<std::string>());
    check_entry(**submenu, i, children[i]["cmds"]);
  }
}

void check_settings(const Menu& menu, const json& expected) {
  const json& timeout = expected["timeout"];
  CHECK(menu.timeout().has_value() == timeout.is_string());
  if (timeout.is_string() && menu.timeout())
    CHECK(std::to_string(*menu.timeout()) == timeout.get<std::string>());
  const json& style = expected["timeout_style"];
  const std::string name = style.is_string() ? style.get<std::string>() : "";
  const TimeoutStyle wanted = name == "countdown" ? TimeoutStyle::kCountdown
                              : name == "hidden"  ? TimeoutStyle::kHidden
                                                  : TimeoutStyle::kMenu;
  if (menu.timeout()) CHECK((menu.timeout_style() == wanted));
}

/// Returns how many entries were compared.
std::size_t check_configuration(const std::string& text, const std::string& grubenv, const json& expected) {
  MemoryDevices devices;
  test::MemoryFileSystem& host = devices.add_unlisted("host");
  host.add("/boot/grub/grub.cfg", text);
  if (!grubenv.empty()) host.add("/boot/grub/grubenv", grubenv);
  host.open_anything();
  devices.open_any_device();
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  GrubSettings settings;
  settings.platform = "emu";
  settings.cpu = "x86_64";
  settings.grubenv = GrubenvMode::kWrite;  // as GRUB
  const auto menu =
      load_configuration(devices, {"grub2", "host", "/boot/grub/grub.cfg"}, settings, budget, diagnostics);
  const json& entries = expected["entries"];
  if (entries.empty()) {
    REQUIRE_FALSE(menu.has_value());
    CHECK(menu.error().code == ErrorCode::kNoEntry);
    return 0;
  }
  REQUIRE(menu.has_value());
  check_settings(**menu, expected);
  REQUIRE((*menu)->entries().size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    INFO("entry " << i);
    const MenuEntry& entry = (*menu)->entries()[i];
    CHECK(entry.title == entries[i]["title"].get<std::string>());
    CHECK(entry.is_submenu == entries[i].contains("submenu"));
    if (entry.is_submenu) {
      check_submenu(**menu, i, entries[i]["submenu"]);
      continue;
    }
    if (entries[i]["chosen"].is_string()) CHECK(doubled(entry.id) == entries[i]["chosen"].get<std::string>());
    check_entry(**menu, i, entries[i]["cmds"]);
  }
  const json& chosen = expected["default_entry"];
  if (chosen.is_object() && !chosen["titles"].empty()) {
    CHECK((*menu)->entries()[(*menu)->default_index()].title == chosen["titles"].front().get<std::string>());
    const auto choice = choose_default(**menu, diagnostics);
    if (choice) CHECK(choice->title == chosen["titles"].back().get<std::string>());
  }
  return entries.size();
}

}  // namespace

TEST_CASE("Configurations that grub-mkconfig made evaluate as in GRUB") {
  std::size_t configurations = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(PVHGRUB_TEST_DATA) / "corpus")) {
    INFO(entry.path().filename().string());
    const json expected = json::parse(test::read_file(entry.path() / "expected.json"));
    CHECK(check_configuration(test::read_file(entry.path() / "grub.cfg"),
                              test::read_file(entry.path() / "grubenv"), expected) > 0);
    ++configurations;
  }
  CHECK(configurations == 30);
}

TEST_CASE("Configurations of other projects' test data evaluate as in GRUB") {
  const std::filesystem::path corpus = std::filesystem::path(PVHGRUB_SHARED) / "corpus";
  if (!std::filesystem::exists(corpus / "public")) {
    std::cout << "skipped: the folder of public configurations is not there\n";
    return;
  }
  std::size_t configurations = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus / "expected" / "public")) {
    if (entry.path().extension() != ".json") continue;
    const std::filesystem::path relative = std::filesystem::relative(entry.path(), corpus / "expected");
    std::filesystem::path source = corpus / relative;
    source.replace_extension();
    // Red Hat's own: GRUB 2.06 as Debian has it loses their \x20, see loader_command_line.h.
    const bool has_hex_escapes = test::read_file(source).find("\\x") != std::string::npos;
    const json expected = json::parse(test::read_file(entry.path()));
    if (!std::filesystem::exists(source) || has_hex_escapes || expected["status"] != "done") continue;
    INFO(relative.string());
    check_configuration(test::read_file(source), "", expected);
    ++configurations;
  }
  CHECK(configurations >= 20);
}
