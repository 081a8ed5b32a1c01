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

TEST_CASE("Hexadecimal escapes reach the kernel as they stand, quoted or not") {
  const BootEntry entry = first_entry("linuxefi /v inst.stage2=hd:LABEL=CentOS\\x207 'a\\x20b' c\\*d");
  CHECK(entry.command_line == "BOOT_IMAGE=/v inst.stage2=hd:LABEL=CentOS\\x207 a\\x20b c*d");
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

TEST_CASE("A Xen entry's first module is the kernel, its second the initrd") {
  const BootEntry entry = first_entry(
      "multiboot2 /xen.gz placeholder dom0_mem=2G 'a b'\n"
      "module2 /vmlinuz placeholder root=/dev/x ro\nmodule2 --nounzip /initrd.img\nmodule2 /xsm");
  CHECK(entry.kind == BootEntry::Kind::kLinux);
  REQUIRE(entry.hypervisor.has_value());
  CHECK(entry.hypervisor->path == "/xen.gz");
  CHECK(entry.hypervisor_command_line == "placeholder dom0_mem=2G \"a b\"");
  CHECK(entry.kernel.path == "/vmlinuz");
  CHECK(entry.command_line == "placeholder root=/dev/x ro");
  REQUIRE(entry.initrds.size() == 1);
  CHECK(entry.initrds[0].file.path == "/initrd.img");
}

TEST_CASE("Other loaders are told for what they are") {
  CHECK(first_entry("chainloader (hd0,1)+1").kind == BootEntry::Kind::kChainloader);
  CHECK(first_entry("chainloader --force /EFI/x.efi").kernel.path == "/EFI/x.efi");
  CHECK(first_entry("kfreebsd /boot/kernel").kind == BootEntry::Kind::kOther);
  CHECK(first_entry("multiboot /memtest").kind == BootEntry::Kind::kOther);
  CHECK(first_entry("reboot").error == "the entry runs `reboot'");
  CHECK(first_entry("true").error == "the entry loads nothing");
}

TEST_CASE("boot ends an entry") {
  CHECK(first_entry("linux /a\nboot\nlinux /b").kernel.path == "/a");
}

TEST_CASE("Commands of later versions say that they are not followed") {
  RecordedDiagnostics diagnostics;
  first_entry("loopback loop /x.iso\nlinux (loop)/v", diagnostics);
  CHECK(diagnostics.has_notice("c:2: error: this version of pvhgrub cannot follow the command `loopback'."));
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
