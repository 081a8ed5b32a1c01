// SPDX-License-Identifier: LGPL-2.1-or-later
#include <catch2/catch.hpp>

#include "base/limits.h"
#include "grubcfg/choice.h"
#include "grubcfg/legacy_grub.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/legacy_guest.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::bare_legacy_menu;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;
using Guest = pvhgrub::test::LegacyGuest;

namespace {

/// The first bytes of a Linux image.
std::string linux_image() {
  std::string image(1024, '\0');
  image.replace(0x1fe, 2, "\x55\xaa");
  image.replace(0x202, 4, "HdrS");
  return image;
}

std::string multiboot_image() {
  std::string image(1024, '\0');
  image.replace(12, 4, "\x02\xb0\xad\x1b");
  return image;
}

std::string titles(const Menu& menu) {
  std::string list;
  for (const MenuEntry& entry : menu.entries()) list += entry.title + "|";
  return list;
}

/// What the grub shell's record says (tests/grubcfg/record_legacy.py): the titles, and how each entry fared
/// that was tried.
std::string record_of(Menu& menu, RecordedDiagnostics& diagnostics) {
  std::string record;
  for (const MenuEntry& entry : menu.entries()) record += "entry: " + entry.title + "\n";
  const auto choice = choose_default(menu, diagnostics);
  for (const std::string& notice : diagnostics.notices) {
    const std::size_t begin = notice.find("entry ");
    const std::size_t end = notice.find(") cannot be booted: ");
    if (end == std::string::npos) continue;
    const std::string title = notice.substr(notice.find('(', begin) + 1, end - notice.find('(', begin) - 1);
    // An entry that loads nothing leads GRUB back to its menu, where it stays.
    if (notice.ends_with("the entry loads nothing")) return record + "boots: " + title + "\n";
    record += "fails: " + title + "\n";
  }
  if (choice) record += "boots: " + choice->title + "\n";
  return record;
}

}  // namespace

TEST_CASE("Menus have the entries that GRUB 0.97 shows, and lead to those that it boots") {
  const auto menus = test::data_files("legacy_shell", ".lst");
  REQUIRE(menus.size() >= 60);
  for (const auto& path : menus) {
    INFO(path.filename().string());
    MemoryDevices devices;
    devices.add("hd0,msdos1")
        .add("/boot/grub/menu.lst", test::read_file(path))
        .add("/boot/grub/default", "2\n#\n#\n#\n#\n#\n")
        .add("/vmlinuz", linux_image())
        .add("//vmlinuz", linux_image())
        .add("/boot/../vmlinuz", linux_image())
        .add("/boot/vmlinuz", linux_image())
        .add("/xen", multiboot_image())
        .add("/initrd");
    const GrubSettings settings;
    Budget budget = Budget::standard();
    RecordedDiagnostics diagnostics;
    const auto menu = load_legacy_menu({&devices, settings, budget, diagnostics},
                                       {"grub-legacy", "hd0,msdos1", "/boot/grub/menu.lst"});
    std::filesystem::path expected = path;
    const std::string record = test::read_file(expected.replace_extension(".expected"));
    if (!menu) CHECK(record.empty());
    if (menu) CHECK(record_of(**menu, diagnostics) == record);
  }
}

TEST_CASE("A menu as a distribution writes it is read without a disk") {
  const auto menus = test::data_files("legacy_menus", ".lst");
  REQUIRE(menus.size() >= 8);
  for (const auto& path : menus) {
    INFO(path.filename().string());
    RecordedDiagnostics diagnostics;
    const auto menu = bare_legacy_menu(test::read_file(path), diagnostics);
    std::string text = "default " + std::to_string(menu->default_index()) + "\n";
    if (menu->timeout()) text += "timeout " + std::to_string(*menu->timeout()) + "\n";
    if (menu->timeout_style() == TimeoutStyle::kHidden) text += "hidden\n";
    for (const std::size_t index : menu->fallback()) text += "fallback " + std::to_string(index) + "\n";
    for (std::size_t i = 0; i < menu->entries().size(); ++i) {
      const auto entry = menu->evaluate(i);
      REQUIRE(entry.has_value());
      text += "entry " + menu->entries()[i].title + "\n";
      if (menu->entries()[i].restricted) text += "  restricted\n";
      if (!entry->error.empty()) text += "  error " + entry->error + "\n";
      if (entry->hypervisor)
        text +=
            "  hypervisor " + entry->hypervisor->to_string() + " " + entry->hypervisor_command_line + "\n";
      if (!entry->kernel.path.empty())
        text +=
            "  " + entry->loader_command + " " + entry->kernel.to_string() + " " + entry->command_line + "\n";
      for (const InitrdFile& initrd : entry->initrds) text += "  initrd " + initrd.file.to_string() + "\n";
    }
    for (const std::string& notice : diagnostics.notices) text += "notice " + notice + "\n";
    std::filesystem::path expected = path;
    CHECK(text == test::read_file(expected.replace_extension(".expected")));
  }
}

