// SPDX-License-Identifier: LGPL-2.1-or-later
// Scripts whose output grub-emu 2.06 made: tests/data/grubcfg/scripts, and menus, whose entries say how they
// were reached.
#include <catch2/catch.hpp>

#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::RecordedDiagnostics;

TEST_CASE("Scripts print what grub-emu prints") {
  const auto scripts = test::data_files("scripts", ".cfg");
  REQUIRE(scripts.size() >= 30);
  for (const auto& path : scripts) {
    INFO(path.filename().string());
    Budget budget = Budget::standard();
    RecordedDiagnostics diagnostics;
    const auto status = evaluate_script(test::read_file(path), "script", nullptr, {}, budget, diagnostics);
    REQUIRE(status.has_value());
    std::filesystem::path expected = path;
    CHECK(diagnostics.output == test::read_file(expected.replace_extension(".expected")));
  }
}

TEST_CASE("Default, fallback and submenus lead to the entries that grub-emu boots") {
  const auto menus = test::data_files("menus", ".cfg");
  REQUIRE(menus.size() >= 70);
  for (const auto& path : menus) {
    INFO(path.filename().string());
    Budget budget = Budget::standard();
    RecordedDiagnostics diagnostics;
    const auto menu = load_bare_configuration(test::read_file(path), "menu", {}, budget, diagnostics);
    REQUIRE(menu.has_value());
    // No entry of these loads anything, so that all are tried in their order.
    CHECK(choose_default(**menu, diagnostics).error().code == ErrorCode::kNoEntry);
    std::string entries;
    std::string_view rest = diagnostics.output;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      if (line.starts_with("ENTRY")) entries += std::string(line) + "\n";
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    std::filesystem::path expected = path;
    CHECK(entries == test::read_file(expected.replace_extension(".expected")));
  }
}

TEST_CASE("Syntax errors are told with file and line, and cost one statement") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto status = evaluate_script("# one\necho a\n#three\n\necho b && echo c\necho d\n", "s.cfg", nullptr,
                                      {}, budget, diagnostics);
  REQUIRE(status.has_value());
  CHECK(diagnostics.output == "a\nd\n");
  CHECK(diagnostics.has_notice("s.cfg:5: error: syntax error"));
}

TEST_CASE("An unknown command is told with file and line") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  CHECK(evaluate_script("true\n\nif true; then\n nosuch\nfi\n", "s.cfg", nullptr, {}, budget, diagnostics)
            .value());
  CHECK(diagnostics.has_notice("s.cfg:4: error: can't find command `nosuch'."));
}

TEST_CASE("The status of a script is that of its last command") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  CHECK(evaluate_script("false\ntrue\n", "s", nullptr, {}, budget, diagnostics).value());
  CHECK_FALSE(evaluate_script("true\nfalse\n", "s", nullptr, {}, budget, diagnostics).value());
  CHECK(evaluate_script("", "s", nullptr, {}, budget, diagnostics).value());
}

TEST_CASE("The platform is what the settings say") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(evaluate_script("echo $grub_platform $grub_cpu $feature_menuentry_id\n", "s", nullptr, {}, budget,
                          diagnostics));
  CHECK(diagnostics.output == "xen_pvh i386 y\n");
}

TEST_CASE("Recursion ends where GRUB ends it") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(evaluate_script("function r { echo L; r; }\nr\necho $?\n", "s", nullptr, {}, budget, diagnostics));
  std::string expected;
  for (int i = 0; i < 30; ++i) expected += "L\n";
  CHECK(diagnostics.output == expected + "47\n");
}
