// SPDX-License-Identifier: LGPL-2.1-or-later
// Scripts that try to never end, to nest without end, or to grow without end.
#include <catch2/catch.hpp>

#include "base/limits.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// A budget small enough for a test.
Budget small_budget() {
  return {1'000'000, 256 * limits::kMiB};
}

ErrorCode code_of(const std::string& script) {
  Budget budget = small_budget();
  RecordedDiagnostics diagnostics;
  const auto status = evaluate_script(script, "s", nullptr, {}, budget, diagnostics);
  REQUIRE_FALSE(status.has_value());
  CHECK_FALSE(status.error().where.empty());
  return status.error().code;
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("Loops without end hit the budget") {
  CHECK(code_of("while true; do true; done\n") == ErrorCode::kLimit);
  CHECK(code_of("until false; do set a=b; done\n") == ErrorCode::kLimit);
  CHECK(code_of("while true; do for i in 1 2 3; do continue 2; done; done\n") == ErrorCode::kLimit);
  CHECK(code_of("while true; do eval true; done\n") == ErrorCode::kLimit);
  CHECK(code_of("while true; do menuentry a { true; }; done\n") == ErrorCode::kLimit);
}

TEST_CASE("A function that calls itself twice hits the budget") {
  CHECK(code_of("function f { f; f; }\nf\n") == ErrorCode::kLimit);
}

TEST_CASE("A script that does little but fail is stopped before its messages take long") {
  Budget budget(1'000'000, 1'000'000);
  RecordedDiagnostics diagnostics;
  const auto status = evaluate_script("while true; do nosuch; done\n", "s", nullptr, {}, budget, diagnostics);
  CHECK(status.error().code == ErrorCode::kLimit);
  CHECK(diagnostics.notices.size() < 20'000);
}

TEST_CASE("What is printed is charged for: a line is five commands") {
  const auto status_with = [](std::uint64_t steps, std::uint64_t bytes, const std::string& script) {
    Budget budget(steps, bytes);
    RecordedDiagnostics diagnostics;
    return evaluate_script(script, "s", nullptr, {}, budget, diagnostics).has_value();
  };
  const std::string text(1000, 'x');
  const std::string block = "test_blockarg { " + text + "; }\n";
  for (const std::string& command : {std::string("echo a\n"), std::string("set\n"),
                                     std::string("gettext a\n"), "set v=" + text + "; set\n", block}) {
    INFO(command.substr(0, 20));
    CHECK(status_with(10'000, 100'000, command));
    CHECK_FALSE(status_with(400, 1'000'000, repeated(command, 100)));
  }
  CHECK_FALSE(status_with(100'000, 100'000, "set v=" + text + "\n" + repeated("set\n", 200)));
  CHECK_FALSE(status_with(100'000, 100'000, repeated(block, 110)));
}

TEST_CASE("The words that a variable falls into are charged for, each of them") {
  Budget budget(20'000, 1'000'000);
  RecordedDiagnostics diagnostics;
  const std::string script = "set a='" + repeated("x ", 1000) + "'\n" + repeated("true $a $a $a $a\n", 10);
  const auto status = evaluate_script(script, "s", nullptr, {}, budget, diagnostics);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kLimit);
}

TEST_CASE("A regular expression that matches nothing in a long text costs what it takes") {
  const auto matched_with = [](std::size_t length) {
    return "regexp '((x|xx)*)*y' " + std::string(length, 'x') + "\n";
  };
  CHECK(code_of(matched_with(60'000)) == ErrorCode::kLimit);
  CHECK(code_of(repeated(matched_with(2'000), 20)) == ErrorCode::kLimit);
  Budget budget = small_budget();
  RecordedDiagnostics diagnostics;
  CHECK(evaluate_script(matched_with(2'000), "s", nullptr, {}, budget, diagnostics).has_value());
}

TEST_CASE("A byte that is hashed costs two that are read, and an empty file little") {
  const auto code = [](std::uint64_t bytes, const std::string& script) {
    MemoryDevices devices;
    devices.add("hd0").add("/f", std::string(100'000, 'f')).add("/empty", "");
    Budget budget(1'000'000, bytes);
    RecordedDiagnostics diagnostics;
    const auto status = evaluate_script(script, "s", &devices, {}, budget, diagnostics);
    return status ? std::nullopt : std::optional(status.error().code);
  };
  for (const std::string command :
       {"md5sum", "sha1sum", "sha256sum", "sha512sum", "crc", "hashsum --hash md4"}) {
    INFO(command);
    CHECK_FALSE(code(210'000, command + " (hd0)/f\n"));
    CHECK(code(190'000, command + " (hd0)/f\n") == ErrorCode::kLimit);
  }
  CHECK_FALSE(code(100'000, repeated("crc (hd0)/empty\n", 1000)));
}

TEST_CASE("A variable that doubles for ever is stopped") {
  CHECK(code_of("set a=xxxxxxxx\nwhile true; do set a=$a$a; done\n") == ErrorCode::kLimit);
  CHECK(code_of("set n=1\nset b=" + repeated("y", 5000) + "\nwhile true; do set n=x$n; set v$n=$b; done\n") ==
        ErrorCode::kLimit);
}

TEST_CASE("Input nested ten thousand deep is refused") {
  CHECK(code_of(repeated("if true; then\n", 10'000)) == ErrorCode::kLimit);
  CHECK(code_of(repeated("while true; do\n", 10'000)) == ErrorCode::kLimit);
  CHECK(code_of(repeated("a { ", 10'000)) == ErrorCode::kLimit);
  CHECK(code_of("test " + repeated("'(' ", 10'000)) == ErrorCode::kLimit);
}

TEST_CASE("A long chain of elif is no nesting to the parser") {
  Budget budget = small_budget();
  RecordedDiagnostics diagnostics;
  const std::string script =
      "if true; then echo first; " + repeated("elif false; then echo; ", 10'000) + "fi; echo end\n";
  REQUIRE(evaluate_script(script, "s", nullptr, {}, budget, diagnostics));
  CHECK(diagnostics.output == "first\nend\n");
}

TEST_CASE("A statement that never ends is bounded") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto status =
      evaluate_script("function f {\n" + repeated("a\n", limits::kStatementCommands + 1) + "}\n", "s",
                      nullptr, {}, budget, diagnostics);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kLimit);
}

TEST_CASE("A file that sources itself ends as GRUB ends it") {
  MemoryDevices devices;
  devices.add("hd0").add("/boot/grub/grub.cfg", "echo x\nsource /boot/grub/grub.cfg\n");
  Budget budget = small_budget();
  RecordedDiagnostics diagnostics;
  const auto menu =
      load_configuration(devices, {"grub2", "hd0", "/boot/grub/grub.cfg"}, {}, budget, diagnostics);
  REQUIRE_FALSE(menu.has_value());
  CHECK(menu.error().code == ErrorCode::kNoEntry);
  CHECK(diagnostics.has_notice("maximum recursion depth exceeded"));
}

TEST_CASE("An entry that leads back to its own menu is stopped") {
  MemoryDevices devices;
  devices.add("hd0").add("/boot/grub/grub.cfg", "menuentry again { configfile /boot/grub/grub.cfg }\n");
  Budget budget = small_budget();
  RecordedDiagnostics diagnostics;
  const auto menu =
      load_configuration(devices, {"grub2", "hd0", "/boot/grub/grub.cfg"}, {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  CHECK((*menu)->evaluate(0).error().code == ErrorCode::kLimit);
}

TEST_CASE("Every cut of a configuration is read without harm") {
  const std::string script =
      "if [ \"$a\" = $'x' ]; then\n menuentry \"t ${v}\" --id 'i' {\n  linux /v \\\n a\n }\nfi\n";
  for (std::size_t length = 0; length <= script.size(); ++length) {
    Budget budget = small_budget();
    RecordedDiagnostics diagnostics;
    CHECK(evaluate_script(script.substr(0, length), "s", nullptr, {}, budget, diagnostics).has_value());
  }
}

TEST_CASE("A hundred thousand entries are listed within the budget") {
  std::string script;
  for (int i = 0; i < 100'000; ++i)
    script += "menuentry 'Linux " + std::to_string(i) + "' --class os --id i" + std::to_string(i) +
              " {\n set root=hd0,1\n linux /boot/vmlinuz-" + std::to_string(i) + " root=/dev/x ro\n}\n";
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu = load_bare_configuration(std::move(script), "c", {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  REQUIRE((*menu)->entries().size() == 100'000);
  const auto last = (*menu)->evaluate(99'999);
  REQUIRE(last.has_value());
  CHECK(last->command_line == "BOOT_IMAGE=/boot/vmlinuz-99999 root=/dev/x ro");
}
