// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/configuration_search.h"

#include <catch2/catch.hpp>

#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

constexpr const char* kEsp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
constexpr const char* kXbootldr = "bc13c2ff-59e6-4262-a352-b275fd6f7172";

struct Fixture {
  MemoryDevices devices;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;

  std::vector<ConfigurationSource> find() {
    auto found = find_configurations(devices, budget, diagnostics);
    REQUIRE(found.has_value());
    return *found;
  }
  std::vector<std::string> kinds() {
    std::vector<std::string> kinds;
    for (const ConfigurationSource& source : find()) kinds.push_back(source.kind);
    return kinds;
  }
};

std::string boot_sector(std::size_t offset, std::string_view text) {
  std::string sector(512, '\0');
  sector.replace(offset, text.size(), text);
  return sector;
}

}  // namespace

TEST_CASE("The only configuration of GRUB comes before the stubs that lead to it") {
  Fixture fixture;
  fixture.devices.add_without_file_system("hd0");
  fixture.devices.add("hd0,gpt1").add("/EFI/fedora/grub.cfg").add("/EFI/BOOT/GRUB.CFG");
  fixture.devices.add("hd0,gpt2").add("/grub2/grub.cfg");
  fixture.devices.add_without_file_system("hd0,gpt4", ErrorCode::kDamaged);
  CHECK(fixture.find() == std::vector<ConfigurationSource>{{"grub2", "hd0,gpt2", "/grub2/grub.cfg"},
                                                           {"grub2", "hd0,gpt1", "/EFI/BOOT/GRUB.CFG"},
                                                           {"grub2", "hd0,gpt1", "/EFI/fedora/grub.cfg"}});
  CHECK(fixture.diagnostics.has_explanation("hd0,gpt4: skipped"));
  CHECK_FALSE(fixture.diagnostics.has_explanation("hd0: skipped"));
  CHECK(fixture.diagnostics.has_explanation("found /grub2/grub.cfg on hd0,gpt2 (grub2)"));
}

TEST_CASE("Of several configurations of GRUB the stubs choose") {
  Fixture fixture;
  fixture.devices.add("hd0,gpt1").add("/EFI/debian/grub.cfg");
  fixture.devices.add("hd0,gpt2").add("/grub2/grub.cfg");
  fixture.devices.add("hd0,gpt3").add("/boot/grub/grub.cfg");
  CHECK(fixture.find() == std::vector<ConfigurationSource>{{"grub2", "hd0,gpt1", "/EFI/debian/grub.cfg"},
                                                           {"grub2", "hd0,gpt2", "/grub2/grub.cfg"},
                                                           {"grub2", "hd0,gpt3", "/boot/grub/grub.cfg"}});
}

TEST_CASE("Kinds follow each other in the documented order whatever the partitions' order") {
  Fixture fixture;
  fixture.devices.add("hd0,gpt1").add("/grub/menu.lst").add("/extlinux.conf");
  fixture.devices.add("hd0,gpt2").add("/EFI/linux/a.EFI").add("/loader/entries/a.conf");
  fixture.devices.add("hd0,gpt3").add("/boot/grub2/grub.cfg");
  CHECK(fixture.kinds() == std::vector<std::string>{"grub2", "bls", "uki", "extlinux", "grub-legacy"});
}

TEST_CASE("Directories without an entry are no configuration") {
  Fixture fixture;
  fixture.devices.add("hd0,gpt1")
      .add("/loader/entries/.hidden.conf")
      .add("/loader/entries/readme")
      .add("/EFI/Linux/a.efi.extra.d/x.addon")
      .add("/loader/loader.conf");
  CHECK(fixture.find().empty());
}

TEST_CASE("ESP and XBOOTLDR of a disk are one configuration, those of another disk one of their own") {
  Fixture fixture;
  for (const char* name : {"hd0,gpt1", "hd0,gpt2", "hd1,gpt1"}) {
    fixture.devices.add(name).add("/loader/entries/a.conf");
    fixture.devices.set_partition_type(name, std::string(name) == "hd0,gpt2" ? kXbootldr : kEsp);
  }
  CHECK(fixture.find() == std::vector<ConfigurationSource>{{"bls", "hd0,gpt1", "/loader/entries"},
                                                           {"bls", "hd1,gpt1", "/loader/entries"}});
}

TEST_CASE("A boot sector of the first disk tells which loader a BIOS starts") {
  Fixture fixture;
  fixture.devices.add_without_file_system("hd0");
  fixture.devices.add("hd0,msdos1").add("/boot/grub/grub.cfg").add("/extlinux.conf").add("/grub/menu.lst");
  fixture.devices.add_without_file_system("hd1");
  fixture.devices.set_contents("hd1", boot_sector(3, "SYSLINUX"));
  CHECK(fixture.kinds().front() == "grub2");
  fixture.devices.set_contents("hd0,msdos1", boot_sector(3, "EXTLINUX"));
  CHECK(fixture.kinds() == std::vector<std::string>{"extlinux", "grub2", "grub-legacy"});
  CHECK(
      fixture.diagnostics.has_explanation("the boot sector of hd0,msdos1 is that of syslinux, which a BIOS"));
  fixture.devices.set_contents("hd0", boot_sector(384, std::string_view("GRUB \0Geom\0", 11)));
  CHECK(fixture.kinds() == std::vector<std::string>{"grub2", "grub-legacy", "extlinux"});
}

TEST_CASE("A boot sector that cannot be read or is too short tells nothing") {
  Fixture fixture;
  fixture.devices.add_without_file_system("hd0");
  fixture.devices.set_contents("hd0", "EXTLINUX");
  fixture.devices.add("hd0,msdos1").add("/extlinux.conf").add("/grub/grub.cfg");
  CHECK(fixture.kinds() == std::vector<std::string>{"grub2", "extlinux"});
}

TEST_CASE("A file's name tells the kind of configuration") {
  CHECK(kind_of_configuration("/boot/extlinux/extlinux.conf") == "extlinux");
  CHECK(kind_of_configuration("SYSLINUX.CFG") == "extlinux");
  CHECK(kind_of_configuration("/grub/menu.lst") == "grub-legacy");
  CHECK(kind_of_configuration("/loader/entries") == "bls");
  CHECK(kind_of_configuration("/EFI/Linux/x.efi") == "uki");
  CHECK(kind_of_configuration("/loader/loader.conf") == "bls");
  CHECK(kind_of_configuration("/boot/loader.conf") == "freebsd");
  CHECK(kind_of_configuration("/boot.cfg") == "netbsd");
  CHECK(kind_of_configuration("/boot/kernel.elf") == "elf");
  CHECK(kind_of_configuration("/anything") == "grub2");
  CHECK(kind_of_configuration("") == "grub2");
}
