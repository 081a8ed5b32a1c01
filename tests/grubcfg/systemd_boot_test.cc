// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/systemd_boot.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "bootimage/pe.h"
#include "tests/bootimage/pe_writer.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::MemoryFileSystem;
using pvhgrub::test::PeWriter;
using pvhgrub::test::RecordedDiagnostics;

namespace {

constexpr const char* kEspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
constexpr const char* kXbootldrType = "bc13c2ff-59e6-4262-a352-b275fd6f7172";

struct Guest {
  MemoryDevices devices;
  GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  MemoryFileSystem& esp = devices.add("hd0,gpt1");
  std::unique_ptr<Menu> menu;

  Guest() {
    devices.set_type("hd0,gpt1", kEspType);
    esp.add("/vmlinuz").add("/initrd");
  }
  Guest& entry(const std::string& name, const std::string& text) {
    esp.add("/loader/entries/" + name, text);
    return *this;
  }
  Guest& conf(const std::string& text) {
    esp.add("/loader/loader.conf", text);
    return *this;
  }
  Result<std::unique_ptr<Menu>> try_load(ConfigurationSource source = {"bls", "hd0,gpt1",
                                                                       "/loader/entries"}) {
    return load_systemd_boot_menu({&devices, settings, budget, diagnostics}, source);
  }
  Guest& load(ConfigurationSource source = {"bls", "hd0,gpt1", "/loader/entries"}) {
    auto loaded = try_load(std::move(source));
    if (!loaded) FAIL(loaded.error().describe());
    menu = std::move(*loaded);
    return *this;
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    for (const MenuEntry& shown : menu->entries()) ids.push_back(shown.id);
    return ids;
  }
  std::vector<std::string> titles() const {
    std::vector<std::string> titles;
    for (const MenuEntry& shown : menu->entries()) titles.push_back(shown.title);
    return titles;
  }
  BootEntry boot(std::size_t index = 0) {
    auto evaluated = menu->evaluate(index);
    REQUIRE(evaluated.has_value());
    return *evaluated;
  }
};

using Strings = std::vector<std::string>;

PeWriter image(const std::string& os_release) {
  PeWriter writer;
  writer.add(".osrel", os_release).add(".cmdline", "from image").add(".linux", "k").add(".initrd", "i");
  return writer;
}

}  // namespace

TEST_CASE("an entry of type 1 boots what its lines say", "[systemd_boot]") {
  Guest guest;
  guest.entry("a.conf", "title A\nlinux /vmlinuz\ninitrd /initrd\noptions root=x\noptions ro\n").load();
  const BootEntry boot = guest.boot();
  CHECK(boot.bootable());
  CHECK(boot.loader_command == "linux");
  CHECK(boot.kernel == FileReference{"hd0,gpt1", "/vmlinuz"});
  REQUIRE(boot.initrds.size() == 1);
  CHECK(boot.initrds[0].file == FileReference{"hd0,gpt1", "/initrd"});
  CHECK(boot.command_line == "root=x ro");
  CHECK(guest.menu->entry_source(0).starts_with("title A\nlinux"));
  CHECK(guest.menu->source() == ConfigurationSource{"bls", "hd0,gpt1", "/loader/entries"});
  CHECK(guest.menu->timeout() == 0U);
  CHECK(guest.menu->timeout_style() == TimeoutStyle::kHidden);
}

TEST_CASE("an initrd that is not there keeps an entry from being booted, not from being shown",
          "[systemd_boot]") {
  Guest guest;
  guest.entry("a.conf", "linux /vmlinuz\ninitrd /nothing\n").load();
  CHECK(guest.boot().error.find("/nothing") != std::string::npos);
}