TEST_CASE("The kernel's arguments reach it as they stand, without its own name") {
  Guest guest;
  guest.first.add("/vmlinuz").add("/initrd");
  const BootEntry entry =
      guest.boot_body("root (hd0,0)\nkernel=/vmlinuz  root=/dev/xvda1\tro  \"a b\" c\\d mem=1G");
  CHECK(entry.bootable());
  CHECK(entry.command_line == "root=/dev/xvda1 ro  \"a b\" c\\d mem=1G");
  CHECK(entry.kernel == FileReference{"hd0,gpt1", "/vmlinuz"});
  CHECK(entry.loader_command == "kernel");
}

TEST_CASE("Partitions are counted from 0, and shown by the names that GRUB 2 gives them") {
  Guest guest;
  guest.first.add("/vmlinuz").add("/initrd");
  guest.second.add("/vmlinuz").add("/initrd");
  const auto kernel_after = [&](const std::string& root) {
    return guest.boot_body(root + "\nkernel /vmlinuz").kernel.device;
  };
  CHECK(kernel_after("root (hd0,1)") == "hd0,gpt2");
  CHECK(kernel_after("root hd0,1") == "hd0,gpt2");
  CHECK(kernel_after("rootnoverify (hd0,1) 2") == "hd0,gpt2");
  CHECK(kernel_after("root (hd0,0x1)/boot") == "hd0,gpt2");
  CHECK(kernel_after("root (0x80,1)") == "hd0,gpt2");
  CHECK(kernel_after("root (,1)") == "hd0,gpt2");
  CHECK(kernel_after("root (hd0,1)\nroot") == "hd0,gpt2");
  CHECK(kernel_after("uuid 22222222-bbbb") == "hd0,gpt2");
  CHECK(kernel_after("find --set-root /vmlinuz") == "hd0,gpt1");
  CHECK(kernel_after("") == "hd0,gpt1");
  const BootEntry entry = guest.boot_body("kernel (hd0,1)/vmlinuz\ninitrd (hd0,0)/initrd");
  CHECK(entry.kernel.device == "hd0,gpt2");
  CHECK(entry.initrds.at(0).file.device == "hd0,gpt1");
  CHECK(guest.diagnostics.notices.empty());
}

TEST_CASE("Of a device without the kernel, the menu's own stands in, and a notice says so") {
  Guest guest;
  guest.first.add("/boot/vmlinuz").add("/boot/initrd");
  guest.second.add("/boot/initrd", "another one");
  const BootEntry entry = guest.boot(
      "title a\nroot (hd0,1)\nkernel /boot/vmlinuz a\ninitrd /boot/initrd\n"
      "title b\nroot (hd0,1)\nkernel /boot/vmlinuz b\n"
      "title c\nkernel (hd5,5)/boot/vmlinuz\ninitrd (hd5,5)/boot/initrd\n"
      "title d\nuuid 99-99\nkernel /boot/vmlinuz\n"
      "title e\nroot (hd0,msdos1)\nkernel /boot/vmlinuz\n");
  CHECK(entry.bootable());
  CHECK(entry.kernel.device == "hd0,gpt1");
  CHECK(entry.initrds.at(0).file.device == "hd0,gpt1");
  REQUIRE(guest.diagnostics.notices.size() == 1);
  CHECK(guest.diagnostics.has_notice(
      "(hd0,gpt1)/boot/grub/menu.lst:3: (hd0,1) does not hold /boot/vmlinuz: it is taken from (hd0,gpt1)"));
  CHECK(guest.menu->evaluate(1)->kernel.device == "hd0,gpt1");
  CHECK(guest.diagnostics.notices.size() == 1);
  for (const std::size_t index : {2U, 3U, 4U}) {
    const auto further = guest.menu->evaluate(index);
    CHECK(further->bootable());
    CHECK(further->kernel.device == "hd0,gpt1");
  }
  CHECK(guest.diagnostics.has_notice("menu.lst:9: (hd5,5) does not hold /boot/vmlinuz"));
  CHECK(guest.diagnostics.has_notice("menu.lst:13: uuid 99-99 does not hold /boot/vmlinuz"));
  CHECK(guest.diagnostics.has_notice("menu.lst:16: (hd0,msdos1) does not hold /boot/vmlinuz"));
  CHECK(guest.diagnostics.notices.size() == 4);
}

