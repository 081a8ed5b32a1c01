// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/wildcard.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "grubcfg/loader_command_line.h"
#include "grubcfg/regular_expression.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

std::string run(MemoryDevices& devices, const std::string& script) {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(evaluate_script(script, "s", &devices, {}, budget, diagnostics));
  return diagnostics.output;
}

MemoryDevices& fill(MemoryDevices& devices) {
  devices.add_without_file_system("hd0");
  devices.add("hd0,gpt1")
      .add("/boot/grub/grub.cfg")
      .add("/boot/vmlinuz-1")
      .add("/boot/vmlinuz-2")
      .add("/boot/initrd-2")
      .add("/a/x/file")
      .add("/a/y/other");
  devices.add("hd0,gpt2").add("/v*");
  return devices;
}

}  // namespace

TEST_CASE("Stars and question marks match without running away") {
  CHECK(matches_wildcard("*", ""));
  CHECK(matches_wildcard("a*b*c", "axxbyyc"));
  CHECK_FALSE(matches_wildcard("a*b*c", "axxbyy"));
  CHECK(matches_wildcard("a?c", "abc"));
  CHECK_FALSE(matches_wildcard("a?c", "ac"));
  CHECK(matches_wildcard("a\\*c", "a*c"));
  CHECK_FALSE(matches_wildcard("a\\*c", "abc"));
  CHECK_FALSE(matches_wildcard("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST_CASE("What GRUB does not hide from its regular expressions has a meaning in a wildcard") {
  MemoryDevices devices;
  const std::string both = "/boot/vmlinuz-1 /boot/vmlinuz-2\n";
  CHECK(run(fill(devices), "echo /boot/v*'$'\n") == both);
  CHECK(run(devices, "echo /boot/^v*\n") == both);
  CHECK(run(devices, "echo /boot/v*\\'\n") == both);
  CHECK(run(devices, "echo /boot/v*\\w\n") == both);
  CHECK(run(devices, "echo /boot/v*'.' /boot/v*'|'x\n") == "/boot/v*. /boot/v*|x\n");
}

TEST_CASE("In a wildcard only a '(' at the beginning opens a device's name") {
  MemoryDevices devices;
  CHECK(run(fill(devices), "echo /nosuch/(hd0,gpt1)/boot/v*\n") == "/nosuch/(hd0,gpt1)/boot/v*\n");
}

TEST_CASE("An unquoted wildcard names the files that are there") {
  MemoryDevices devices;
  CHECK(run(fill(devices), "for f in /boot/vmlinuz-*; do echo $f; done\n") ==
        "/boot/vmlinuz-1\n/boot/vmlinuz-2\n");
  CHECK(run(devices, "echo ($root)/boot/vmlinuz-?\n") ==
        "(hd0,gpt1)/boot/vmlinuz-1 (hd0,gpt1)/boot/vmlinuz-2\n");
  CHECK(run(devices, "echo /a/*/file\n") == "/a/x/file\n");
  CHECK(run(devices, "echo (hd0,*)/v*\n") == "(hd0,gpt2)/v*\n");
  CHECK(run(devices, "set w='/boot/init*'; echo $w\n") == "/boot/initrd-2\n");
}

TEST_CASE("A quoted wildcard, and one that matches nothing, stands for itself") {
  MemoryDevices devices;
  CHECK(run(fill(devices), "echo \"/boot/vmlinuz-*\" '/boot/*' /boot/\\* /nosuch/* boot/*\n") ==
        "/boot/vmlinuz-* /boot/* /boot/* /nosuch/* boot/*\n");
}

TEST_CASE("Hexadecimal escapes stay only where they are asked for") {
  CHECK(unescape_wildcards("a\\x20b\\*", true) == "a\\x20b*");
  CHECK(unescape_wildcards("a\\x20b\\*", false) == "ax20b*");
  CHECK(unescape_wildcards("\\xg0\\", true) == "xg0");
}

TEST_CASE("A loader's command line quotes words as GRUB does") {
  const std::vector<std::string> words = {"/vmlinuz",  "a b",         "it's",
                                          "say \"x\"", "back\\slash", "label=CentOS\\x207"};
  CHECK(make_loader_command_line(words) ==
        "/vmlinuz \"a b\" it\\'s \"say \\\"x\\\"\" back\\\\slash label=CentOS\\x207");
  CHECK(make_loader_command_line({}).empty());
  const std::vector<std::string> empty = {"", ""};
  CHECK(make_loader_command_line(empty) == " ");
}

TEST_CASE("Regular expressions give their groups") {
  Budget budget = Budget::standard();
  const auto match = match_regexp("(a+)(b)?(c)", "xaac", budget);
  REQUIRE(match.has_value());
  CHECK(match->matched);
  REQUIRE(match->groups.size() == 4);
  CHECK(match->groups[0] == "aac");
  CHECK(match->groups[1] == "aa");
  CHECK_FALSE(match->groups[2].has_value());
  CHECK_FALSE(match_regexp("[", "x", budget)->matched);
}

TEST_CASE("Regular expressions that could run away are refused") {
  Budget budget = Budget::standard();
  CHECK(match_regexp("((a{1,100}){1,100}){1,100}", "a", budget).error().code == ErrorCode::kLimit);
  CHECK(match_regexp("(a*)\\1", std::string(300, 'a'), budget).error().code == ErrorCode::kLimit);
  CHECK(match_regexp(std::string(2000, '('), "a", budget).error().code == ErrorCode::kLimit);
  CHECK(match_regexp("a", std::string(100'000, 'a'), budget).error().code == ErrorCode::kLimit);
}
