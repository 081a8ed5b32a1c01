// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/command_completion.h"

#include <catch2/catch.hpp>

#include "grubcfg/command_help.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;
using Names = std::vector<std::string>;

namespace {

class Guest {
 public:
  Guest() {
    devices.add_without_file_system("hd0");
    devices.add("hd0,gpt2").add("/data/file");
    root.add("/boot/grub/grub.cfg", "menuentry x { true }\n")
        .add("/boot/vmlinuz-6.1")
        .add("/boot/vmlinuz-6.2");
    root.add("/boot/initrd.img")
        .add("/odd/it is")
        .add("/odd/it's $5")
        .add("/odd/\xc3\xa4")
        .add("/odd/\xc3\xb6");
    root.add("/.dot").add("/usr/bin/env");
    devices.add("hd1").add("/only");
    devices.add_without_file_system("hdx9");
    auto loaded =
        load_configuration(devices, {"grub2", "hd0,gpt1", "/boot/grub/grub.cfg"}, {}, budget, diagnostics);
    REQUIRE(loaded.has_value());
    menu = std::move(*loaded);
    line = std::move(*menu->command_line());
  }
  Completion complete(std::string_view text) {
    auto completion = line->complete(text);
    if (!completion) FAIL(completion.error().describe());
    return *completion;
  }
  std::string addition(std::string_view text) { return complete(text).addition; }
  Names candidates(std::string_view text) { return complete(text).candidates; }

  MemoryDevices devices;
  test::MemoryFileSystem& root = devices.add("hd0,gpt1");
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<Menu> menu;
  std::unique_ptr<CommandLine> line;
};

}  // namespace

TEST_CASE("Commands are completed where a command stands", "[completion]") {
  Guest guest;
  for (const char* const before : {"", "  ", "true; ", "if ", "if true; then ", "else ", "while ", "f { ",
                                   "! ", "time ", "true\n", "if true; then true; elif "}) {
    INFO(before);
    CHECK(guest.addition(before + std::string("configf")) == "ile ");
  }
  CHECK(guest.complete("initr").candidates == Names{"initrd", "initrd16", "initrdefi"});
  CHECK(guest.complete("initr").addition == "d");
  CHECK(guest.complete("initr").subject == "commands");
  CHECK(guest.addition("nosuch").empty());
  CHECK(guest.addition("whil") == "e ");
  REQUIRE(guest.line->run("function zzmine { true; }").has_value());
  CHECK(guest.addition("zz") == "mine ");
  CHECK(guest.addition("help zz") == "mine ");
  CHECK(guest.addition("help whil").empty());
  CHECK(guest.candidates("").size() == 201);
  CHECK(guest.candidates("").back().ends_with(" more"));
}

TEST_CASE("Devices and partitions are completed behind a parenthesis", "[completion]") {
  Guest guest;
  CHECK(guest.candidates("ls (") == Names{"hd0", "hd1", "hdx9"});
  CHECK(guest.addition("ls (") == "hd");
  CHECK(guest.complete("ls (").subject == "devices");
  CHECK(guest.addition("ls (hd0") == ",");
  CHECK(guest.addition("ls (hd1") == ")");
  CHECK(guest.addition("ls (hdx") == "9)");
  CHECK(guest.candidates("ls (hd0,") == Names{"hd0,gpt1", "hd0,gpt2"});
  CHECK(guest.addition("ls (hd0,") == "gpt");
  CHECK(guest.addition("ls (hd0,gpt2") == ")");
  CHECK(guest.addition("set root=(hd1") == ")");
  CHECK(guest.addition("ls (nosuch").empty());
}

