// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/editable_entry.h"

#include <catch2/catch.hpp>

#include "grubcfg/plain_menu.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

constexpr const char* kDevice = "hd0,gpt1";

class Guest {
 public:
  Guest() { root.add("/vmlinuz").add("/it is").add("/initrd").add("/x.efi", std::string(4096, 'x')); }

  /// The menu of that entry alone.
  Menu& menu_of(const BootEntry& entry, const std::string& source = {}) {
    std::vector<PlainEntry> entries(1);
    entries[0].boot = entry;
    entries[0].source = source;
    menu = std::make_unique<PlainMenu>(MenuContext{&devices, {}, budget, diagnostics},
                                       ConfigurationSource{"bls", kDevice, "/loader/entries"},
                                       std::move(entries), PlainMenuSettings());
    return *menu;
  }
  std::string text(const BootEntry& entry) { return menu_of(entry).editable_text(0).value(); }
  BootEntry edit(const BootEntry& entry, std::string_view text) {
    return menu_of(entry).evaluate_edited(0, text).value();
  }

  MemoryDevices devices;
  test::MemoryFileSystem& root = devices.add(kDevice);
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<PlainMenu> menu;
};

BootEntry linux_entry() {
  BootEntry entry;
  entry.kind = BootEntry::Kind::kLinux;
  entry.loader_command = "linux";
  entry.kernel = {kDevice, "/vmlinuz"};
  entry.command_line = "root=/dev/xvda1  \"quoted\" \\ ro";
  entry.initrds = {{{kDevice, "/initrd"}, std::nullopt}, {{kDevice, "/it is"}, "name of it"}};
  return entry;
}

BootEntry unified_entry() {
  BootEntry entry;
  entry.kind = BootEntry::Kind::kLinux;
  entry.loader_command = "uki";
  entry.kernel = {kDevice, "/x.efi", FilePart{".linux", 100, 200}};
  entry.initrds = {{{kDevice, "/x.efi", FilePart{".initrd", 300, 50}}, std::nullopt}};
  entry.command_line = "quiet";
  entry.unified_image = FileReference{kDevice, "/x.efi"};
  return entry;
}

void check_same(const BootEntry& a, const BootEntry& b) {
  CHECK(a.kind == b.kind);
  CHECK(a.loader_command == b.loader_command);
  CHECK(a.kernel == b.kernel);
  CHECK(a.command_line == b.command_line);
  REQUIRE(a.initrds.size() == b.initrds.size());
  for (std::size_t i = 0; i < a.initrds.size(); ++i) {
    CHECK(a.initrds[i].file == b.initrds[i].file);
    CHECK(a.initrds[i].newc_name == b.initrds[i].newc_name);
  }
  CHECK(a.hypervisor == b.hypervisor);
  CHECK(a.hypervisor_command_line == b.hypervisor_command_line);
  CHECK(a.unified_image == b.unified_image);
  CHECK(a.device_tree == b.device_tree);
}

}  // namespace

TEST_CASE("An entry is written as the lines that GRUB would have", "[edit]") {
  Guest guest;
  BootEntry entry = linux_entry();
  entry.device_tree = FileReference{kDevice, "/board.dtb"};
  CHECK(guest.text(entry) ==
        "linux (hd0,gpt1)/vmlinuz root=/dev/xvda1  \"quoted\" \\ ro\n"
        "initrd (hd0,gpt1)/initrd\n"
        "initrd newc:name\\ of\\ it:(hd0,gpt1)/it\\ is\n"
        "devicetree (hd0,gpt1)/board.dtb\n");
  CHECK(guest.text(unified_entry()) ==
        "linux (hd0,gpt1)/x.efi:.linux quiet\ninitrd (hd0,gpt1)/x.efi:.initrd\n");
}

