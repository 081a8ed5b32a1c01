// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/firmware_menu.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "grubcfg/configuration_search.h"
#include "grubcfg/other_systems.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

TEST_CASE("A guest with nothing but an EFI system partition has a menu of its EFI programs", "[efi]") {
  MemoryDevices devices;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  devices.add("hd0,gpt1").add("/efi/boot/bootx64.efi");
  devices.add("hd0,gpt2")
      .add("/EFI/Boot/BootAA64.efi")
      .add("/EFI/Boot/bootx64.EFI")
      .add("/EFI/Boot/shell.efi");
  devices.set_type("hd0,gpt2", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  const auto found = find_configurations(devices, budget, diagnostics);
  REQUIRE(found.has_value());
#if defined(__aarch64__)
  const std::string own = "/EFI/Boot/BootAA64.efi";
  const std::string other = "/EFI/Boot/bootx64.EFI";
#else
  const std::string own = "/EFI/Boot/bootx64.EFI";
  const std::string other = "/EFI/Boot/BootAA64.efi";
#endif
  CHECK(*found == std::vector<ConfigurationSource>{{"efi", "hd0,gpt2", own},
                                                   {"efi", "hd0,gpt1", "/efi/boot/bootx64.efi"}});
  const auto menu = load_configuration(devices, found->front(), GrubSettings(), budget, diagnostics);
  REQUIRE(menu.has_value());
  REQUIRE((*menu)->entries().size() == 2);
  CHECK((*menu)->default_index() == 0);
  CHECK((*menu)->entries()[0].id == own.substr(10));
  const auto entry = (*menu)->evaluate(0);
  REQUIRE(entry.has_value());
  CHECK(entry->kind == BootEntry::Kind::kChainloader);
  CHECK(entry->kernel == FileReference{"hd0,gpt2", own});
  CHECK(entry->error.empty());
  CHECK((*menu)->evaluate(1)->kernel == FileReference{"hd0,gpt2", other});
}

TEST_CASE("An EFI directory without a default program is nothing to start", "[efi]") {
  MemoryDevices devices;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  devices.add("hd0,gpt1").add("/EFI/BOOT/fallback.efi").add("/EFI/vendor/bootx64.efi");
  const auto found = find_configurations(devices, budget, diagnostics);
  REQUIRE(found.has_value());
  CHECK(found->empty());
}

TEST_CASE("Solaris and NetWare are recognised by partition type and by their kernels for Xen") {
  MemoryDevices devices;
  Budget budget = Budget::standard();
  devices.add_without_file_system("hd0,msdos1");
  devices.set_type("hd0,msdos1", "0xbf");
  devices.add_without_file_system("hd0,msdos2");
  devices.set_type("hd0,msdos2", "0x65");
  devices.add("hd1").add("/platform/i86xpv/kernel/amd64/unix");
  devices.add("hd2").add("/nwserver/xnloader.sys");
  devices.add("hd3").add("/boot/vmlinuz");
  const auto sentences = recognise_other_systems(devices, budget);
  REQUIRE(sentences.has_value());
  CHECK(*sentences == std::vector<std::string>{
                          "hd0,msdos1 is a Solaris system's, which pygrub could boot and pvhgrub does not",
                          "hd0,msdos2 is a NetWare system's, which pygrub could boot and pvhgrub does not",
                          "hd1 is a Solaris system's, which pygrub could boot and pvhgrub does not",
                          "hd2 is a NetWare system's, which pygrub could boot and pvhgrub does not"});
}
