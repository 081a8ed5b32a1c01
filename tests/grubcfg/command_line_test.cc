// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line, and entries that a person edits.
#include "grubcfg/command_line.h"

#include <catch2/catch.hpp>

#include "grubcfg/command_help.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;
using Kind = CommandOutcome::Kind;

namespace {

constexpr std::string_view kMenu =
    "set who=menu\n"
    "menuentry \"First one\" --id one {\n\n\tset x=\"$1\"\n\tlinux /boot/vmlinuz root=$who title=\"$x\"\n"
    "\tinitrd /boot/initrd\n}\n"
    "menuentry two { linux /boot/vmlinuz second; }\n"
    "submenu more { menuentry three { linux /boot/vmlinuz }\n}\n";

/// A GRUB on hd0,gpt1.
class Guest {
 public:
  explicit Guest(std::string_view configuration = kMenu) {
    root.add("/boot/grub/grub.cfg", std::string(configuration)).add("/boot/vmlinuz").add("/boot/initrd");
    root.add("/boot/grub/other.cfg", "set timeout=3\nmenuentry other { linux /boot/vmlinuz other }\n");
    root.add("/boot/grub/empty.cfg", "set seen=yes\n");
    load({"grub2", "hd0,gpt1", "/boot/grub/grub.cfg"});
  }
  void load(const ConfigurationSource& source) {
    auto loaded = load_configuration(devices, source, settings, budget, diagnostics);
    if (!loaded) FAIL(loaded.error().describe());
    menu = std::move(*loaded);
    open();
  }
  void open() {
    auto opened = menu->command_line();
    REQUIRE(opened.has_value());
    line = std::move(*opened);
  }
  CommandOutcome run(std::string_view text) {
    diagnostics.output.clear();
    diagnostics.notices.clear();
    auto outcome = line->run(text);
    if (!outcome) FAIL(outcome.error().describe());
    return std::move(*outcome);
  }
  /// What the commands print.
  std::string output(std::string_view text) {
    CHECK(run(text).kind == Kind::kDone);
    return diagnostics.output;
  }
  /// The only notice that the commands lead to.
  std::string notice(std::string_view text) {
    CHECK(run(text).kind == Kind::kDone);
    REQUIRE(diagnostics.notices.size() == 1);
    return diagnostics.notices.front();
  }

  MemoryDevices devices;
  test::MemoryFileSystem& root = devices.add("hd0,gpt1", "aaaa-bbbb", "ROOT");
  GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<Menu> menu;
  std::unique_ptr<CommandLine> line;
};

}  // namespace

TEST_CASE("Lines are executed one after another over one state", "[command_line]") {
  Guest guest;
  CHECK(guest.output("echo $who").starts_with("menu"));
  CHECK(guest.output("set who=me; function f { echo \"f of $1\"; }").empty());
  CHECK(guest.output("f $who\necho 2") == "f of me\n2\n");
  CHECK(guest.output("").empty());
  CHECK(guest.output("  # a comment").empty());
  CHECK(guest.output("false; echo $?") == "1\n");
}

TEST_CASE("A statement that is not complete asks for more and executes nothing", "[command_line]") {
  Guest guest;
  for (const char* const begin : {"echo now; if true; then", "if true", "if true; then echo a; else",
                                  "for i in a b; do", "while false; do echo", "menuentry x {", "function f {",
                                  "echo 'a", "echo \"a", "echo a\\", "echo a\nif true; then\necho b"}) {
    INFO(begin);
    CHECK(guest.run(begin).kind == Kind::kIncomplete);
    CHECK(guest.diagnostics.output.empty());
    CHECK(guest.diagnostics.notices.empty());
  }
  CHECK(guest.output("if true; then\necho yes\nfi") == "yes\n");
  CHECK(guest.output("echo 'a\nb'") == "a\nb\n");
  CHECK(guest.output("echo a\\\nb") == "ab\n");
}

TEST_CASE("What is wrong is told in GRUB's words, without a file's name", "[command_line]") {
  Guest guest;
  CHECK(guest.notice("nosuch") == ": error: can't find command `nosuch'.");
  CHECK(guest.notice("fi") == ": error: syntax error at `fi'.");
  CHECK(guest.notice("if true; then; fi").starts_with(": error: syntax error"));
  CHECK(guest.notice("linux /nosuch") == ": error: file `/nosuch' not found.");
  CHECK(guest.notice("boot") == ": error: you need to load the kernel first.");
  CHECK(guest.notice("cat /boot") == ": error: not a regular file: `/boot'.");
  CHECK(guest.output("echo still here") == "still here\n");
}