TEST_CASE("entries that systemd-boot does not show are left out", "[systemd_boot]") {
  Guest guest;
  guest.entry("good.conf", "linux /vmlinuz\n")
      .entry("gone.conf", "linux /nothing\n")
      .entry("both.conf", "linux /vmlinuz\nuki /vmlinuz\n")
      .entry("arm.conf", "linux /vmlinuz\narchitecture aa64\n")
      .entry(".hidden.conf", "linux /vmlinuz\n")
      .entry("auto-x.conf", "linux /vmlinuz\n")
      .entry("AUTO-y.conf", "linux /vmlinuz\n")
      .entry("no-suffix", "linux /vmlinuz\n")
      .entry("large.conf", "linux /vmlinuz\n" + std::string(limits::kBootEntryBytes, '#'))
      .entry("UPPER.CONF", "linux /vmlinuz\n");
  guest.esp.add("/loader/entries/directory.conf/x");
  guest.load();
  CHECK(guest.ids() == Strings{"UPPER.CONF", "good.conf"});
  CHECK(
      guest.diagnostics.has_notice("gone.conf: this entry is left out: there is no file (hd0,gpt1)/nothing"));
  CHECK(guest.diagnostics.has_notice("both.conf:2: this entry is left out: it has more than one"));
  CHECK(guest.diagnostics.has_notice("large.conf: this entry is left out: it has"));
  CHECK(guest.diagnostics.has_explanation("arm.conf: it is for another architecture, aa64"));
  CHECK(guest.diagnostics.notices.size() == 3);
}

TEST_CASE("the architecture is that of the guest", "[systemd_boot]") {
  Guest guest;
  guest.settings.cpu = "arm64";
  guest.entry("arm.conf", "linux /vmlinuz\narchitecture aa64\n")
      .entry("x64.conf", "linux /vmlinuz\narchitecture x64\n")
      .load();
  CHECK(guest.ids() == Strings{"arm.conf"});
}

TEST_CASE("a disk without one entry is told", "[systemd_boot]") {
  Guest guest;
  guest.entry("gone.conf", "linux /nothing\n");
  const auto menu = guest.try_load();
  REQUIRE_FALSE(menu.has_value());
  CHECK(menu.error().code == ErrorCode::kNoEntry);
  CHECK(menu.error().where == "(hd0,gpt1)/loader/entries");
}

TEST_CASE("entries are ordered as the specification says", "[systemd_boot]") {
  Guest guest;
  const auto add = [&](const std::string& name, const std::string& more) {
    guest.entry(name, "linux /vmlinuz\n" + more);
  };
  add("old-style-1.conf", "version 9\n");
  add("old-style-10.conf", "version 1\n");
  add("bad+0-3.conf", "sort-key a\nversion 99\n");
  add("k1.conf", "sort-key b\nmachine-id 1\nversion 6.1\n");
  add("k2.conf", "sort-key b\nmachine-id 1\nversion 6.10\n");
  add("k3.conf", "sort-key b\nmachine-id 0\nversion 1\n");
  add("k4.conf", "sort-key a\n");
  add("tries+1-2.conf", "sort-key c\n");
  add("tries+3.conf", "sort-key c\n");
  add("tries.conf", "sort-key c\n");
  guest.load();
  CHECK(guest.ids() == Strings{"k4.conf", "k3.conf", "k2.conf", "k1.conf", "tries.conf", "tries.conf",
                               "tries.conf", "old-style-10.conf", "old-style-1.conf", "bad.conf"});
  CHECK(guest.boot(0).bootable());
}

TEST_CASE("titles that are the same are told apart", "[systemd_boot]") {
  Guest guest;
  const auto add = [&](const std::string& name, const std::string& more) {
    guest.entry(name, "linux /vmlinuz\n" + more);
  };
  add("5.conf", "title A\nversion 2\n");
  add("4.conf", "title A\nversion 1\nmachine-id 0123456789abcdef\n");
  add("3.conf", "title A\nversion 1\nmachine-id ffff456789abcdef\n");
  add("2.conf", "title B\n");
  add("1.conf", "title B\n");
  add("0.conf", "");
  guest.load();
  CHECK(guest.titles() ==
        Strings{"A (2)", "A (1) (01234567)", "A (1) (ffff4567)", "B (2.conf)", "B (1.conf)", "0.conf"});
}

