// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_type1.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using Loader = pvhgrub::grubcfg::Type1Entry::Loader;
using pvhgrub::test::RecordedDiagnostics;

namespace {

Type1Entry parse(const std::string& text, RecordedDiagnostics& diagnostics,
                 std::string_view machine = "x64") {
  Budget budget = Budget::standard();
  std::set<std::string, std::less<>> unknown;
  const auto entry = parse_type1_entry(text, "a.conf", machine, unknown, budget, diagnostics);
  REQUIRE(entry.has_value());
  return *entry;
}

Type1Entry parse(const std::string& text) {
  RecordedDiagnostics diagnostics;
  Type1Entry entry = parse(text, diagnostics);
  CHECK(diagnostics.notices.empty());
  return entry;
}

}  // namespace

TEST_CASE("an entry's keys are read, the last of each, all of initrd and options", "[type1]") {
  const Type1Entry entry = parse(
      "# a comment\n"
      "title    Some OS\n"
      "title    Other OS\n"
      "version\t6.1\n"
      "machine-id 0123\n"
      "sort-key other\n"
      "linux /vmlinuz\n"
      "initrd ucode.img\n"
      "initrd //a/./b.img\n"
      "options root=UUID=1  ro\n"
      "options quiet\n"
      "devicetree \\dtb\\x.dtb\n"
      "architecture X64\n"
      "profile 2\n"
      "grub_users $grub_users\n");
  CHECK(entry.refusal.empty());
  CHECK(entry.loader == Loader::kLinux);
  CHECK(entry.path == "/vmlinuz");
  CHECK(entry.title == "Other OS");
  CHECK(entry.version == "6.1");
  CHECK(entry.machine_id == "0123");
  CHECK(entry.sort_key == "other");
  CHECK(entry.initrds == std::vector<std::string>{"/ucode.img", "/a/b.img"});
  CHECK(entry.options == "root=UUID=1  ro quiet");
  CHECK(entry.device_tree == "/dtb/x.dtb");
  CHECK(entry.profile == 2);
}

TEST_CASE("a value that is quoted as a whole loses its quotes", "[type1]") {
  CHECK(parse("linux /v\noptions \"a b\"").options == "a b");
  CHECK(parse("linux /v\noptions \"a\" \"b\"").options == "a\" \"b");
  CHECK(parse("linux /v\noptions a=\"b c\"").options == "a=\"b c\"");
}

TEST_CASE("an entry boots one thing", "[type1]") {
  CHECK(parse("efi /a.efi").loader == Loader::kEfi);
  CHECK(parse("uki /a.efi").loader == Loader::kUki);
  CHECK(parse("linux /a\nlinux /b").path == "/b");
  CHECK(parse("uki-url http://x/a.efi").path == "http://x/a.efi");
  const Type1Entry both = parse("linux /a\ntitle x\nefi /b\n");
  CHECK(both.refusal.find("more than one of") != std::string::npos);
  CHECK(both.refusal_line == 3);
  CHECK(parse("uki-url :a.efi").refusal.find("relative") != std::string::npos);
  CHECK(parse("title x\noptions y").refusal.find("none of linux") != std::string::npos);
  CHECK(parse("").refusal.find("none of linux") != std::string::npos);
  CHECK(parse("sort-key a").sort_key == "a");
  CHECK_FALSE(parse("linux /a").sort_key.has_value());
}

TEST_CASE("an entry for another machine is refused", "[type1]") {
  RecordedDiagnostics diagnostics;
  CHECK(parse("linux /a\narchitecture aa64", diagnostics).is_for_other_machine);
  CHECK(parse("linux /a\narchitecture ia32", diagnostics).is_for_other_machine);
  CHECK_FALSE(parse("linux /a\narchitecture AA64", diagnostics, "aa64").is_for_other_machine);
}

TEST_CASE("lines that are not understood are told, and the rest counts", "[type1]") {
  RecordedDiagnostics diagnostics;
  const Type1Entry entry =
      parse("linux\nlinux /a\nwhatever x\nwhatever y\nprofile x\ndevicetree-overlay /o\nextra /x.cred\n",
            diagnostics);
  CHECK(entry.path == "/a");
  CHECK(entry.refusal.empty());
  CHECK(diagnostics.has_notice("a.conf:1: a key without a value is left out: linux"));
  CHECK(diagnostics.has_notice("a.conf:3: unknown key: whatever"));
  CHECK(diagnostics.has_notice("a.conf:5: profile is a number"));
  CHECK(diagnostics.has_notice("a.conf:6: devicetree-overlay"));
  CHECK(diagnostics.has_notice("a.conf:7: credentials"));
  CHECK(diagnostics.notices.size() == 5);
}

TEST_CASE("more initrds than anybody has are refused", "[type1]") {
  std::string text = "linux /a\n";
  for (std::size_t i = 0; i < limits::kInitrds; ++i) text += "initrd /i\n";
  CHECK(parse(text).refusal.empty());
  CHECK_FALSE(parse(text + "initrd /i\n").refusal.empty());
}