TEST_CASE("boot boots what was typed", "[command_line]") {
  Guest guest;
  CHECK(guest.run("linux /boot/vmlinuz root=/dev/xvda1 ro").kind == Kind::kDone);
  CHECK(guest.run("initrd /boot/initrd").kind == Kind::kDone);
  CHECK(guest.run("devicetree /boot/vmlinuz").kind == Kind::kDone);
  for (int i = 0; i < 2; ++i) {
    const CommandOutcome outcome = guest.run("boot");
    REQUIRE(outcome.kind == Kind::kBoot);
    CHECK(outcome.entry.bootable());
    CHECK(outcome.entry.kernel.to_string() == "(hd0,gpt1)/boot/vmlinuz");
    CHECK(outcome.entry.command_line == "BOOT_IMAGE=/boot/vmlinuz root=/dev/xvda1 ro");
    REQUIRE(outcome.entry.initrds.size() == 1);
    CHECK(outcome.entry.device_tree.has_value());
  }
}

TEST_CASE("configfile leads to a menu, and leaves the command line as it was", "[command_line]") {
  Guest guest;
  guest.run("set mine=1");
  const CommandOutcome outcome = guest.run("configfile /boot/grub/other.cfg");
  REQUIRE(outcome.kind == Kind::kMenu);
  CHECK(outcome.menu->entries().at(0).title == "other");
  CHECK(outcome.menu->source().path == "/boot/grub/other.cfg");
  CHECK(outcome.menu->evaluate(0).value().command_line == "BOOT_IMAGE=/boot/vmlinuz other");
  CHECK(guest.output("echo $mine $timeout") == "1\n");
  CHECK(guest.run("normal /boot/grub/other.cfg").kind == Kind::kMenu);
  CHECK(guest.run("extract_entries_configfile /boot/grub/other.cfg").kind == Kind::kMenu);
  CHECK(guest.run("configfile /boot/grub/empty.cfg").kind == Kind::kDone);
  CHECK(guest.output("source /boot/grub/empty.cfg; echo $seen") == "yes\n");
}

TEST_CASE("Entries that are typed, or that source reads, are a menu of their own", "[command_line]") {
  Guest guest;
  CommandOutcome outcome = guest.run("menuentry mine { linux /boot/vmlinuz mine }");
  REQUIRE(outcome.kind == Kind::kMenu);
  CHECK(outcome.menu->entries().size() == 1);
  CHECK(outcome.menu->evaluate(0).value().bootable());
  outcome = guest.run("set late=1; source /boot/grub/other.cfg");
  REQUIRE(outcome.kind == Kind::kMenu);
  CHECK(outcome.menu->entries().at(0).title == "other");
  CHECK(guest.output("echo $late") == "1\n");
  CHECK(guest.menu->entries().size() == 3);
}

TEST_CASE("normal, normal_exit and exit lead back; reboot and its like lead nowhere", "[command_line]") {
  Guest guest;
  for (const char* const command : {"normal", "normal_exit", "exit"}) {
    INFO(command);
    CHECK(guest.run(command).kind == Kind::kLeave);
  }
  for (const char* const command : {"reboot", "halt", "fwsetup"}) {
    const CommandOutcome outcome = guest.run("set before=" + std::string(command) + "\n" + command);
    CHECK(outcome.kind == Kind::kNothingToDo);
    CHECK(outcome.command == command);
    CHECK(guest.output("echo $before") == std::string(command) + "\n");
  }
}