TEST_CASE("loader.conf chooses the default by a pattern of ids", "[systemd_boot]") {
  const auto index_with = [](const std::string& conf, RecordedDiagnostics* told = nullptr) {
    Guest guest;
    guest.entry("a-1.conf", "linux /vmlinuz\n")
        .entry("A-2.conf", "linux /vmlinuz\n")
        .entry("b+0-3.conf", "linux /vmlinuz\n")
        .conf(conf)
        .load();
    CHECK(guest.ids() == Strings{"A-2.conf", "a-1.conf", "b.conf"});
    if (told != nullptr)
      for (const std::string& notice : guest.diagnostics.notices) told->notices.push_back(notice);
    return guest.menu->default_index();
  };
  CHECK(index_with("") == 0);
  CHECK(index_with("default a-*") == 0);
  CHECK(index_with("default A-1.CONF") == 1);
  CHECK(index_with("default b*") == 2);
  CHECK(index_with("preferred b*") == 0);
  CHECK(index_with("preferred b*\ndefault a-1*") == 1);
  CHECK(index_with("preferred a-1*\ndefault b*") == 1);
  CHECK(index_with("default @saved") == 0);
  RecordedDiagnostics told;
  CHECK(index_with("default a-1", &told) == 0);
  CHECK(told.has_notice("default a-1 of loader.conf matches no entry"));
  CHECK(index_with("default b*", &told) == 2);
  CHECK(told.has_notice("b+0-3.conf: the default entry has no tries left"));
}

TEST_CASE("a default entry with a boot counter is told that nobody counts", "[systemd_boot]") {
  Guest guest;
  guest.entry("a+3.conf", "linux /vmlinuz\n").load();
  CHECK(guest.ids() == Strings{"a.conf"});
  CHECK(guest.diagnostics.has_notice("a+3.conf: the default entry has 3 tries left"));
}

TEST_CASE("unified kernel images stand in the menu with what they tell", "[systemd_boot]") {
  Guest guest;
  guest.entry("b.conf", "title B\nsort-key b\nlinux /vmlinuz\n");
  guest.esp.add("/EFI/Linux/One+2.efi", image("PRETTY_NAME=\"One OS\"\nID=one\nVERSION_ID=3\n").build());
  guest.esp.add("/EFI/Linux/nameless.efi", image("VERSION=1\n").build());
  guest.esp.add("/EFI/Linux/auto-x.efi", image("ID=auto\n").build());
  guest.esp.add("/EFI/Linux/text.efi", "no program");
  PeWriter arm = image("ID=arm\n");
  arm.machine = bootimage::kPeMachineArm64;
  guest.esp.add("/EFI/Linux/arm.efi", arm.build());
  guest.load();
  CHECK(guest.ids() == Strings{"b.conf", "One.efi"});
  CHECK(guest.titles() == Strings{"B", "One OS"});
  CHECK(guest.boot(1).bootable());
  CHECK(guest.boot(1).command_line == "from image");
  CHECK(guest.boot(1).unified_image == FileReference{"hd0,gpt1", "/EFI/Linux/One+2.efi"});
  CHECK(guest.diagnostics.has_notice("nameless.efi: this entry is left out: its .osrel"));
  CHECK(guest.diagnostics.has_notice("text.efi: this entry is left out: it is no unified"));
  CHECK(guest.diagnostics.has_explanation("arm.efi: it is for another architecture"));
}

TEST_CASE("each profile of an image is an entry", "[systemd_boot]") {
  Guest guest;
  PeWriter writer = image("NAME=One\nVERSION=1\n");
  writer.add(".profile", "ID=main\n")
      .add(".profile", "ID=Reset\nTITLE=Factory reset\n")
      .add(".cmdline", "reset")
      .add(".profile", "ID=other\n")
      .add(".profile", "");
  guest.esp.add("/EFI/Linux/a.efi", writer.build());
  guest.conf("default a.efi@reset\n").load();
  CHECK(guest.ids() == Strings{"a.efi", "a.efi@Reset", "a.efi@other", "a.efi@3"});
  CHECK(guest.titles() == Strings{"One", "One (Factory reset)", "One (other)", "One (Profile #4)"});
  CHECK(guest.menu->default_index() == 1);
  CHECK(guest.boot(1).command_line == "reset");
}

