// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's translation of syslinux configurations against GRUB 2.06's own: record_syslinux_scripts.py.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "grubcfg/loader_command_line.h"
#include "grubcfg/syslinux_translation.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using nlohmann::json;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

struct Case {
  MemoryDevices devices;
  std::string main;
  std::string options;  ///< of the command: "-i"
};

void fill(Case& the_case, const std::string& text) {
  test::MemoryFileSystem& disk = the_case.devices.add("hd0");
  disk.ignore_repeated_slashes();
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  if (const std::size_t options = line.find(" options: "); options != std::string::npos)
    the_case.options = line.substr(options + 10) + " ";
  std::vector<std::pair<std::string, std::string>> files;
  while (std::getline(lines, line)) {
    if (line.starts_with("=== ")) {
      files.emplace_back(line.substr(4), "");
    } else if (!files.empty()) {
      files.back().second += line + (lines.eof() ? "" : "\n");
    }
  }
  for (const auto& [path, contents] : files) disk.add(path, contents);
  the_case.main = files.front().first;
}

std::string without_last_line_breaks(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// What the recorded commands load.
BootEntry expected_entry(const json& commands) {
  BootEntry entry;
  for (const json& command : commands) {
    const std::string name = command[0];
    const std::string root = command[1];
    std::vector<std::string> arguments;
    for (std::size_t i = 2; i < command.size(); ++i) arguments.push_back(command[i]);
    if (name.starts_with("linux")) {
      entry = BootEntry();
      entry.kind = BootEntry::Kind::kLinux;
      entry.kernel = {root, arguments[0]};
      entry.command_line = "BOOT_IMAGE=" + make_loader_command_line(arguments);
    } else if (name.starts_with("initrd")) {
      entry.initrds.clear();
      for (const std::string& argument : arguments) entry.initrds.push_back({{root, argument}, std::nullopt});
    } else if (name == "chainloader") {
      entry = BootEntry();
      entry.kind = BootEntry::Kind::kChainloader;
      entry.kernel = {root, arguments.back()};
    }
  }
  return entry;
}

void check_choice(Case& the_case, const std::string& script, const json& commands) {
  test::MemoryFileSystem& disk = the_case.devices.add_unlisted("emu");
  disk.add("/grub.cfg", script);
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  GrubSettings settings;
  settings.platform = "emu";
  const auto menu =
      load_configuration(the_case.devices, {"grub2", "emu", "/grub.cfg"}, settings, budget, diagnostics);
  const BootEntry expected = expected_entry(commands);
  if (expected.kind == BootEntry::Kind::kNone) {
    if (menu) CHECK_FALSE(choose_default(**menu, diagnostics).has_value());
    return;
  }
  REQUIRE(menu.has_value());
  // The judge opens nothing, and the devices here have no first block.
  if (expected.kernel.path.starts_with('+')) return;
  const auto choice = choose_default(**menu, diagnostics);
  REQUIRE(choice.has_value());
  CHECK((choice->entry.kind == expected.kind));
  CHECK(choice->entry.kernel == expected.kernel);
  if (expected.kind == BootEntry::Kind::kLinux) CHECK(choice->entry.command_line == expected.command_line);
  // The judge opens nothing: a directory is no initrd.
  for (const InitrdFile& initrd : expected.initrds)
    if (initrd.file.path.ends_with('/')) return;
  REQUIRE(choice->entry.initrds.size() == expected.initrds.size());
  for (std::size_t i = 0; i < expected.initrds.size(); ++i)
    CHECK(choice->entry.initrds[i].file == expected.initrds[i].file);
}

void check_script(Case& the_case, const json& expected) {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  Session session{&the_case.devices, {}, budget, diagnostics};
  Evaluator evaluator(session, MachineState());
  REQUIRE(evaluator.set_variable("root", "hd0").has_value());
  TranslatedFile file;
  // The judge knows the first file by another name than those that lead back to it.
  file.name = "(hd0)" + the_case.main;
  file.root = "/";
  file.directory = the_case.main.substr(0, the_case.main.rfind('/'));
  if (the_case.options == "-i ") file.flavour = SyslinuxFlavour::kIsolinux;
  const auto script = translate_syslinux(evaluator, file);
  REQUIRE(script.has_value());
  CHECK(script->has_value() == expected.is_string());
  if (*script && expected.is_string())
    CHECK(without_last_line_breaks(**script) == without_last_line_breaks(expected.get<std::string>()));
}

}  // namespace

TEST_CASE("Syslinux configurations are translated as GRUB translates them") {
  std::size_t cases = 0;
  for (const std::filesystem::path& path : test::data_files("syslinux_scripts", ".case")) {
    INFO(path.filename().string());
    std::filesystem::path recorded = path;
    const json expected = json::parse(test::read_file(recorded.replace_extension(".expected.json")));
    Case the_case;
    fill(the_case, test::read_file(path));
    check_script(the_case, expected["script"]);
    // From here on every file is there.
    test::MemoryFileSystem& disk =
        *dynamic_cast<test::MemoryFileSystem*>(*the_case.devices.file_system("hd0"));
    disk.open_anything_but(".cfg");
    the_case.devices.open_any_device();
    const std::string source = "set root=hd0\nsyslinux_source " + the_case.options + the_case.main + "\n";
    if (expected["source"].is_object()) {
      Budget budget = Budget::standard();
      RecordedDiagnostics diagnostics;
      const std::string print = "echo \"$timeout|$default\"\n";
      REQUIRE(evaluate_script(source + print, "s", &the_case.devices, {}, budget, diagnostics).has_value());
      CHECK(diagnostics.output.ends_with(expected["source"]["timeout"].get<std::string>() + "|" +
                                         expected["source"]["default"].get<std::string>() + "\n"));
      if (!expected["source"]["commands"].empty())
        check_choice(the_case, source + "boot\n", expected["source"]["commands"]);
    }
    for (const auto& [id, commands] : expected["entries"].items()) {
      INFO("entry " << id);
      check_choice(the_case, source + "set default='" + id + "'\n", commands);
    }
    ++cases;
  }
  CHECK(cases >= 20);
}