TEST_CASE("Files are completed on $root and on named devices", "[completion]") {
  Guest guest;
  CHECK(guest.addition("linux /bo") == "ot/");
  CHECK(guest.addition("linux /boot/v") == "mlinuz-6.");
  CHECK(guest.candidates("linux /boot/v") == Names{"vmlinuz-6.1", "vmlinuz-6.2"});
  CHECK(guest.complete("linux /boot/v").subject == "files");
  CHECK(guest.addition("linux /boot/vmlinuz-6.1") == " ");
  CHECK(guest.candidates("ls /boot/") == Names{"grub/", "initrd.img", "vmlinuz-6.1", "vmlinuz-6.2"});
  CHECK(guest.addition("cat (hd0,gpt2)") == "/data/");
  CHECK(guest.addition("cat (hd0,gpt2)/da") == "ta/");
  CHECK(guest.addition("cat (hd1)/") == "only ");
  CHECK(guest.addition("ls ") == "/");
  CHECK(guest.candidates("ls ") == Names{"boot/", "odd/", "usr/"});
  CHECK(guest.addition("ls /.") == "dot ");
  CHECK(guest.addition("initrd newc:name:/boot/in") == "itrd.img ");
  CHECK(guest.addition("set x=/boot/in") == "itrd.img ");
  CHECK(guest.addition("cat $prefix/gr") == "ub.cfg ");
  CHECK(guest.addition("cat ($root)/boot/in") == "itrd.img ");
  CHECK(guest.addition("cat (hd0,gpt9)/x").empty());
  CHECK(guest.addition("cat (hdx9)/x").empty());
  CHECK(guest.addition("cat /nosuch/x").empty());
  CHECK(guest.addition("cat boot").empty());
  CHECK(guest.addition("search --fi").empty());
  CHECK(guest.diagnostics.notices.empty());
}

TEST_CASE("Odd names come out as one word", "[completion]") {
  Guest guest;
  CHECK(guest.addition("cat /odd/it").empty());
  CHECK(guest.candidates("cat /odd/it") == Names{"it is", "it's $5"});
  for (const std::string typed : {"/odd/it\\ ", "'/odd/it ", "\"/odd/it ", "/odd/it' ", "/odd/it\"'",
                                  "'/odd/it'\\'", "/odd/it\\'", "\"/odd/it'"}) {
    const std::string line = "echo " + typed + guest.addition("echo " + typed) + "end";
    INFO(line);
    guest.diagnostics.output.clear();
    REQUIRE(guest.line->run(line).has_value());
    CHECK(
        (guest.diagnostics.output == "/odd/it is end\n" || guest.diagnostics.output == "/odd/it's $5 end\n"));
  }
  // Half a character is no answer.
  CHECK(guest.addition("cat /odd/").empty());
  CHECK(guest.addition("cat /odd/\xc3\xa4") == " ");
  CHECK(guest.addition("cat /odd/it\\").empty());
}

TEST_CASE("Variables are completed behind a dollar", "[completion]") {
  Guest guest;
  CHECK(guest.addition("echo $pref") == "ix");
  CHECK(guest.addition("echo \"a ${pref") == "ix}");
  CHECK(guest.complete("echo $config_").candidates.empty());
  CHECK(guest.candidates("echo $color_") == Names{"color_highlight", "color_normal"});
  CHECK(guest.addition("unset pref") == "ix ");
  CHECK(guest.addition("set pref") == "ix=");
  CHECK(guest.addition("echo '$pref").empty());
  CHECK(guest.complete("echo $color_").subject == "variables");
}

TEST_CASE("A directory of 100,000 names is completed at once", "[completion]") {
  Guest guest;
  for (int i = 0; i < 100'000; ++i) guest.root.add("/many/name-" + std::to_string(i));
  const std::uint64_t before = guest.budget.steps_left();
  const Completion completion = guest.complete("ls /many/");
  CHECK(before - guest.budget.steps_left() >= 100'000);
  CHECK(before - guest.budget.steps_left() < 1'000'000);
  CHECK(completion.addition == "name-");
  REQUIRE(completion.candidates.size() == 201);
  CHECK(completion.candidates.back() == "... 99800 more");
  CHECK(completion.candidates.front() == "name-0");
  guest.budget = Budget(1000, 1U << 20U);
  CHECK(guest.line->complete("ls /many/").error().code == ErrorCode::kLimit);
}