TEST_CASE("a directory of images alone needs no os-release in them", "[systemd_boot]") {
  Guest guest;
  guest.entry("b.conf", "linux /vmlinuz\n");
  PeWriter writer;
  guest.esp.add("/EFI/Linux/plain.efi", writer.add(".linux", "k").build());
  guest.load({"uki", "hd0,gpt1", "/EFI/Linux"});
  CHECK(guest.titles() == Strings{"plain.efi"});
  CHECK(guest.boot().bootable());
}

TEST_CASE("an entry of type 1 can start a unified kernel image", "[systemd_boot]") {
  Guest guest;
  PeWriter writer = image("ID=x\n");
  writer.add(".ucode", "u").add(".profile", "").add(".profile", "").add(".cmdline", "second");
  guest.esp.add("/a.efi", writer.build()).add("/plain.efi", "other program");
  guest.entry("7.conf", "uki /a.efi\n")
      .entry("6.conf", "uki /a.efi\nprofile 1\n")
      .entry("5.conf", "uki /a.efi\nprofile 1\noptions mine\n")
      .entry("4.conf", "uki /a.efi\nprofile 9\n")
      .entry("3.conf", "linux /a.efi\ninitrd /initrd\noptions mine\n")
      .entry("2.conf", "efi /a.efi\n")
      .entry("1.conf", "efi /plain.efi\noptions x\n")
      .entry("0.conf", "uki-url http://example.org/a.efi\n")
      .load();
  CHECK(guest.boot(0).command_line == "from image");
  CHECK(guest.boot(0).unified_image == FileReference{"hd0,gpt1", "/a.efi"});
  CHECK(guest.boot(1).command_line == "second");
  CHECK(guest.boot(2).command_line == "mine");
  CHECK(guest.boot(3).error.find("no profile @9") != std::string::npos);
  CHECK(guest.boot(4).command_line == "initrd=\\initrd mine");
  Strings initrds;
  for (const InitrdFile& initrd : guest.boot(4).initrds) initrds.push_back(initrd.file.to_string());
  CHECK(initrds == Strings{"(hd0,gpt1)/a.efi:.ucode", "(hd0,gpt1)/initrd", "(hd0,gpt1)/a.efi:.initrd"});
  CHECK(guest.boot(5).bootable());
  CHECK(guest.boot(6).kind == BootEntry::Kind::kChainloader);
  CHECK(guest.boot(6).kernel.path == "/plain.efi");
  CHECK(guest.boot(7).error.find("http://example.org/a.efi") != std::string::npos);
}

TEST_CASE("ESP and XBOOTLDR of one disk make one menu", "[systemd_boot]") {
  Guest guest;
  MemoryFileSystem& other_disk = guest.devices.add("hd1,gpt1");
  MemoryFileSystem& boot = guest.devices.add("hd0,gpt2");
  guest.devices.set_type("hd0,gpt2", kXbootldrType);
  guest.devices.set_type("hd1,gpt1", kXbootldrType);
  boot.add("/loader/entries/2.conf", "linux /k2\n").add("/k2");
  other_disk.add("/loader/entries/3.conf", "linux /k3\n").add("/k3");
  boot.add("/loader/loader.conf", "timeout 9\n");
  guest.entry("1.conf", "linux /vmlinuz\n").conf("timeout 5\ndefault 1*\n");
  for (const char* const device : {"hd0,gpt1", "hd0,gpt2"}) {
    guest.load({"bls", device, "/loader/entries"});
    CHECK(guest.ids() == Strings{"2.conf", "1.conf"});
    CHECK(guest.boot(0).kernel.device == "hd0,gpt2");
    CHECK(guest.boot(1).kernel.device == "hd0,gpt1");
    CHECK(guest.menu->default_index() == 1);
    CHECK(guest.menu->timeout() == 5U);
  }
}

TEST_CASE("an XBOOTLDR partition with a loader.conf stands in for an ESP that has none", "[systemd_boot]") {
  Guest guest;
  MemoryFileSystem& boot = guest.devices.add("hd0,gpt2");
  guest.devices.set_type("hd0,gpt2", kXbootldrType);
  boot.add("/loader/entries/2.conf", "linux /k2\n").add("/k2").add("/loader/loader.conf", "timeout 9\n");
  guest.load({"bls", "hd0,gpt2", "/loader/entries"});
  CHECK(guest.menu->timeout() == 9U);
}