TEST_CASE("A disk without partitions stands in for the partition that its menu names") {
  MemoryDevices devices;
  devices.add("hd0")
      .add("/boot/grub/menu.lst", "timeout 0\ntitle PV\nroot (hd0,0)\nkernel /boot/vmlinuz root=/dev/sda1\n")
      .add("/boot/vmlinuz");
  const GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu = load_legacy_menu({&devices, settings, budget, diagnostics},
                                     {"grub-legacy", "hd0", "/boot/grub/menu.lst"});
  REQUIRE(menu.has_value());
  CHECK((*menu)->evaluate(0)->kernel == FileReference{"hd0", "/boot/vmlinuz"});
  CHECK(diagnostics.has_notice("(hd0)/boot/grub/menu.lst:4: (hd0,0) does not hold"));
  CHECK((*menu)->source().kind == "grub-legacy");
}

TEST_CASE("Where the kernel's device is right, an initrd that is not there fails the entry, as in GRUB") {
  Guest guest;
  guest.first.add("/initrd");
  guest.second.add("/vmlinuz");
  const BootEntry entry = guest.boot_body("root (hd0,1)\nkernel /vmlinuz\ninitrd /initrd");
  CHECK_FALSE(entry.bootable());
  CHECK(entry.error == "(hd0,gpt1)/boot/grub/menu.lst:4: (hd0,gpt2)/initrd: file not found");
}

TEST_CASE("What is nowhere is told with both places") {
  Guest guest;
  CHECK(guest.boot_body("root (hd0,1)\nkernel /vmlinuz").error ==
        "(hd0,gpt1)/boot/grub/menu.lst:3: (hd0,gpt2)/vmlinuz: file not found; nor is it on (hd0,gpt1), where "
        "the menu lies");
  CHECK(guest.boot_body("kernel /vmlinuz").error ==
        "(hd0,gpt1)/boot/grub/menu.lst:2: (hd0,gpt1)/vmlinuz: file not found");
}

TEST_CASE("Devices that a guest has not are refused, whatever the menu's file system holds") {
  Guest guest;
  guest.first.add("/vmlinuz");
  for (const std::string device : {"(fd0)", "(nd)", "(cd)"}) {
    INFO(device);
    const BootEntry entry = guest.boot_body("root " + device + "\nkernel /vmlinuz");
    CHECK_FALSE(entry.bootable());
    CHECK(entry.error.find("menu.lst:3: " + device + ": ") != std::string::npos);
    CHECK_FALSE(guest.boot_body("kernel " + device + "/vmlinuz").bootable());
  }
}

TEST_CASE("File names are absolute, and end at a blank") {
  Guest guest;
  guest.first.add("/vmlinuz");
  CHECK(guest.boot_body("kernel vmlinuz")
            .error.ends_with("`vmlinuz' is no file name: it should begin with a `/'"));
  CHECK_FALSE(guest.boot_body("kernel \"/vmlinuz\"").bootable());
  CHECK_FALSE(guest.boot_body("kernel (hd0,0)vmlinuz").bootable());
  CHECK_FALSE(guest.boot_body("kernel").bootable());
  CHECK_FALSE(guest.boot_body("kernel (hd0,0").bootable());
  CHECK(guest.boot_body("kernel --no-mem-option  --type=biglinux /vmlinuz x").command_line == "x");
  CHECK(guest.boot_body("kernel --type=zImage /vmlinuz").error.ends_with("`zImage' is no type of kernel"));
}