TEST_CASE("A text with any change but to a word keeps all else of the entry", "[edit]") {
  Guest guest;
  BootEntry xen = linux_entry();
  xen.hypervisor = FileReference{kDevice, "/vmlinuz"};
  xen.hypervisor_command_line = "dom0_mem=1G";
  BootEntry odd = linux_entry();
  odd.command_line = "  two leading blanks,\nand a newline ";
  BootEntry bare = linux_entry();
  bare.command_line.clear();
  bare.initrds.clear();
  for (const BootEntry& entry : {linux_entry(), unified_entry(), xen, odd, bare}) {
    const std::string text = guest.text(entry);
    INFO(text);
    check_same(guest.edit(entry, text), entry);
    CHECK(guest.edit(entry, text).bootable());
    // With a comment it is read anew.
    check_same(guest.edit(entry, "# mine\n\n" + text), entry);
    CHECK(guest.edit(entry, "# mine\n\n" + text).bootable());
  }
}

TEST_CASE("What is edited is what boots", "[edit]") {
  Guest guest;
  BootEntry entry = guest.edit(unified_entry(), "linux (hd0,gpt1)/x.efi:.linux quiet single\n");
  CHECK(entry.bootable());
  CHECK(entry.kernel == unified_entry().kernel);
  CHECK(entry.unified_image.has_value());
  CHECK(entry.command_line == "quiet single");
  CHECK(entry.initrds.empty());

  entry = guest.edit(unified_entry(), "linux /vmlinuz  a  b\ninitrd /initrd '/it is' newc:n:/initrd");
  CHECK(entry.bootable());
  CHECK(entry.kernel == FileReference{kDevice, "/vmlinuz"});
  CHECK_FALSE(entry.unified_image.has_value());
  CHECK(entry.loader_command == "linux");
  CHECK(entry.command_line == " a  b");
  REQUIRE(entry.initrds.size() == 3);
  CHECK(entry.initrds[1].file.path == "/it is");
  CHECK(entry.initrds[2].newc_name == "n");

  entry = guest.edit(linux_entry(), "chainloader (hd0,gpt1)/x.efi opt");
  CHECK(entry.kind == BootEntry::Kind::kChainloader);
  // A second kernel takes the place of the first, as in GRUB.
  entry = guest.edit(linux_entry(), "linux /vmlinuz a\ninitrd /initrd\nlinux /vmlinuz b");
  CHECK(entry.command_line == "b");
  CHECK(entry.initrds.empty());
}

TEST_CASE("A mistake is told with its line", "[edit]") {
  Guest guest;
  const auto error = [&](std::string_view text) { return guest.edit(linux_entry(), text).error; };
  CHECK(error("linux /vmlinuz\n\nlunix /x") ==
        "line 3: can't find command `lunix': an entry of this menu has linux, initrd, devicetree and "
        "chainloader");
  CHECK(error("linux") == "line 1: filename expected");
  CHECK(error("initrd /initrd") == "line 1: you need to load the kernel first");
  CHECK(error("linux /vmlinuz\ninitrd") == "line 2: filename expected");
  CHECK(error("linux (hd0/vmlinuz") == "line 1: missing `)' symbol in `(hd0/vmlinuz'");
  CHECK(error("linux vmlinuz") == "line 1: invalid file name `vmlinuz': it should begin with a `/'");
  CHECK(error("linux /nosuch x") == "(hd0,gpt1)/nosuch: file not found");
  CHECK(error("linux /vmlinuz\ninitrd /nosuch") == "(hd0,gpt1)/nosuch: file not found");
  CHECK_FALSE(error("linux (hd7)/vmlinuz").empty());
  CHECK(error("# nothing") == "the entry loads nothing");
  CHECK(guest.menu_of(linux_entry()).evaluate_edited(0, std::string(2U << 20U, 'x')).error().code ==
        ErrorCode::kLimit);
}

TEST_CASE("An entry that loads nothing shows its source as comments", "[edit]") {
  Guest guest;
  BootEntry nothing;
  nothing.error = "no kernel";
  Menu& menu = guest.menu_of(nothing, "title x\nlinux\n");
  const std::string text = menu.editable_text(0).value();
  CHECK(text == "# title x\n# linux\n");
  CHECK(menu.evaluate_edited(0, text).value().error == "no kernel");
  CHECK(menu.evaluate_edited(0, text + "linux /vmlinuz\n").value().bootable());
}
