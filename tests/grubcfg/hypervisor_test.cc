// SPDX-License-Identifier: LGPL-2.1-or-later
// A dom0's configuration in a guest: which of its files is what, and Xen itself as the kernel.
#include "grubcfg/hypervisor.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// The first entry of a configuration on hd0, which has Linux, initrd, microcode, a policy and Xen.
BootEntry first_entry(const std::string& body, RecordedDiagnostics& diagnostics) {
  static Budget budget = Budget::standard();
  budget = Budget::standard();
  MemoryDevices devices;
  devices.add("hd0")
      .add("/grub/grub.cfg", "menuentry t {\n" + body + "\n}\n")
      .add("/xen.gz")
      .add("/vmlinuz")
      .add("/initrd")
      .add("/initrd2")
      .add("/ucode.bin")
      .add("/policy", std::string("\x8c\xff\x7c\xf9\x08\0\0\0XenFlask", 16));
  const auto menu = load_configuration(devices, {"grub2", "hd0", "/grub/grub.cfg"}, {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  const auto entry = (*menu)->evaluate(0);
  REQUIRE(entry.has_value());
  return *entry;
}

BootEntry first_entry(const std::string& body) {
  RecordedDiagnostics diagnostics;
  return first_entry(body, diagnostics);
}

std::string initrd_of(const BootEntry& entry) {
  REQUIRE(entry.initrds.size() <= 1);
  return entry.initrds.empty() ? "none" : entry.initrds[0].file.path;
}

}  // namespace

TEST_CASE("A Xen entry's first module is the kernel, its second the initrd") {
  RecordedDiagnostics diagnostics;
  const BootEntry entry = first_entry(
      "multiboot2 /xen.gz placeholder dom0_mem=2G 'a b' ${xen_rm_opts}\n"
      "module2 /vmlinuz placeholder root=/dev/x ro\nmodule2 --nounzip /initrd\nmodule2 /initrd2",
      diagnostics);
  CHECK(entry.kind == BootEntry::Kind::kLinux);
  REQUIRE(entry.hypervisor.has_value());
  CHECK(entry.hypervisor->path == "/xen.gz");
  CHECK(entry.hypervisor_command_line == "placeholder dom0_mem=2G \"a b\"");
  CHECK(entry.kernel.path == "/vmlinuz");
  CHECK(entry.command_line == "placeholder root=/dev/x ro");
  CHECK(initrd_of(entry) == "/initrd");
  CHECK(diagnostics.has_notice("module `(hd0)/initrd2' is for the hypervisor and is left out"));
}

TEST_CASE("ARM's names of the commands mean the same") {
  const BootEntry entry = first_entry(
      "xen_hypervisor /xen.gz dom0_mem=1G\nxen_module /vmlinuz root=x\nxen_module --nounzip /initrd");
  CHECK(entry.kernel.path == "/vmlinuz");
  CHECK(entry.command_line == "root=x");
  CHECK(initrd_of(entry) == "/initrd");
  const BootEntry old = first_entry("xen_hypervisor /xen.gz\nxen_linux /vmlinuz root=x\nxen_initrd /initrd");
  CHECK(old.kernel.path == "/vmlinuz");
  CHECK(initrd_of(old) == "/initrd");
}

TEST_CASE("Microcode and policies are no initrd") {
  const std::string linux_module = "module2 /vmlinuz root=x\n";
  CHECK(initrd_of(first_entry("multiboot2 /xen.gz ucode=-1\n" + linux_module +
                              "module2 /initrd\nmodule2 /ucode.bin")) == "/initrd");
  CHECK(initrd_of(first_entry("multiboot2 /xen.gz ucode=1\n" + linux_module +
                              "module2 /ucode.bin\nmodule2 /initrd")) == "/initrd");
  CHECK(initrd_of(first_entry("multiboot2 /xen.gz ucode=scan\n" + linux_module + "module2 /initrd")) ==
        "/initrd");
  CHECK(initrd_of(first_entry("multiboot2 /xen.gz ucode=-9\n" + linux_module + "module2 /initrd")) ==
        "/initrd");
  CHECK(initrd_of(first_entry("multiboot2 /xen.gz -- ucode=1\n" + linux_module + "module2 /initrd")) ==
        "/initrd");
  CHECK(initrd_of(first_entry("multiboot2 /xen.gz\n" + linux_module + "module2 /policy")) == "none");
  CHECK(initrd_of(first_entry("multiboot2 /xen.gz\n" + linux_module + "module2 /policy\nmodule2 /initrd")) ==
        "/initrd");
}

TEST_CASE("A hypervisor without Linux boots nothing, nor do modules without a hypervisor") {
  CHECK(first_entry("multiboot2 /xen.gz").kind == BootEntry::Kind::kOther);
  CHECK(first_entry("multiboot2 /nosuch\nmodule2 /vmlinuz").kind == BootEntry::Kind::kNone);
  CHECK(first_entry("module2 /vmlinuz").error == "you need to load the multiboot kernel first");
  CHECK(first_entry("multiboot2 /xen.gz\nmodule2 /nosuch").kind == BootEntry::Kind::kOther);
  CHECK(first_entry("multiboot2 /xen.gz\nmodule2 /vmlinuz\nlinux /vmlinuz a").hypervisor.has_value() ==
        false);
}

TEST_CASE("Xen as the kernel has Linux as its module, and Linux's arguments behind a separator") {
  BootEntry entry =
      first_entry("multiboot2 /xen.gz placeholder dom0_mem=2G\nmodule2 /vmlinuz placeholder root=x");
  REQUIRE(boot_hypervisor_of(entry));
  CHECK(entry.kernel.path == "/xen.gz");
  CHECK(initrd_of(entry) == "/vmlinuz");
  CHECK(entry.command_line == "placeholder dom0_mem=2G -- placeholder root=x");
  CHECK_FALSE(entry.hypervisor.has_value());
  CHECK(entry.bootable());
}

TEST_CASE("Xen finds the separator only behind a word") {
  BootEntry bare = first_entry("multiboot2 /xen.gz\nmodule2 /vmlinuz root=x");
  REQUIRE(boot_hypervisor_of(bare));
  CHECK(bare.command_line == "placeholder -- root=x");
  BootEntry none = first_entry("multiboot2 /xen.gz\nmodule2 /vmlinuz");
  REQUIRE(boot_hypervisor_of(none));
  CHECK(none.command_line.empty());
  BootEntry already = first_entry("multiboot2 /xen.gz a -- b c\nmodule2 /vmlinuz root=x");
  REQUIRE(boot_hypervisor_of(already));
  CHECK(already.command_line == "a -- root=x b c");
}

TEST_CASE("Xen as the kernel of an entry with an initrd is refused") {
  BootEntry entry = first_entry("multiboot2 /xen.gz\nmodule2 /vmlinuz\nmodule2 /initrd");
  const auto refused = boot_hypervisor_of(entry);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnsupported);
  CHECK(refused.error().message.find("(hd0)/initrd") != std::string::npos);
  BootEntry plain = first_entry("linux /vmlinuz a\ninitrd /initrd");
  REQUIRE(boot_hypervisor_of(plain));
  CHECK(plain.kernel.path == "/vmlinuz");
}
