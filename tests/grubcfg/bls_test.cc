// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands blscfg, bls_import and uki in whole configurations.
#include <catch2/catch.hpp>

#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "tests/bootimage/pe_writer.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::MemoryFileSystem;
using pvhgrub::test::RecordedDiagnostics;

namespace {

struct Guest {
  MemoryDevices devices;
  MemoryFileSystem* boot = &devices.add("hd0,gpt2");
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<Menu> menu;

  /// An entry file with a kernel and an initrd that are there.
  Guest& entry(const std::string& id, const std::string& more = "",
               const std::string& directory = "/loader/entries") {
    boot->add("/vmlinuz-" + id).add("/initramfs-" + id);
    boot->add(directory + "/" + id + ".conf",
              "title T " + id + "\nlinux /vmlinuz-" + id + "\ninitrd /initramfs-" + id + "\n" + more);
    return *this;
  }
  Guest& load(const std::string& script, const std::string& path = "/grub2/grub.cfg") {
    boot->add(path, script);
    auto loaded = load_configuration(devices, {"grub2", "hd0,gpt2", path}, {}, budget, diagnostics);
    REQUIRE(loaded.has_value());
    menu = std::move(*loaded);
    return *this;
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> found;
    for (const MenuEntry& shown : menu->entries()) found.push_back(shown.id);
    return found;
  }
  BootEntry boot_entry(std::size_t index) { return menu->evaluate(index).value(); }
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("blscfg shows the entries of /loader/entries, the newest package first") {
  Guest guest;
  guest.entry("m-0-rescue").entry("m-5.9.1-2.fc41").entry("m-5.10.1-1.fc41").entry("m-5.9.1-10.fc41");
  guest.boot->add("/loader/entries/readme.txt").add("/loader/entries/.hidden.conf", "linux /v\n");
  guest.load("blscfg\n");
  CHECK(guest.ids() == Ids{"m-5.10.1-1.fc41", "m-5.9.1-10.fc41", "m-5.9.1-2.fc41", "m-0-rescue"});
  CHECK(guest.menu->entries()[0].title == "T m-5.10.1-1.fc41");
  CHECK(guest.menu->entry_source(0) ==
        "load_video\nset gfxpayload=keep\ninsmod gzio\nlinux ($root)/vmlinuz-m-5.10.1-1.fc41\n"
        "initrd ($root)/initramfs-m-5.10.1-1.fc41\n");
  const BootEntry entry = guest.boot_entry(0);
  CHECK(entry.bootable());
  CHECK(entry.kernel.to_string() == "(hd0,gpt2)/vmlinuz-m-5.10.1-1.fc41");
  CHECK(entry.command_line == "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-m-5.10.1-1.fc41");
  CHECK(entry.initrds.at(0).file.path == "/initramfs-m-5.10.1-1.fc41");
}

TEST_CASE("Red Hat's variables make the command line, which the script parses once more") {
  Guest guest;
  guest.entry("a", "options $kernelopts $tuned_params x=\"a b\" y=c;d\n");
  guest.load("set kernelopts='root=UUID=1 ro'\nblscfg\n");
  CHECK(guest.boot_entry(0).command_line == "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-a root=UUID=1 ro \"x=a b\" y=c");
  // The ';' ended the command: `d' is one of its own.
  CHECK(guest.diagnostics.has_notice("(hd0,gpt2)/loader/entries/a.conf:2: error: can't find command `d'"));
}

TEST_CASE("Without options there are the default ones, with more than one line the first counts") {
  Guest guest;
  guest.entry("a").entry("b", "options one\noptions two\n");
  guest.load("set default_kernelopts='root=/dev/xvda1 ro $unset'\nblscfg\n");
  CHECK(guest.boot_entry(0).command_line == "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-b one");
  CHECK(guest.boot_entry(1).command_line == "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-a root=/dev/xvda1 ro");
  CHECK(guest.diagnostics.has_notice("(hd0,gpt2)/loader/entries/b.conf:5: GRUB reads only the first"));
}

TEST_CASE("Initrds: all lines, early ones first, variables filled in when the entry runs") {
  Guest guest;
  guest.boot->add("/b/early1").add("/b/early2").add("/b/i").add("/tuned.img").add("/b/v");
  guest.boot->add("/loader/entries/a.conf", "linux /b/v\ninitrd /b/i $tuned_initrd\ninitrd /b/i\n");
  guest.boot->add("/loader/entries/b.conf", "linux /b/v\n");
  guest.load("set early_initrd='early1 early2'\nset tuned_initrd='(hd0,gpt2)/tuned.img'\nblscfg\n");
  std::vector<std::string> paths;
  for (const InitrdFile& initrd : guest.boot_entry(1).initrds) paths.push_back(initrd.file.path);
  CHECK(paths == std::vector<std::string>{"/b/early1", "/b/early2", "/b/i", "/tuned.img", "/b/i"});
  // Without an initrd of its own they lie beside the kernel.
  CHECK(guest.boot_entry(0).initrds.size() == 2);
}

TEST_CASE("Fields beside the kernel reach the menu entry and its script") {
  Guest guest;
  guest.entry("a",
              "grub_users $grub_users\ngrub_hotkey k\ngrub_class fedora\ngrub_class kernel\n"
              "grub_arg --unrestricted\ngrub_arg two\ndevicetree /a.dtb\n");
  guest.load(
      "set superusers=root\nset save_default=true\nset devicetree=no.dtb\nblscfg\n"
      "set grub_users='root alice'\nset blsdir=/other\nset devicetree=yes.dtb\nblscfg\n");
  REQUIRE(guest.menu->entries().size() == 1);
  const MenuEntry& shown = guest.menu->entries()[0];
  CHECK_FALSE(shown.restricted);
  CHECK(shown.hotkey == "k");
  CHECK(shown.classes == std::vector<std::string>{"fedora", "kernel"});
  CHECK(guest.menu->entry_source(0).starts_with("savedefault\nload_video\n"));
  CHECK(guest.menu->entry_source(0).ends_with("devicetree ($root)/a.dtb\n"));

  Guest other;
  other.entry("a", "grub_users $grub_users\n");
  other.load("set superusers=root\nset grub_users='root alice'\nset devicetree=x.dtb\nblscfg\n");
  CHECK(other.menu->entries()[0].restricted);
  CHECK(other.menu->entries()[0].users == std::vector<std::string>{"root", "alice"});
  CHECK(other.menu->entry_source(0).ends_with("devicetree ($root)/x.dtb\n"));
}

TEST_CASE("An entry's title and arguments are the positional parameters of its script") {
  Guest guest;
  guest.boot->add("/vmlinuz").add("/two.img");
  guest.boot->add("/loader/entries/a.conf",
                  "title T\nlinux /vmlinuz\ninitrd /$3.img\noptions x=\\$1 quiet\n"
                  "grub_arg --unrestricted\ngrub_arg two\n");
  guest.load("blscfg\n");
  CHECK(guest.boot_entry(0).command_line == "BOOT_IMAGE=(hd0,gpt2)/vmlinuz x=$1 quiet");
  CHECK(guest.boot_entry(0).initrds.at(0).file.path == "/two.img");
}

TEST_CASE("The directory: blsdir, else the usual one, else the one below /boot") {
  Guest guest;
  guest.entry("usual").entry("own", "", "/own").entry("below", "", "/boot/loader/entries");
  CHECK(guest.load("set blsdir=/own\nblscfg\n").ids() == Ids{"own"});
  Guest second;
  second.entry("usual").entry("below", "", "/boot/loader/entries");
  CHECK(second.load("blscfg\n").ids() == Ids{"usual"});
  Guest third;
  third.entry("below", "", "/boot/loader/entries");
  CHECK(third.load("set blsdir=/none\nblscfg\n").ids() == Ids{"below"});
  Guest empty;
  empty.entry("below", "", "/boot/loader/entries");
  empty.boot->add("/loader/entries/x");
  CHECK(empty.load("blscfg\nmenuentry own { true; }\n").ids() == Ids{"own"});
  CHECK(
      empty.diagnostics.has_notice("(hd0,gpt2)/grub2/grub.cfg:1: no boot loader entry: "
                                   "(hd0,gpt2)/loader/entries/ holds no file *.conf"));
}

TEST_CASE("A directory that is nowhere is told, with all places that were tried") {
  Guest guest;
  guest.load("blscfg\nmenuentry own { true; }\n");
  CHECK(
      guest.diagnostics.has_notice("(hd0,gpt2)/grub2/grub.cfg:1: no boot loader entries: "
                                   "(hd0,gpt2)/loader/entries/: no such directory, "
                                   "(hd0,gpt2)/boot/loader/entries/: no such directory"));
}

TEST_CASE("blscfg takes a device with a directory or a file, and the kernels lie on $root") {
  Guest guest;
  MemoryFileSystem& system_partition = guest.devices.add("hd0,gpt1");
  guest.boot->add("/v");
  system_partition.add("/e/one.conf", "linux /v\n").add("/e/two.conf", "linux /v\n");
  CHECK(guest.load("blscfg (hd0,gpt1)/e\n").ids() == Ids{"two", "one"});
  CHECK(guest.boot_entry(0).kernel.to_string() == "(hd0,gpt2)/v");
  Guest single;
  single.boot->add("/d/one.conf", "linux /v\n").add("/d/two.conf", "linux /v\n");
  CHECK(single.load("blscfg (hd0,gpt2)/d/two.conf\n").ids() == Ids{"two"});
  Guest missing;
  missing.entry("a").load("blscfg (hd0,gpt2)/d/none.conf\nblscfg (hd7)/d\nblscfg (x\nblscfg\n");
  CHECK(missing.ids() == Ids{"a"});
  CHECK(missing.diagnostics.has_notice(":1: error: file `/d/none.conf' not found"));
  CHECK(missing.diagnostics.has_notice(":2: error: disk `hd7' not found"));
  CHECK(missing.diagnostics.has_notice(":3: error: invalid file name `(x'"));
}

TEST_CASE("default, non-default and an id show a part, and what was shown is not shown again") {
  const auto ids_of = [](const std::string& script) {
    Guest guest;
    guest.entry("a-1-1").entry("a-2-1").entry("a-3-1");
    return guest.load(script + "\nmenuentry end { true; }\n").ids();
  };
  CHECK(ids_of("set default=a-2-1\nblscfg default") == Ids{"a-2-1", "end"});
  CHECK(ids_of("set default='T a-2-1'\nblscfg default") == Ids{"a-2-1", "end"});
  CHECK(ids_of("set default=2\nblscfg default") == Ids{"a-1-1", "end"});
  CHECK(ids_of("set default='2>1'\nblscfg default") == Ids{"a-1-1", "end"});
  CHECK(ids_of("blscfg default") == Ids{"end"});
  CHECK(ids_of("set default=7\nblscfg default") == Ids{"end"});
  CHECK(ids_of("set default=a-2-1\nblscfg non-default") == Ids{"a-3-1", "a-1-1", "end"});
  CHECK(ids_of("set default=a-2-1\nblscfg default\nblscfg non-default") ==
        Ids{"a-2-1", "a-3-1", "a-1-1", "end"});
  CHECK(ids_of("blscfg a-1-1") == Ids{"a-1-1", "end"});
  CHECK(ids_of("blscfg a-1-1.conf") == Ids{"end"});
  CHECK(ids_of("blscfg a-1-1\nbls_import\nblscfg") == Ids{"a-1-1", "a-3-1", "a-2-1", "end"});
  CHECK(ids_of("blscfg too many") == Ids{"a-3-1", "a-2-1", "a-1-1", "end"});
}

TEST_CASE("Entries that the menu has are not in a submenu's, which has its own of others") {
  Guest guest;
  guest.entry("a-1-1").entry("a-2-1");
  guest.load("set default=a-2-1\nexport default\nblscfg default\nsubmenu more { blscfg; }\n");
  CHECK(guest.ids() == Ids{"a-2-1", "more"});
  const auto submenu = guest.menu->submenu(1);
  REQUIRE(submenu.has_value());
  REQUIRE((*submenu)->entries().size() == 1);
  CHECK((*submenu)->entries()[0].id == "a-1-1");
  // In another order of asking it is the same.
  CHECK(guest.boot_entry(0).bootable());
}

TEST_CASE("The default is found by id and title before it is taken for a number") {
  Guest guest;
  guest.entry("1").entry("2").entry("3");
  guest.load("set default=1\nblscfg\n");
  CHECK(guest.ids() == Ids{"3", "2", "1"});
  CHECK(choose_default(*guest.menu, guest.diagnostics)->title == "T 1");
}

TEST_CASE("Of two names that are the same version the first on the disk counts") {
  Guest guest;
  guest.entry("a-1.0-1").entry("a-1_0-1").load("blscfg\n");
  CHECK(guest.ids() == Ids{"a-1.0-1"});
  CHECK(
      guest.diagnostics.has_notice("(hd0,gpt2)/loader/entries/a-1_0-1.conf: GRUB takes it for the same entry "
                                   "as (hd0,gpt2)/loader/entries/a-1.0-1.conf"));
}

TEST_CASE("Bad entries are passed over with a notice, and the others count") {
  Guest guest;
  guest.entry("good");
  guest.boot->add("/loader/entries/nothing.conf", "title t\n")
      .add("/loader/entries/uki.conf", "title t\nuki /EFI/Linux/x.efi\n")
      .add("/loader/entries/efi.conf", "efi /x.efi\n")
      .add("/loader/entries/large.conf", "linux /v\n" + std::string(64U << 10U, '#'))
      .add("/loader/entries/folder.conf/x")
      .add_link("/loader/entries/broken.conf");
  guest.load("blscfg\n");
  CHECK(guest.ids() == Ids{"good"});
  CHECK(guest.diagnostics.has_notice(
      "/loader/entries/nothing.conf: GRUB passes over this entry: it has no `linux'"));
  CHECK(guest.diagnostics.has_notice(
      "/loader/entries/uki.conf:2: GRUB passes over an entry of an EFI program"));
  CHECK(guest.diagnostics.has_notice(
      "/loader/entries/efi.conf:1: GRUB passes over an entry of an EFI program"));
  CHECK(guest.diagnostics.has_notice(
      "/loader/entries/large.conf: this boot loader entry is passed over: it has"));
  CHECK(guest.diagnostics.has_notice("/loader/entries/folder.conf: this boot loader entry is passed over"));
  CHECK(guest.diagnostics.has_notice(
      "/loader/entries/broken.conf: this boot loader entry is passed over: file not"));
  CHECK(guest.diagnostics.notices.size() == 6);
}

TEST_CASE("What fails in an entry is told with the file's own line") {
  Guest guest;
  guest.boot->add("/loader/entries/a.conf", "# comment\ntitle t\nversion 1\nlinux /gone\ninitrd /i\n");
  guest.load("function load_video { true; }\nblscfg\n");
  CHECK(guest.boot_entry(0).error == "file `/gone' not found");
  CHECK(guest.diagnostics.has_notice("(hd0,gpt2)/loader/entries/a.conf:4: error: file `/gone' not found."));
  CHECK(
      guest.diagnostics.has_notice("(hd0,gpt2)/loader/entries/a.conf:5: error: you need to load the kernel"));
}

TEST_CASE("Whose blscfg it is, is told by what can be seen") {
  const auto is_red_hat = [](const std::string& script, const std::string& path,
                             const std::string& module = "") {
    Guest guest;
    guest.entry("a");
    if (!module.empty()) guest.boot->add(module);
    guest.load(script, path);
    CHECK(guest.diagnostics.has_explanation(" as in ") == true);
    return guest.diagnostics.has_explanation("as in Red Hat's GRUB");
  };
  const std::string plain = "/grub/grub.cfg";
  const std::string red_hat = "/grub2/grub.cfg";
  CHECK(is_red_hat("blscfg\n", red_hat));
  CHECK_FALSE(is_red_hat("blscfg\n", plain));
  CHECK(is_red_hat("blscfg\n", "/EFI/fedora/grub.cfg"));
  CHECK(is_red_hat("bls_import\n", plain));
  CHECK(is_red_hat("blscfg (hd0,gpt2)/loader/entries\n", plain));
  CHECK_FALSE(is_red_hat("blscfg -f\n", red_hat));
  CHECK_FALSE(is_red_hat("blscfg --path /loader/entries\n", red_hat));
  CHECK(is_red_hat("set boot_counter=1\nincrement boot_counter\nblscfg\n", plain));
  CHECK(is_red_hat("insmod blscfg\nblscfg\n", plain));
  CHECK_FALSE(is_red_hat("insmod blsuki\nblscfg\n", red_hat));
  CHECK_FALSE(is_red_hat("uki\nblscfg\n", red_hat));
  CHECK(is_red_hat("set kernelopts=ro\nblscfg\n", plain));
  CHECK(is_red_hat("set boot=hd0,gpt2\nblscfg\n", plain));
  CHECK_FALSE(is_red_hat("set blsuki_save_default=1\nblscfg\n", red_hat));
  CHECK(is_red_hat("blscfg\n", plain, "/grub/i386-pc/blscfg.mod"));
  CHECK_FALSE(is_red_hat("set kernelopts=ro\nblscfg\n", red_hat, "/grub2/x86_64-efi/blsuki.mod"));
}

// Package grub2 of openSUSE Tumbleweed: "Follow the device where blscfg is discovered" (Michael Chang, 2023),
// and the order of blscfg.c with boot assessment.
TEST_CASE("SUSE's blscfg takes kernels from where it found the entry, and puts what failed to boot last") {
  Guest guest;
  MemoryFileSystem& esp = guest.devices.add("hd0,gpt1");
  guest.boot->add("/etc/os-release", "ID=\"opensuse-microos\"\nID_LIKE=\"suse opensuse\"\n");
  for (const char* const id : {"opensuse-microos-6.1-1-default-3+0-3", "opensuse-microos-6.1-1-default-2+2-1",
                               "opensuse-microos-6.0-1-default-1"}) {
    guest.boot->add("/vmlinuz-" + std::string(id));
    esp.add("/vmlinuz-" + std::string(id), "esp").add("/i");
    esp.add("/loader/entries/" + std::string(id) + ".conf",
            "title T\nversion 2@6\nlinux /vmlinuz-" + std::string(id) +
                "\ninitrd /i\noptions rootflags=subvol=@/.snapshots/2/snapshot\n");
  }
  guest.load("insmod blscfg\nblscfg (hd0,gpt1)/loader/entries\n");
  CHECK(guest.diagnostics.has_explanation("blscfg as in SUSE's GRUB"));
  CHECK(guest.ids() == Ids{"opensuse-microos-6.1-1-default-2+2-1", "opensuse-microos-6.0-1-default-1",
                           "opensuse-microos-6.1-1-default-3+0-3"});
  const BootEntry entry = guest.boot_entry(0);
  CHECK(entry.kernel.to_string() == "(hd0,gpt1)/vmlinuz-opensuse-microos-6.1-1-default-2+2-1");
  REQUIRE(entry.initrds.size() == 1);
  CHECK(entry.initrds[0].file.to_string() == "(hd0,gpt1)/i");
  CHECK(entry.command_line.ends_with(" rootflags=subvol=@/.snapshots/2/snapshot"));
}

TEST_CASE("In the order of SUSE's blscfg only a number behind the last plus is a boot counter") {
  Guest guest;
  for (const char* const id : {"a-1-1+x-9", "a-1-1+0x", "a-1-2", "a-1-3+00", "a-2-1+1-0", "a-1+2-1"})
    guest.entry(id);
  guest.load("function hidden { true; }\nhiddenentry h { true; }\nset kernelopts=1\nblscfg\n");
  CHECK(guest.diagnostics.has_explanation("blscfg as in SUSE's GRUB"));
  CHECK(guest.ids() == Ids{"h", "a-2-1+1-0", "a-1-2", "a-1-1+x-9", "a-1+2-1", "a-1-3+00", "a-1-1+0x"});
}

TEST_CASE("2.14's blscfg sorts by file name and leaves the device to the commands") {
  Guest guest;
  guest.entry("b-1.9")
      .entry("b-1.10", "options $kernelopts quiet\ngrub_users $u\ndevicetree /x.dtb\n")
      .entry("a");
  guest.boot->add("/loader/entries/.hidden.conf", "linux /vmlinuz-a\n");
  guest.load(
      "set u='root'\nset superusers=root\nset blsuki_save_default=yes\nset early_initrd=no\n"
      "set default_kernelopts=no\nblscfg\n",
      "/grub/grub.cfg");
  CHECK(guest.ids() == Ids{"b-1.10", "b-1.9", "a", ".hidden"});
  CHECK(guest.menu->entry_source(0) ==
        "savedefault\nlinux /vmlinuz-b-1.10 quiet\ninitrd /initramfs-b-1.10\ndevicetree /x.dtb\n");
  // A name of a single letter at the end gets lost, and with it the restriction.
  CHECK_FALSE(guest.menu->entries()[0].restricted);
  CHECK(guest.boot_entry(1).command_line == "BOOT_IMAGE=/vmlinuz-b-1.9");
  CHECK(guest.diagnostics.has_notice(":6: error") == false);
}

TEST_CASE("2.14's blscfg has options for the directory and for what is shown") {
  const auto ids_of = [](const std::string& script) {
    Guest guest;
    guest.entry("a-1").entry("a-2").entry("a-3").entry("o", "", "/other");
    guest.boot->add("/empty/x");
    return guest.load(script + "\nmenuentry end { true; }\n", "/grub/grub.cfg").ids();
  };
  CHECK(ids_of("blscfg --path /other") == Ids{"o", "end"});
  CHECK(ids_of("blscfg -p (hd0,gpt2)/other/") == Ids{"o", "end"});
  CHECK(ids_of("blscfg --path=/other/o.conf") == Ids{"o", "end"});
  CHECK(ids_of("blscfg --path (hd0,gpt2)/other/o.conf") == Ids{"o", "end"});
  CHECK(ids_of("blscfg --path /empty") == Ids{"end"});
  CHECK(ids_of("blscfg --path /none") == Ids{"end"});
  CHECK(ids_of("blscfg --path /none --enable-fallback") == Ids{"a-3", "a-2", "a-1", "end"});
  CHECK(ids_of("blscfg -f -p /empty") == Ids{"a-3", "a-2", "a-1", "end"});
  CHECK(ids_of("blscfg -f --path /other") == Ids{"o", "end"});
  CHECK(ids_of("blscfg --path relative") == Ids{"a-3", "a-2", "a-1", "end"});
  CHECK(ids_of("blscfg -e a-2.conf") == Ids{"a-2", "end"});
  CHECK(ids_of("blscfg -e a-2") == Ids{"end"});
  // It compares the default with the file's whole name.
  CHECK(ids_of("set default=a-2.conf\nblscfg -d") == Ids{"a-2", "end"});
  CHECK(ids_of("set default=a-2\nblscfg -d") == Ids{"end"});
  CHECK(ids_of("set default=1\nblscfg --show-default") == Ids{"a-2", "end"});
  CHECK(ids_of("set default=1x\nblscfg -d") == Ids{"end"});
  CHECK(ids_of("set default=\nblscfg -d") == Ids{"end"});
  CHECK(ids_of("set default='T a-2'\nblscfg --show-non-default") == Ids{"a-3", "a-1", "end"});
  CHECK(ids_of("set default=0\nblscfg -d -n") == Ids{"a-3", "a-2", "a-1", "end"});
  // It keeps nothing in mind.
  CHECK(ids_of("blscfg -e a-2.conf\nblscfg -n") == Ids{"a-2", "a-3", "a-2", "a-1", "end"});
  CHECK(ids_of("blscfg --nonsense") == Ids{"end"});
}

TEST_CASE("2.14 does not look below /boot by itself, and the way out is told") {
  Guest guest;
  guest.entry("a", "", "/boot/loader/entries");
  guest.load("blscfg\nmenuentry end { true; }\n", "/boot/grub/grub.cfg");
  CHECK(guest.ids() == Ids{"end"});
  CHECK(
      guest.diagnostics.has_notice("(hd0,gpt2)/boot/grub/grub.cfg:1: no boot loader entries: "
                                   "(hd0,gpt2)/loader/entries/: no such directory; there are some in "
                                   "/boot/loader/entries/, where this GRUB looks only when it is told to: "
                                   "blscfg --path /boot/loader/entries/"));
}

TEST_CASE("Without a disk there are no entries, and that is said") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu = load_bare_configuration("blscfg\nblscfg -f\nuki\nmenuentry a { true; }\n", "c", {},
                                            budget, diagnostics);
  REQUIRE(menu.has_value());
  CHECK((*menu)->entries().size() == 1);
  CHECK(diagnostics.has_notice("c:1: error: `blscfg' needs the guest's disk"));
  CHECK(diagnostics.has_notice("c:3: error: `uki' needs the guest's disk"));
}

TEST_CASE("Values that are the script's own words cannot end the entry") {
  Guest guest;
  guest.boot->add("/v");
  guest.boot->add("/loader/entries/a.conf", "title }\nlinux /v\noptions } menuentry x { true\n");
  guest.boot->add("/loader/entries/b.conf", "title 'unfinished\nlinux /v 'unfinished\n");
  guest.load("blscfg\n");
  CHECK(guest.ids() == Ids{"b", "a"});
  CHECK_FALSE(guest.boot_entry(0).bootable());
  CHECK_FALSE(guest.boot_entry(1).bootable());
}

namespace {

std::string unified_image(const std::string& title, const std::string& command_line) {
  test::PeWriter writer;
  if (!title.empty()) writer.add(".osrel", "NAME=x\nPRETTY_NAME=\"" + title + "\"\n");
  if (!command_line.empty()) writer.add(".cmdline", command_line);
  return writer.add(".initrd", "an initrd").add(".linux", "a kernel").build();
}

}  // namespace

TEST_CASE("uki shows the unified kernel images of the EFI system partition") {
  Guest guest;
  guest.devices.add("hd0,gpt3").add("/EFI/Linux/wrong.efi", unified_image("Wrong", ""));
  MemoryFileSystem& system_partition = guest.devices.add("hd0,gpt4");
  system_partition.set_type("fat");
  system_partition.add("/EFI/Linux/os-6.9.efi", unified_image("Some OS 1", "root=/dev/xvda1 'a b' quiet"))
      .add("/EFI/Linux/os-6.10.efi", unified_image("Some OS 2", ""))
      .add("/EFI/Linux/none.efi", "MZ is no image")
      .add("/EFI/Linux/untitled.efi", unified_image("", ""))
      .add("/EFI/Linux/note.txt");
  guest.load("uki\n", "/grub/grub.cfg");
  CHECK(guest.ids() == Ids{"os-6.10.efi", "os-6.9.efi"});
  CHECK(guest.menu->entries()[1].title == "Some OS 1");
  CHECK(guest.menu->entry_source(0) == "chainloader (hd0,gpt4)/EFI/Linux/os-6.10.efi\n");
  const BootEntry entry = guest.boot_entry(1);
  CHECK(entry.bootable());
  CHECK(entry.kernel.to_string() == "(hd0,gpt4)/EFI/Linux/os-6.9.efi:.linux");
  CHECK(entry.command_line == "root=/dev/xvda1 a b quiet");
  CHECK(guest.diagnostics.has_notice("(hd0,gpt4)/EFI/Linux/none.efi: it is passed over"));
  CHECK(guest.diagnostics.has_notice(
      "(hd0,gpt4)/EFI/Linux/untitled.efi: GRUB passes over this unified kernel"));
}

TEST_CASE("uki looks first where GRUB itself came from, and where it is told to") {
  Guest guest;
  guest.boot->add("/EFI/Linux/own.efi", unified_image("Own", ""));
  guest.boot->add("/images/other.efi", unified_image("Other", ""));
  guest.load(
      "uki\nuki --path /images/other.efi\nuki -p (hd0,gpt2)/images -n\nuki -e own.efi\n"
      "set default=own.efi\nuki -n\nuki -p /none -f\n",
      "/grub/grub.cfg");
  CHECK(guest.ids() == Ids{"own.efi", "other.efi", "other.efi", "own.efi", "own.efi"});
  Guest none;
  none.load("uki\nmenuentry end { true; }\n", "/grub/grub.cfg");
  CHECK(none.diagnostics.has_notice("no boot loader entries: (hd0,gpt2)/EFI/Linux: no such directory"));
}

TEST_CASE("uki takes an EFI system partition before another file system of its kind") {
  Guest guest;
  MemoryFileSystem& first = guest.devices.add("hd0,gpt1");
  MemoryFileSystem& esp = guest.devices.add("hd0,gpt3");
  first.set_type("fat");
  esp.set_type("fat");
  first.add("/EFI/Linux/first.efi", unified_image("First", ""));
  esp.add("/EFI/Linux/esp.efi", unified_image("ESP", ""));
  guest.devices.set_type("hd0,gpt3", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  guest.load("uki\n", "/grub/grub.cfg");
  CHECK(guest.ids() == Ids{"esp.efi"});
}
