// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths on btrfs as upstream's GRUB has them and as SUSE's has them. openSUSE's layout: the root is a
// snapshot, and the modules are in a subvolume of their own.
#include "grubcfg/btrfs_path.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "grubcfg/configuration_search.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

void add_opensuse(MemoryDevices& devices) {
  auto& root =
      devices.add("hd0,gpt2", "1111-22ab", "root")
          .add("/@/.snapshots/7/snapshot/boot/grub2/grub.cfg",
               "set btrfs_relative_path=\"y\"\nexport btrfs_relative_path\n"
               "if [ -f ${config_directory}/grubenv ]; then\n  load_env -f ${config_directory}/grubenv\nfi\n"
               "menuentry one { linux /boot/vmlinuz quiet\n initrd /boot/initrd\n }\n")
          .add("/@/.snapshots/7/snapshot/boot/grub2/grubenv", "# GRUB Environment Block\nsaved_entry=0\n")
          .add("/@/.snapshots/7/snapshot/boot/vmlinuz", "new")
          .add("/@/.snapshots/7/snapshot/boot/initrd")
          .add("/@/boot/grub2/x86_64-efi/command.lst")
          .add("/three/hundred/file", "of 300")
          .add("/boot/vmlinuz", "old");
  root.set_type("btrfs");
  root.set_default_subvolume("/@/.snapshots/7/snapshot");
  devices.add("hd0,gpt3", "3333", "other").add("/boot/vmlinuz", "ext");
}

std::string output_of(const std::string& script) {
  MemoryDevices devices;
  devices.add_without_file_system("hd0");
  devices.add("hd0,gpt1", "AAAA", "ESP");
  add_opensuse(devices);
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(
      evaluate_script("set root=hd0,gpt2\n" + script, "s", &devices, {}, budget, diagnostics).has_value());
  return diagnostics.output;
}

}  // namespace

TEST_CASE("Paths on btrfs begin at the top level, with SUSE's variable in the default subvolume", "[btrfs]") {
  CHECK(output_of("cat /boot/vmlinuz\n") == "old\n");
  CHECK(output_of("set btrfs_relative_path=y; cat /boot/vmlinuz\n") == "new\n");
  CHECK(output_of("set btrfs_relative_path=yes; cat (hd0,gpt2)/boot/vmlinuz\n") == "new\n");
  CHECK(output_of("set btrfs_relative_path=1; cat (hd0,gpt2)/boot/vmlinuz\n") == "new\n");
  CHECK(output_of("set btrfs_relative_path=n; cat /boot/vmlinuz\n") == "old\n");
  CHECK(output_of("set btrfs_relative_path=y; cat (hd0,gpt3)/boot/vmlinuz\n") == "ext\n");
  CHECK(output_of("set btrfs_relative_path=y; if [ -f /boot/initrd ]; then echo there; fi\n") == "there\n");
  CHECK(output_of("set btrfs_relative_path=y; echo (hd0,gpt2)/boot/i*\n") == "(hd0,gpt2)/boot/initrd\n");
  CHECK(output_of("set btrfs_relative_path=y; search --file --set=x /boot/initrd; echo $x\n") ==
        "hd0,gpt2\n");
}

TEST_CASE("SUSE's variables name another subvolume, by path or by number", "[btrfs]") {
  CHECK(output_of("set btrfs_relative_path=y; set btrfs_subvol=/three/hundred; cat /file\n") == "of 300\n");
  CHECK(output_of("set btrfs_relative_path=y; set btrfs_subvol=three/hundred/; cat /file\n") == "of 300\n");
  CHECK(output_of("set btrfs_relative_path=y; set btrfs_subvolid=300; cat /file\n") == "of 300\n");
  CHECK(output_of("set btrfs_subvol=/three/hundred; cat /boot/vmlinuz\n") == "old\n");
  CHECK(output_of("set btrfs_relative_path=y; set btrfs_subvolid=999; cat /boot/vmlinuz\n") == "old\n");
}

TEST_CASE("btrfs-mount-subvol makes a directory lead into a subvolume", "[btrfs]") {
  const std::string mount =
      "btrfs-mount-subvol ($root) /boot/grub2/x86_64-efi /@/boot/grub2/x86_64-efi; echo $?\n";
  const std::string test =
      "if [ -f /boot/grub2/x86_64-efi/command.lst ]; then echo there; else echo no; fi\n";
  CHECK(output_of("set btrfs_relative_path=y\n" + test) == "no\n");
  CHECK(output_of("set btrfs_relative_path=y\n" + mount + test) == "0\nthere\n");
  CHECK(output_of(mount + test) == "0\nno\n");
  CHECK(output_of("btrfs-mount-subvol ($root) /boot; echo $?\n") != "0\n");
  CHECK(output_of("btrfs-mount-subvol (hd9) /boot @boot; echo $?\n") != "0\n");
}

TEST_CASE("openSUSE's configuration is found in the default subvolume, and boots what lies there",
          "[btrfs]") {
  MemoryDevices devices;
  add_opensuse(devices);
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto found = find_configurations(devices, budget, diagnostics);
  REQUIRE(found);
  const ConfigurationSource expected{"grub2", "hd0,gpt2", "/@/.snapshots/7/snapshot/boot/grub2/grub.cfg"};
  REQUIRE(*found == std::vector{expected});
  const auto menu = load_configuration(devices, found->front(), {}, budget, diagnostics);
  REQUIRE(menu);
  REQUIRE((*menu)->entries().size() == 1);
  const auto entry = (*menu)->evaluate(0);
  REQUIRE(entry);
  CHECK(entry->kernel.to_string() == "(hd0,gpt2)/@/.snapshots/7/snapshot/boot/vmlinuz");
  CHECK(entry->command_line == "BOOT_IMAGE=/boot/vmlinuz quiet");
}