TEST_CASE("Of a Xen entry the first module is the kernel, the second its initrd") {
  Guest guest;
  guest.first.add("/xen.gz", "\x1f\x8b").add("/vmlinuz", linux_image()).add("/initrd").add("/xsm");
  for (const std::string type : {"", "--type=multiboot "}) {
    const BootEntry entry = guest.boot_body("kernel " + type +
                                            "/xen.gz dom0_mem=1G\nmodule /vmlinuz root=/dev/sda1 ro\n"
                                            "modulenounzip /initrd\nmodule /xsm");
    CHECK(entry.bootable());
    REQUIRE(entry.hypervisor.has_value());
    CHECK(entry.hypervisor->path == "/xen.gz");
    CHECK(entry.hypervisor_command_line == "dom0_mem=1G");
    CHECK(entry.kernel.path == "/vmlinuz");
    CHECK(entry.command_line == "root=/dev/sda1 ro");
    REQUIRE(entry.initrds.size() == 1);
    CHECK(entry.initrds[0].file.path == "/initrd");
    CHECK(guest.diagnostics.has_notice("menu.lst:5: module `/xsm' is for the hypervisor and is left out"));
  }
  CHECK(guest.boot_body("kernel --type=multiboot /xen.gz").kind == BootEntry::Kind::kOther);
  CHECK_FALSE(guest.boot_body("kernel /xen.gz\nmodule /vmlinuz\ninitrd /initrd").bootable());
}

TEST_CASE("To a Linux kernel a module is an initrd") {
  Guest guest;
  guest.first.add("/vmlinuz", linux_image()).add("/initrd").add("/xen", multiboot_image());
  const BootEntry entry = guest.boot_body("kernel /vmlinuz a\nmodule /initrd b");
  CHECK_FALSE(entry.hypervisor.has_value());
  CHECK(entry.command_line == "a");
  CHECK(entry.initrds.at(0).file.path == "/initrd");
  CHECK(guest.boot_body("kernel /xen\nmodule /vmlinuz b").hypervisor->path == "/xen");
  CHECK_FALSE(guest.boot_body("module /initrd").bootable());
  CHECK_FALSE(guest.boot_body("initrd /initrd\nkernel /vmlinuz").bootable());
}

TEST_CASE("A later kernel or initrd takes the earlier one's place") {
  Guest guest;
  guest.first.add("/a").add("/b").add("/i").add("/j");
  const BootEntry entry = guest.boot_body("kernel /a x\ninitrd /i\nkernel /b y\ninitrd /i\ninitrd /j");
  CHECK(entry.kernel.path == "/b");
  CHECK(entry.command_line == "y");
  REQUIRE(entry.initrds.size() == 1);
  CHECK(entry.initrds[0].file.path == "/j");
  CHECK(guest.boot_body("kernel /a\ninitrd /i\nkernel /b").initrds.empty());
  CHECK(guest.boot_body("kernel /a\nboot\nkernel /b").kernel.path == "/a");
  CHECK(guest.boot_body("kernel /a\ninitrd /i /j").initrds.size() == 1);
  CHECK(guest.diagnostics.has_notice("GRUB Legacy loads only the first file of an initrd line"));
}

TEST_CASE("Entries that load no Linux are told for what they are") {
  Guest guest;
  guest.first.add("/boot/chain").add("/netbsd");
  CHECK(guest.boot_body("root (hd0,1)\nmakeactive\nchainloader +1").kind == BootEntry::Kind::kChainloader);
  CHECK(guest.menu->evaluate(0)->kernel == FileReference{"hd0,gpt2", "+1"});
  CHECK(guest.boot_body("chainloader --force (hd0,0)/boot/chain").kernel ==
        FileReference{"hd0,gpt1", "/boot/chain"});
  CHECK_FALSE(guest.boot_body("chainloader /nosuch").error.empty());
  CHECK(guest.boot_body("kernel --type=netbsd /netbsd").kind == BootEntry::Kind::kOther);
  CHECK(guest.boot_body("reboot").error == "the entry runs `reboot'");
  CHECK(guest.boot_body("halt --no-apm").error == "the entry runs `halt'");
  CHECK(guest.boot_body("root").error == "the entry loads nothing");
  CHECK_FALSE(guest.boot_body("boot").error.empty());
}

TEST_CASE("A title without a command is no entry, and does not count") {
  RecordedDiagnostics diagnostics;
  const auto menu = bare_legacy_menu(
      "default 1\ntitle a\nkernel /a\ntitle Other systems:\nnosuch x\ntitle b\nkernel /b\ntitle c\n",
      diagnostics);
  CHECK(titles(*menu) == "a|b|");
  CHECK(menu->default_index() == 1);
  CHECK(diagnostics.has_notice("menu.lst:4: the title `Other systems:' has no command after it"));
  CHECK(diagnostics.has_notice("menu.lst:5: GRUB Legacy has no command `nosuch'"));
  CHECK(diagnostics.has_notice("menu.lst:8: the title `c'"));
}