TEST_CASE("A limit leaves the state as it was", "[command_line]") {
  Guest guest;
  guest.run("set a=1");
  guest.budget = Budget(20'000, 64U << 20U);
  CHECK(guest.line->run("set a=2; while true; do true; done").error().code == ErrorCode::kLimit);
  guest.budget = Budget::standard();
  CHECK(guest.output("echo $a") == "1\n");
  CHECK(guest.line->run(std::string(2U << 20U, 'x')).error().code == ErrorCode::kLimit);
}

TEST_CASE("A configuration that leads to itself ends", "[command_line]") {
  Guest guest;
  guest.root.add("/loop.cfg", "configfile /loop.cfg\nmenuentry x { true }\n");
  const auto outcome = guest.line->run("configfile /loop.cfg");
  // GRUB's own depth of commands ends it, or ours of menus.
  if (outcome) {
    CHECK(outcome->kind == Kind::kMenu);
  } else {
    CHECK(outcome.error().code == ErrorCode::kLimit);
  }
}

TEST_CASE("What was typed counts for the entries once it is told", "[command_line]") {
  Guest guest;
  CHECK(guest.menu->evaluate(0).value().command_line ==
        "BOOT_IMAGE=/boot/vmlinuz root=menu \"title=First one\"");
  guest.run("set who=me");
  CHECK(guest.menu->evaluate(0).value().command_line ==
        "BOOT_IMAGE=/boot/vmlinuz root=menu \"title=First one\"");
  guest.menu->continue_from(*guest.line);
  CHECK(guest.menu->evaluate(0).value().command_line ==
        "BOOT_IMAGE=/boot/vmlinuz root=me \"title=First one\"");
  guest.run("set superusers=root; password root x");
  guest.menu->continue_from(*guest.line);
  CHECK(guest.menu->superusers() == "root");
  CHECK(guest.menu->passwords().size() == 1);
  guest.open();
  CHECK(guest.output("echo $who") == "me\n");
}

TEST_CASE("An entry of grub.cfg is edited as the text of its body", "[edit]") {
  Guest guest;
  const std::string text = guest.menu->editable_text(0).value();
  CHECK(text == "set x=\"$1\"\nlinux /boot/vmlinuz root=$who title=\"$x\"\ninitrd /boot/initrd\n");
  CHECK(guest.menu->editable_text(1).value() == "linux /boot/vmlinuz second; \n");
  CHECK_FALSE(guest.menu->editable_text(2).has_value());
  const BootEntry unedited = guest.menu->evaluate(0).value();
  BootEntry entry = guest.menu->evaluate_edited(0, text).value();
  CHECK(entry.bootable());
  CHECK(entry.command_line == unedited.command_line);
  entry = guest.menu->evaluate_edited(0, "linux /boot/vmlinuz \"$1\" $chosen\n").value();
  CHECK(entry.command_line == "BOOT_IMAGE=/boot/vmlinuz \"First one\" one");
  CHECK(entry.initrds.empty());
  // The menu's own entry is as it was.
  CHECK(guest.menu->evaluate(0).value().command_line == unedited.command_line);
}

TEST_CASE("A mistake in an edited entry is told with its line", "[edit]") {
  Guest guest;
  const auto error = [&](std::string_view text) {
    const auto entry = guest.menu->evaluate_edited(0, text);
    REQUIRE(entry.has_value());
    return entry->error;
  };
  CHECK(error("true\nlinux /nosuch\n") == "edited entry:2: file `/nosuch' not found");
  CHECK(error("linux /boot/vmlinuz\nfi\n") == "edited entry:2: syntax error at `fi'");
  CHECK(error("linux /boot/vmlinuz\nif true; then\n").find("syntax error") != std::string::npos);
  CHECK(error("\nnosuch x\n") == "edited entry:2: can't find command `nosuch'");
  CHECK(error("") == "the entry loads nothing");
  // What GRUB boots all the same.
  CHECK(error("linux /boot/vmlinuz\nnosuch\n").empty());
}

TEST_CASE("A body keeps its indentation where that may mean something", "[edit]") {
  Guest guest(
      "menuentry a {\n  echo 'one\n    two'\n  true\n}\nmenuentry b {\n\tlinux /boot/vmlinuz\\\n\t\tx\n}\n"
      "menuentry c {\n\t\tlinux /boot/vmlinuz\n\t\t\tinitrd /boot/initrd\n\n\t\ttrue\n\t}\n");
  CHECK(guest.menu->editable_text(0).value() == "  echo 'one\n    two'\n  true\n");
  CHECK(guest.menu->editable_text(1).value() == "\tlinux /boot/vmlinuz\\\n\t\tx\n");
  CHECK(guest.menu->editable_text(2).value() == "linux /boot/vmlinuz\n\tinitrd /boot/initrd\n\ntrue\n");
}

TEST_CASE("The command line of a menu without a language has a GRUB of its own", "[command_line]") {
  Guest guest;
  guest.root.add("/boot/grub/menu.lst", "title old\nroot (hd0,0)\nkernel /boot/vmlinuz quiet\n");
  guest.load({"grub-legacy", "hd0,gpt1", "/boot/grub/menu.lst"});
  CHECK(guest.output("echo $root $prefix") == "hd0,gpt1 (hd0,gpt1)/boot/grub\n");
  guest.run("set kept=1");
  guest.menu->continue_from(*guest.line);
  guest.open();
  CHECK(guest.output("echo $kept") == "1\n");
  guest.run("linux /boot/vmlinuz");
  CHECK(guest.run("boot").kind == Kind::kBoot);
  CHECK(guest.run("configfile /boot/grub/grub.cfg").kind == Kind::kMenu);
}

TEST_CASE("help tells all commands and how the usual ones are used", "[help]") {
  Guest guest;
  const std::string all = guest.output("help");
  for (const std::string_view name : command_names()) {
    INFO(name);
    CHECK((" " + all).find(name) != std::string::npos);
    const std::string line = guest.output("help '" + std::string(name) + "'");
    CHECK(line.starts_with(name));
    CHECK(line.find(" -- ") != std::string::npos);
    CHECK(line.find("description") == std::string::npos);
  }
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = all.find('\n', begin);
    CHECK(end - begin < 80);
    begin = end + 1;
  }
  CHECK(guest.output("help whil") ==
        "while COMMAND; do COMMAND...; done -- executes commands while another succeeds\n");
  CHECK(guest.notice("help nosuch") == ": error: no command's name begins with `nosuch'.");
}