TEST_CASE("the partitions of an MBR disk are known by their types", "[systemd_boot]") {
  Guest guest;
  guest.devices.set_type("hd0,gpt1", "0xef");
  MemoryFileSystem& boot = guest.devices.add("hd0,msdos2");
  guest.devices.set_type("hd0,msdos2", "0xea");
  boot.add("/loader/entries/2.conf", "linux /k2\n").add("/k2");
  guest.entry("1.conf", "linux /vmlinuz\n").load();
  CHECK(guest.ids() == Strings{"2.conf", "1.conf"});
}

TEST_CASE("a root file system's own /boot/loader is read where it lies", "[systemd_boot]") {
  Guest guest;
  guest.entry("esp.conf", "linux /vmlinuz\n");
  MemoryFileSystem& root = guest.devices.add("hd0,gpt3");
  root.add("/boot/loader/entries/1.conf", "linux /boot/k\n").add("/boot/k");
  root.add("/boot/loader/loader.conf", "timeout 7\n");
  root.add("/boot/EFI/Linux/u.efi", image("ID=u\n").build());
  for (const char* const path : {"/boot/loader/entries", "/boot/loader/loader.conf"}) {
    guest.load({"bls", "hd0,gpt3", path});
    CHECK(guest.ids() == Strings{"u.efi", "1.conf"});
    CHECK(guest.boot(1).kernel.to_string() == "(hd0,gpt3)/boot/k");
    CHECK(guest.menu->timeout() == 7U);
  }
}

TEST_CASE("directories are found in any case", "[systemd_boot]") {
  Guest guest;
  guest.esp.add("/LOADER/Entries/a.conf", "linux /vmlinuz\n").add("/LOADER/LOADER.CONF", "timeout 4\n");
  guest.esp.add("/efi/LINUX/u.efi", image("ID=u\n").build());
  guest.load();
  CHECK(guest.ids() == Strings{"u.efi", "a.conf"});
  CHECK(guest.menu->timeout() == 4U);
}

TEST_CASE("ten thousand entries cost a small part of the budget", "[systemd_boot]") {
  Guest guest;
  const std::string unified = image("ID=u\nPRETTY_NAME=U\n").build();
  for (int i = 0; i < 9000; ++i)
    guest.entry("entry-6.1." + std::to_string(i) + ".conf",
                "title Some OS\nsort-key some\nmachine-id 0123456789abcdef0123456789abcdef\nversion 6.1." +
                    std::to_string(i) + "\nlinux /vmlinuz\ninitrd /initrd\noptions root=LABEL=x ro quiet\n");
  for (int i = 0; i < 1000; ++i) guest.esp.add("/EFI/Linux/u" + std::to_string(i) + ".efi", unified);
  guest.conf("default *-6.1.17.conf\n");
  const std::uint64_t before = guest.budget.steps_left();
  guest.load();
  CHECK(guest.menu->entries().size() == 10'000);
  CHECK(guest.menu->entries()[0].id == "entry-6.1.8999.conf");
  CHECK(guest.menu->entries()[guest.menu->default_index()].id == "entry-6.1.17.conf");
  CHECK(before - guest.budget.steps_left() < limits::kBudgetSteps / 4);
}

TEST_CASE("texts that are made to be slow to sort end at a limit", "[systemd_boot]") {
  Guest guest;
  const std::string text = "linux /vmlinuz\nsort-key a\nversion " + std::string(60'000, '1') + "\n";
  for (int i = 0; i < 500; ++i) guest.entry("e" + std::to_string(i) + ".conf", text);
  (void)guest.try_load();
  for (int i = 500; i < 2000; ++i) guest.entry("e" + std::to_string(i) + ".conf", text);
  guest.budget = Budget::standard();
  const auto more = guest.try_load();
  REQUIRE_FALSE(more.has_value());
  CHECK(more.error().code == ErrorCode::kLimit);
}