TEST_CASE("Commands at the wrong place are told, and pass without effect") {
  RecordedDiagnostics diagnostics;
  const auto menu = bare_legacy_menu(
      "root (hd0,3)\nkernel /x\ncolor blue/red\ntitle a\nkernel /a\ntimeout 3\ndefault 1\ntitle b\nkernel "
      "/b\n",
      diagnostics);
  CHECK(menu->evaluate(0)->kernel == FileReference{"", "/a"});
  CHECK_FALSE(menu->timeout().has_value());
  CHECK(menu->default_index() == 0);
  CHECK(diagnostics.has_notice("menu.lst:1: `root' has no effect before the first title"));
  CHECK(diagnostics.has_notice("menu.lst:2: `kernel' has no effect before the first title"));
  CHECK(diagnostics.has_notice("menu.lst:6: this command belongs before the first title"));
  CHECK(diagnostics.notices.size() == 4);
}

TEST_CASE("Timeout and hidden menu are GRUB Legacy's") {
  const auto with = [](const std::string& header) {
    RecordedDiagnostics diagnostics;
    return bare_legacy_menu(header + "title a\nkernel /a\n", diagnostics);
  };
  CHECK_FALSE(with("")->timeout().has_value());
  CHECK(with("timeout=5\n")->timeout() == 5);
  CHECK(with("timeout 0\n")->timeout() == 0);
  CHECK(with("timeout 0x10s\n")->timeout() == 16);
  CHECK_FALSE(with("timeout -1\n")->timeout().has_value());
  CHECK_FALSE(with("TIMEOUT 5\n")->timeout().has_value());
  CHECK(with("hiddenmenu\ntimeout 5\n")->timeout_style() == TimeoutStyle::kHidden);
  CHECK(with("timeout 5\n")->timeout_style() == TimeoutStyle::kMenu);
  CHECK(with("hiddenmenu\n")->timeout_style() == TimeoutStyle::kMenu);
}

TEST_CASE("default saved is the number beside the menu") {
  const std::string menu = "default saved\ntitle a\nroot\ntitle b\nroot\ntitle c\nroot\n";
  const auto default_with = [&](const std::string& name, const std::string& contents) {
    Guest guest;
    guest.first.add("/boot/grub/" + name, contents);
    return (*guest.load(menu))->default_index();
  };
  CHECK((*Guest().load(menu))->default_index() == 0);
  CHECK(default_with("default", "2\n#\n#\n") == 2);
  CHECK(default_with("default", "1") == 1);
  CHECK(default_with("default", "") == 0);
  CHECK(default_with("default", "b\n") == 0);
  CHECK(default_with("default", "7\n") == 0);
  CHECK(default_with("default", "00000000001\n") == 0);  // GRUB reads ten bytes
  std::string stage2(0x400, '\0');
  stage2[0x206] = 3;
  stage2[0x207] = 2;
  stage2[0x20c] = 1;
  CHECK(default_with("stage2", stage2) == 1);
  stage2[0x210] = 1;  // stage 1.5
  CHECK(default_with("stage2", stage2) == 0);
  CHECK(default_with("stage2", "short") == 0);
}

TEST_CASE("A default entry for one boot only is told and not followed") {
  Guest guest;
  std::string stage2(0x400, '\0');
  stage2[0x206] = 3;
  stage2[0x207] = 2;
  stage2[0x20c] = 1;
  stage2[0x20e] = 1;
  guest.first.add("/boot/grub/stage2", stage2);
  CHECK((*guest.load("default saved\ntitle a\nroot\ntitle b\nroot\n"))->default_index() == 0);
  CHECK(guest.diagnostics.has_notice("entry 1 is to be booted once, which is not followed"));
}

TEST_CASE("What savedefault would change is told, of the default entry") {
  Guest guest;
  guest.first.add("/k").add("/boot/grub/default", "1\n");
  REQUIRE(guest
              .boot("default saved\nfallback 2\ntitle a\nkernel /k\nsavedefault\ntitle b\nkernel "
                    "/k\nsavedefault fallback\n"
                    "title c\nkernel /k\nsavedefault fallback\ntitle d\nkernel /k\nsavedefault --default=3 "
                    "--once\n",
                    0)
              .bootable());
  CHECK(guest.diagnostics.notices.empty());
  CHECK(guest.menu->evaluate(1)->bootable());
  CHECK(guest.diagnostics.has_notice("GRUB Legacy would note entry 2 as the one to boot next"));
  CHECK(guest.menu->evaluate(2)->error.ends_with("there is no further fallback entry to save"));
  CHECK(guest.menu->evaluate(3)->bootable());
  CHECK(guest.boot_body("kernel /k\nsavedefault 3").bootable());
  CHECK_FALSE(guest.boot_body("kernel /k\nsavedefault +").bootable());
}

