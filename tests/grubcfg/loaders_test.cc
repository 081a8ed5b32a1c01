// SPDX-License-Identifier: LGPL-2.1-or-later
#include <catch2/catch.hpp>

#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// The first entry of a bare configuration.
BootEntry first_entry(const std::string& body, RecordedDiagnostics& diagnostics) {
  static Budget budget = Budget::standard();
  budget = Budget::standard();
  const auto menu = load_bare_configuration("menuentry t {\n" + body + "\n}\n", "c", {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  const auto entry = (*menu)->evaluate(0);
  REQUIRE(entry.has_value());
  return *entry;
}

BootEntry first_entry(const std::string& body) {
  RecordedDiagnostics diagnostics;
  return first_entry(body, diagnostics);
}

}  // namespace

TEST_CASE("A kernel gets BOOT_IMAGE and its arguments, quoted as GRUB quotes") {
  const BootEntry entry =
      first_entry("linux ($x)/vmlinuz root=UUID=1 \"a b\" quiet\ninitrd /a.img (hd0,1)/b.img");
  CHECK(entry.kind == BootEntry::Kind::kLinux);
  CHECK(entry.bootable());
  CHECK(entry.command_line == "BOOT_IMAGE=()/vmlinuz root=UUID=1 \"a b\" quiet");
  REQUIRE(entry.initrds.size() == 2);
  CHECK(entry.initrds[1].file.to_string() == "(hd0,1)/b.img");
}

TEST_CASE("A root set by hand is the kernel's device") {
  const BootEntry entry = first_entry("set root='hd0,gpt2'\nlinux16 /vmlinuz ro\ninitrd16 /initrd");
  CHECK(entry.kernel == FileReference{"hd0,gpt2", "/vmlinuz"});
  CHECK(entry.initrds.at(0).file.device == "hd0,gpt2");
  CHECK(entry.loader_command == "linux16");
}

TEST_CASE("newc initrds keep their names") {
  const BootEntry entry = first_entry("linux /v\ninitrd newc:/etc/x:/y /w");
  REQUIRE(entry.initrds.size() == 2);
  CHECK(entry.initrds[0].newc_name == "etc/x");
  CHECK(entry.initrds[0].file.path == "/y");
  CHECK_FALSE(entry.initrds[1].newc_name.has_value());
}

TEST_CASE("A second initrd takes the first one's place") {
  const BootEntry entry = first_entry("linux /v\ninitrd /a\ninitrd /b");
  REQUIRE(entry.initrds.size() == 1);
  CHECK(entry.initrds[0].file.path == "/b");
}

TEST_CASE("An initrd before any kernel fails") {
  RecordedDiagnostics diagnostics;
  const BootEntry entry = first_entry("initrd /a", diagnostics);
  CHECK_FALSE(entry.bootable());
  CHECK(entry.error == "you need to load the kernel first");
  CHECK(diagnostics.has_notice("c:2: error: you need to load the kernel first."));
}

TEST_CASE("Other loaders are told for what they are") {
  CHECK(first_entry("chainloader (hd0,1)+1").kind == BootEntry::Kind::kChainloader);
  CHECK(first_entry("chainloader --force /EFI/x.efi").kernel.path == "/EFI/x.efi");
  CHECK(first_entry("kfreebsd /boot/kernel").kind == BootEntry::Kind::kOther);
  CHECK(first_entry("multiboot /memtest").kind == BootEntry::Kind::kOther);
  CHECK(first_entry("reboot").error == "the entry runs `reboot', which boots nothing");
  CHECK(first_entry("true").error == "the entry loads nothing");
}

TEST_CASE("boot ends an entry") {
  CHECK(first_entry("linux /a\nboot\nlinux /b").kernel.path == "/a");
}

TEST_CASE("Entries that leave GRUB are told for what they do") {
  for (const char* const command : {"halt", "exit 1", "fwsetup", "normal_exit"})
    CHECK(first_entry(command).error == "the entry runs `" +
                                            std::string(command).substr(0, std::string(command).find(' ')) +
                                            "', which boots nothing");
  CHECK(first_entry("if fwsetup --is-supported; then fwsetup; fi\nlinux /v").bootable());
}

TEST_CASE("A device tree is noted beside the kernel, whichever comes first") {
  CHECK(first_entry("linux /v\ndevicetree /d.dtb").device_tree->path == "/d.dtb");
  CHECK(first_entry("devicetree ($root)/d.dtb\nlinux /v").device_tree->path == "/d.dtb");
  CHECK_FALSE(first_entry("devicetree /d.dtb\ndevicetree\nlinux /v").device_tree.has_value());
  CHECK_FALSE(first_entry("devicetree /d.dtb\nchainloader /x.efi").device_tree.has_value());
}

TEST_CASE("BOOT_IMAGE can be left out") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  GrubSettings settings;
  settings.boot_image_argument = false;
  const auto menu =
      load_bare_configuration("menuentry a { linux /v root=x 'a b'; }\nmenuentry b { linux /v; }\n", "c",
                              settings, budget, diagnostics);
  REQUIRE(menu.has_value());
  CHECK((*menu)->evaluate(0)->command_line == "root=x \"a b\"");
  CHECK((*menu)->evaluate(1)->command_line.empty());
}

TEST_CASE("A guest that enforces signatures is told that they are not checked") {
  RecordedDiagnostics diagnostics;
  CHECK(first_entry("set check_signatures=enforce\nlinux /v", diagnostics).bootable());
  CHECK(diagnostics.has_notice("signatures of files are not checked here"));
}

TEST_CASE("A function stands in for a command that not every GRUB has") {
  CHECK(first_entry("linux /v\nload_video").kernel.path == "/v");
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(
      evaluate_script("function linuxefi { echo mine; }\nfunction linux { echo mine; }\nlinuxefi\nlinux\n",
                      "s", nullptr, {}, budget, diagnostics));
  CHECK(diagnostics.output == "mine\n");
}

TEST_CASE("A continued last line of an entry is a whole line") {
  CHECK(first_entry("linux /v a \\").command_line == "BOOT_IMAGE=/v a");
  const BootEntry entry = first_entry("linux /v a\\\nb \\\n\ninitrd /i");
  CHECK(entry.command_line == "BOOT_IMAGE=/v ab");
  CHECK(entry.initrds.size() == 1);
}
