// SPDX-License-Identifier: LGPL-2.1-or-later
// Partitions of BSD labels, by the names that GRUB Legacy and the loaders of the BSDs give them.
#include "grubcfg/bsd_device.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "grubcfg/freebsd_menu.h"
#include "grubcfg/legacy_device.h"
#include "grubcfg/netbsd_menu.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// Two slices of FreeBSD, one of NetBSD; a second disk with a label alone; a third with a GPT.
struct Fixture {
  MemoryDevices devices;

  Fixture() {
    for (const char* const name :
         {"hd0", "hd0,msdos1", "hd0,msdos1,bsd1", "hd0,msdos1,bsd4", "hd0,msdos2", "hd0,msdos2,bsd1",
          "hd0,msdos3", "hd0,netbsd1", "hd0,netbsd5", "hd1", "hd1,bsd1", "hd1,bsd2", "hd2", "hd2,gpt2"})
      devices.add(name);
    devices.set_type("hd0,msdos1", "0xa5");
    devices.set_type("hd0,msdos2", "0xa5");
    devices.set_type("hd0,msdos3", "0xa9");
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a letter stands for a partition of a label", "[bsd]") {
  CHECK(bsd_letter("hd0,bsd1") == 'a');
  CHECK(bsd_letter("hd0,msdos1,bsd16") == 'p');
  CHECK(bsd_letter("hd0,netbsd5") == 'e');
  CHECK(bsd_letter("hd0,openbsd26") == 'z');
  for (const char* const name :
       {"hd0", "hd0,msdos1", "hd0,bsd", "hd0,bsd0", "hd0,bsd27", "hd0,bsd1,msdos1", "hd0,1"})
    CHECK_FALSE(bsd_letter(name));

  Fixture fixture;
  CHECK(bsd_partitions(fixture.devices, "hd0", 'a') ==
        Names{"hd0,msdos1,bsd1", "hd0,msdos2,bsd1", "hd0,netbsd1"});
  CHECK(bsd_partitions(fixture.devices, "hd0", 'a', 2) == Names{"hd0,msdos2,bsd1"});
  CHECK(bsd_partitions(fixture.devices, "hd0", 'e', 3) == Names{"hd0,netbsd5"});
  CHECK(bsd_partitions(fixture.devices, "hd0", 'e', 1).empty());
  CHECK(bsd_partitions(fixture.devices, "hd1", 'b') == Names{"hd1,bsd2"});
  CHECK(has_bsd_label(fixture.devices, "hd1"));
  CHECK_FALSE(has_bsd_label(fixture.devices, "hd2"));
}

TEST_CASE("names of FreeBSD's loader", "[bsd]") {
  Fixture fixture;
  const auto named = [&](std::string_view name) {
    return freebsd_device(fixture.devices, name).value_or("none");
  };
  CHECK(named("disk0s1a:") == "hd0,msdos1,bsd1");
  CHECK(named("disk0s2a") == "hd0,msdos2,bsd1");
  CHECK(named("disk0s3e:") == "hd0,netbsd5");
  CHECK(named("disk0a:") == "hd0,msdos1,bsd1");
  CHECK(named("disk1b:") == "hd1,bsd2");
  CHECK(named("disk0s1:") == "hd0,msdos1");
  CHECK(named("disk2p2:") == "hd2,gpt2");
  CHECK(named("disk1:") == "hd1");
  for (const char* const name : {"", ":", "disk", "disk9:", "disk0s9:", "disk0s1z:", "disk0sa:", "disk0s1ab:",
                                 "disk99999999999", "zfs:zroot/ROOT/default:", "disk2s2:", "disk0s1A:"})
    CHECK(named(name) == "none");
}

TEST_CASE("names of GRUB Legacy", "[bsd][legacy]") {
  Fixture fixture;
  const ListedDevices listed(&fixture.devices);
  const auto named = [&](std::string_view name) {
    const LegacyDevice device = read_legacy_device(name, "hd0,1");
    return device.error.empty() ? listed.full_name(device.name) : "error";
  };
  CHECK(named("(hd0,0)") == "hd0,msdos1");
  CHECK(named("(hd0,0,a)") == "hd0,msdos1,bsd1");
  CHECK(named("(hd0,1,a)") == "hd0,msdos2,bsd1");
  CHECK(named("(hd0,2,e)") == "hd0,netbsd5");
  CHECK(named("(hd0,a)") == "hd0,msdos1,bsd1");
  CHECK(named("(hd1,b)") == "hd1,bsd2");
  CHECK(named("(,0,a)") == "hd0,msdos1,bsd1");
  CHECK(named("(hd0,0,h)") == "hd0,1,8");  // not there
  for (const char* const name : {"(hd0,0,i)", "(hd0,i)", "(hd0,0,)", "(hd0,0,a,b)", "(hd0,,a)", "(hd0,a,0)"})
    CHECK(named(name) == "error");
}

TEST_CASE("hd0a: of NetBSD's boot.cfg is partition a of the label, not any that holds the file",
          "[bsd][netbsd]") {
  MemoryDevices devices;
  devices.add("hd0");
  devices.add("hd0,msdos1").add("/old").add("/netbsd");
  devices.add("hd0,netbsd1")
      .add("/netbsd")
      .add("/boot.cfg", "menu=A:boot hd0a:netbsd\nmenu=E:boot hd0e:old\nmenu=X:boot hd0f:old\n");
  devices.add("hd0,netbsd5").add("/old");
  const GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu =
      load_netbsd_menu({&devices, settings, budget, diagnostics}, {"netbsd", "hd0,netbsd1", "/boot.cfg"});
  REQUIRE(menu.has_value());
  CHECK((*menu)->evaluate(0)->kernel == FileReference{"hd0,netbsd1", "/netbsd"});
  CHECK((*menu)->evaluate(0)->command_line == "root=xbd0a");
  CHECK((*menu)->evaluate(1)->kernel == FileReference{"hd0,netbsd5", "/old"});
  CHECK((*menu)->evaluate(1)->command_line == "root=xbd0e");
  CHECK_FALSE((*menu)->evaluate(2)->bootable());
  // Kernels without a boot.cfg: only what is not partition a of the first disk must be told.
  const auto other =
      load_netbsd_menu({&devices, settings, budget, diagnostics}, {"netbsd", "hd0,netbsd1", "/netbsd"});
  REQUIRE(other.has_value());
  CHECK((*other)->evaluate(0)->command_line.empty());
}

TEST_CASE("currdev and rootdev of FreeBSD's loader name where the kernel and the fstab are",
          "[bsd][freebsd]") {
  MemoryDevices devices;
  devices.add("hd0");
  test::MemoryFileSystem& first = devices.add("hd0,msdos1,bsd1");
  first.add("/boot/kernel/kernel")
      .add("/boot/defaults/loader.conf", "loader_conf_files=\"/boot/loader.conf\"\n");
  first.add("/etc/fstab", "/dev/ada0s1a / ufs rw 1 1\n");
  devices.add("hd0,msdos2,bsd1").add("/boot/kernel/kernel").add("/etc/fstab", "/dev/ada0s2a / ufs rw 1 1\n");
  const GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto boot = [&](std::string text) {
    first.add("/boot/loader.conf", std::move(text));
    const auto menu = load_freebsd_menu({&devices, settings, budget, diagnostics},
                                        {"freebsd", "hd0,msdos1,bsd1", "/boot/loader.conf"});
    REQUIRE(menu.has_value());
    return *(*menu)->evaluate(0);
  };
  const BootEntry usual = boot("");
  CHECK(usual.kernel == FileReference{"hd0,msdos1,bsd1", "/boot/kernel/kernel"});
  CHECK(usual.command_line.find("vfs.root.mountfrom=ufs:/dev/ada0s1a") != std::string::npos);
  const BootEntry other = boot("currdev=\"disk0s2a:\"\nrootdev=\"disk0s2a:\"\n");
  CHECK(other.kernel == FileReference{"hd0,msdos2,bsd1", "/boot/kernel/kernel"});
  CHECK(other.command_line.find("vfs.root.mountfrom=ufs:/dev/ada0s2a") != std::string::npos);
  const BootEntry wrong = boot("currdev=\"disk7s2a:\"\nrootdev=\"disk7s2a:\"\n");
  CHECK(wrong.kernel == usual.kernel);
  CHECK(diagnostics.has_notice("currdev names disk7s2a:, which is not among the guest's partitions"));
  CHECK(diagnostics.has_notice("rootdev names disk7s2a:"));
}