TEST_CASE("An entry's source is its text after the title") {
  RecordedDiagnostics diagnostics;
  const auto menu = bare_legacy_menu(
      "# x\ntitle a\n\troot (hd0,0)\n\n\tkernel /a \\\n  b\n# y\n\ntitle b\nkernel /b", diagnostics);
  CHECK(menu->entry_source(0) == "\troot (hd0,0)\n\n\tkernel /a \\\n  b\n");
  CHECK(menu->entry_source(1) == "kernel /b");
  CHECK(menu->entry_source(2).empty());
}

TEST_CASE("A menu without entries is none") {
  Guest guest;
  CHECK(guest.load("timeout 5\ntitle a\n").error().code == ErrorCode::kNoEntry);
  CHECK(guest.load("").error().code == ErrorCode::kNoEntry);
  CHECK(load_legacy_menu({&guest.devices, guest.settings, guest.budget, guest.diagnostics},
                         {"grub-legacy", "hd0,gpt2", "/nosuch"})
            .error()
            .code == ErrorCode::kNotFound);
}

TEST_CASE("A hundred thousand titles are listed within the budget") {
  std::string text = "default 99999\n";
  for (int i = 0; i < 100'000; ++i)
    text += "title Linux " + std::to_string(i) +
            "\n\troot (hd0,7)\n\tkernel /boot/vmlinuz root=/dev/x ro\n\tinitrd /boot/initrd\n";
  Guest guest;
  guest.first.add("/boot/vmlinuz").add("/boot/initrd");
  guest.menu = *guest.load(text);
  REQUIRE(guest.menu->entries().size() == 100'000);
  for (std::size_t i = 0; i < 100'000; ++i) REQUIRE(guest.menu->evaluate(i)->bootable());
  CHECK(guest.menu->default_index() == 99'999);
  CHECK(guest.diagnostics.notices.size() == 1);
}

TEST_CASE("Floods of lines end at the limits") {
  Guest guest;
  std::string text;
  for (std::size_t i = 0; i <= limits::kMenuEntries; ++i) text += "title a\nroot\n";
  CHECK(guest.load(text).error().code == ErrorCode::kLimit);
  text = "title a\n";
  for (std::size_t i = 0; i <= limits::kLegacyStatements; ++i) text += "boot\n";
  guest.budget = Budget::standard();
  CHECK(guest.load(text).error().code == ErrorCode::kLimit);
  text.clear();
  for (std::size_t i = 0; i < 1'000'000; ++i) text += "nosuch\n";
  guest.budget = Budget::standard();
  CHECK(guest.load(text).error().code == ErrorCode::kLimit);
  CHECK(guest.diagnostics.notices.size() < 1'000'000);
  guest.diagnostics.notices.clear();
  guest.budget = Budget::standard();
  const auto menu =
      guest.load("title " + std::string(limits::kWordBytes + 10, 'x') + "\nroot\ntitle b\nroot\n");
  REQUIRE(menu.has_value());
  CHECK(titles(**menu) == "b|");
  CHECK(guest.diagnostics.has_notice("menu.lst:1: a line of more than"));
}

TEST_CASE("Every cut of a menu is read without harm") {
  const std::string text =
      "default saved\nfallback 0 1\npassword --md5 x (hd0,0)/y\ntitle a\\\n b\nroot (hd0,0)\nkernel "
      "--type=linux "
      "(hd0,0)/k a \\\n  b\ninitrd (,0)/i\nmodule /m\nsavedefault fallback\nuuid 1\nfind --set-root "
      "/k\nconfigfile /z\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    Guest guest;
    guest.first.add("/k").add("/i");
    const auto menu = guest.load(text.substr(0, length));
    if (!menu) continue;
    for (std::size_t i = 0; i < (*menu)->entries().size(); ++i) CHECK((*menu)->evaluate(i).has_value());
    CHECK_FALSE((*menu)->evaluate((*menu)->entries().size()).has_value());
    CHECK_FALSE((*menu)->submenu(0).has_value());
  }
}
