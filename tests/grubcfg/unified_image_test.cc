// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/unified_image.h"

#include <unistd.h>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/limits.h"
#include "grubcfg/configuration.h"
#include "tests/bootimage/pe_writer.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::PeWriter;
using pvhgrub::test::RecordedDiagnostics;

namespace {

const FileReference kImage{"hd0,gpt1", "/EFI/Linux/a.efi"};

struct Guest {
  MemoryDevices devices;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  test::MemoryFileSystem& esp = devices.add("hd0,gpt1");

  std::optional<UnifiedImage> read(const FileReference& file = kImage) {
    auto image = read_unified_image({&devices, budget}, file, budget, diagnostics);
    REQUIRE(image.has_value());
    return std::move(*image);
  }
  std::optional<UnifiedImage> read(const PeWriter& writer) {
    esp.add(kImage.path, writer.build());
    return read();
  }
  std::string contents(const FileReference& file) {
    const auto text = GuestFiles(&devices, budget).read(file, 4096);
    REQUIRE(text.has_value());
    REQUIRE(text->has_value());
    return **text;
  }
};

PeWriter simple() {
  PeWriter writer;
  writer.add(".text", "code")
      .add(".osrel", "PRETTY_NAME=\"Some OS 1\"\nID=some\nVERSION_ID=1\n")
      .add(".cmdline", "root=/dev/xvda quiet")
      .add(".uname", "6.1.0")
      .add(".initrd", "an initrd")
      .add(".linux", "a kernel");
  return writer;
}

PeWriter addon(const std::string& command_line) {
  PeWriter writer;
  writer.add(".cmdline", command_line);
  return writer;
}

}  // namespace

TEST_CASE("a unified kernel image is a kernel, an initrd and a command line inside one file", "[uki]") {
  Guest guest;
  const auto image = guest.read(simple());
  REQUIRE(image);
  CHECK(image->machine == bootimage::kPeMachineAmd64);
  REQUIRE(image->profiles.size() == 1);
  const UnifiedProfile& profile = image->profiles[0];
  CHECK(profile.os_release->name == "Some OS 1");
  CHECK(profile.os_release->version == "1");
  CHECK(profile.os_release->sort_key == "some");
  const BootEntry& boot = profile.boot;
  CHECK(boot.bootable());
  CHECK(boot.loader_command == "uki");
  CHECK(boot.unified_image == kImage);
  CHECK(boot.kernel.to_string() == "(hd0,gpt1)/EFI/Linux/a.efi:.linux");
  CHECK(guest.contents(boot.kernel) == "a kernel");
  REQUIRE(boot.initrds.size() == 1);
  CHECK(guest.contents(boot.initrds[0].file) == "an initrd");
  CHECK(boot.command_line == "root=/dev/xvda quiet");
  CHECK_FALSE(boot.device_tree.has_value());
  CHECK(guest.diagnostics.notices.empty());
}

TEST_CASE("microcode goes in front of the initrd, wherever it stands in the image", "[uki]") {
  Guest guest;
  const auto image = guest.read(simple().add(".ucode", "microcode").add(".dtb", "tree"));
  REQUIRE(image);
  const BootEntry& boot = image->profiles[0].boot;
  REQUIRE(boot.initrds.size() == 2);
  CHECK(guest.contents(boot.initrds[0].file) == "microcode");
  CHECK(guest.contents(boot.initrds[1].file) == "an initrd");
  REQUIRE(boot.device_tree);
  CHECK(guest.contents(*boot.device_tree) == "tree");
}

TEST_CASE("an image whose parts are not aligned boots as any other", "[uki]") {
  Guest guest;
  PeWriter writer = simple();
  writer.file_alignment = 1;
  const auto image = guest.read(writer);
  REQUIRE(image);
  CHECK(image->profiles[0].boot.kernel.part->offset % 2 == 1);
  CHECK(guest.contents(image->profiles[0].boot.kernel) == "a kernel");
}

TEST_CASE("the command line is cleaned as systemd-stub cleans it", "[uki]") {
  CHECK(clean_command_line("a b\n") == "a b");
  CHECK(clean_command_line(" \t\x01 a\tb\nc\x7f \n\r") == "a b c");
  CHECK(clean_command_line("a  b") == "a  b");
  CHECK(clean_command_line(std::string_view("a\0b", 3)) == "a");
  CHECK(clean_command_line("\n \n").empty());
  CHECK(clean_command_line("caf\xc3\xa9") == "caf\xc3\xa9");
}

TEST_CASE("each profile puts its own sections over those in front of the first", "[uki]") {
  Guest guest;
  const auto image = guest.read(simple()
                                    .add(".profile", "ID=regular\nTITLE=\"Regular boot\"\n")
                                    .add(".profile", "ID=reset\n")
                                    .add(".cmdline", "factory-reset")
                                    .add(".cmdline", "not this")
                                    .add(".profile", "# nothing\n")
                                    .add(".initrd", "")
                                    .add(".linux", "other kernel"));
  REQUIRE(image);
  REQUIRE(image->profiles.size() == 3);
  CHECK(image->profiles[0].id == "regular");
  CHECK(image->profiles[0].title == "Regular boot");
  CHECK(image->profiles[0].boot.command_line == "root=/dev/xvda quiet");
  CHECK(image->profiles[1].id == "reset");
  CHECK(image->profiles[1].title.empty());
  CHECK(image->profiles[1].boot.command_line == "factory-reset");
  CHECK(guest.contents(image->profiles[1].boot.kernel) == "a kernel");
  CHECK(image->profiles[1].boot.initrds.size() == 1);
  CHECK(image->profiles[2].id.empty());
  CHECK(guest.contents(image->profiles[2].boot.kernel) == "other kernel");
  CHECK(image->profiles[2].boot.initrds.empty());
  CHECK(image->profiles[2].os_release->sort_key == "some");
}

TEST_CASE("a profile without a kernel is an answer, not a kernel of nothing", "[uki]") {
  Guest guest;
  PeWriter writer;
  const auto image =
      guest.read(writer.add(".profile", "ID=a").add(".profile", "ID=b").add(".linux", "a kernel"));
  REQUIRE(image);
  CHECK(image->profiles.at(0).boot.error.find("no kernel") != std::string::npos);
  CHECK(image->profiles.at(1).boot.bootable());
}

TEST_CASE("no more profiles are made than systemd makes", "[uki]") {
  Guest guest;
  PeWriter writer = simple();
  for (int i = 0; i < 400; ++i) writer.add(".profile", "ID=" + std::to_string(i));
  const auto image = guest.read(writer);
  REQUIRE(image);
  CHECK(image->profiles.size() == limits::kUnifiedProfiles);
  CHECK(image->profiles.back().id == "255");
}

TEST_CASE("load options choose a profile and replace the command line", "[uki]") {
  Guest guest;
  const auto image = guest.read(simple().add(".profile", "").add(".profile", "ID=b").add(".cmdline", "two"));
  REQUIRE(image);
  const auto line = [&](std::string_view options) {
    return start_unified_image(*image, options).command_line;
  };
  CHECK(line("") == "root=/dev/xvda quiet");
  CHECK(line("@1") == "two");
  CHECK(line("@1 ") == "two");
  CHECK(line("@1 debug") == "debug");
  CHECK(line("@0 debug") == "debug");
  CHECK(line("@1x debug") == "@1x debug");
  CHECK(line("@ debug") == "@ debug");
  CHECK(line("@99999999999") == "@99999999999");
  CHECK(line(" debug ") == "debug");
  CHECK(line("@1\tdebug") == "root=/dev/xvda quiet");
  CHECK_FALSE(start_unified_image(*image, "@2").bootable());
  CHECK(start_unified_image(*image, "@2").error.find("no profile @2") != std::string::npos);
}

TEST_CASE("addons append to the command line, those of the file system before those of the image", "[uki]") {
  Guest guest;
  guest.esp.add("/loader/addons/z.addon.efi", addon("z=1\n").build())
      .add("/loader/addons/a.ADDON.EFI", addon("a=1").build())
      .add("/loader/addons/.hidden.addon.efi", addon("hidden").build())
      .add("/loader/addons/b.efi", addon("no-addon").build())
      .add("/EFI/Linux/a.efi.extra.d/own.addon.efi", addon("own=1").build())
      .add("/EFI/Linux/b.efi.extra.d/other.addon.efi", addon("other=1").build());
  const auto image = guest.read(simple());
  REQUIRE(image);
  CHECK(image->profiles[0].boot.command_line == "root=/dev/xvda quiet a=1 z=1 own=1");
  CHECK(start_unified_image(*image, "debug").command_line == "debug a=1 z=1 own=1");
}

TEST_CASE("an addon's microcode is first and its initrd last", "[uki]") {
  Guest guest;
  const auto with_initrds = [](const std::string& name) {
    return PeWriter().add(".ucode", "microcode " + name).add(".initrd", "initrd " + name).build();
  };
  guest.esp.add("/loader/addons/1.addon.efi", with_initrds("1"))
      .add("/EFI/Linux/a.efi.extra.d/2.addon.efi", with_initrds("2"));
  const auto image = guest.read(simple().add(".ucode", "microcode 0"));
  REQUIRE(image);
  std::vector<std::string> contents;
  for (const InitrdFile& initrd : image->profiles[0].boot.initrds)
    contents.push_back(guest.contents(initrd.file));
  CHECK(contents == std::vector<std::string>{"microcode 2", "microcode 1", "microcode 0", "an initrd",
                                             "initrd 1", "initrd 2"});
}

TEST_CASE("addons for another kernel release or machine are left out", "[uki]") {
  Guest guest;
  PeWriter arm = addon("arm");
  arm.machine = bootimage::kPeMachineArm64;
  guest.esp.add("/loader/addons/1.addon.efi", addon("same").add(".uname", "6.1.0").build())
      .add("/loader/addons/2.addon.efi", addon("other").add(".uname", "6.2.0").build())
      .add("/loader/addons/3.addon.efi", addon("beginning").add(".uname", "6.1").build())
      .add("/loader/addons/4.addon.efi", addon("ended").add(".uname", std::string("6.1\0", 4)).build())
      .add("/loader/addons/5.addon.efi", arm.build());
  const auto image = guest.read(simple());
  REQUIRE(image);
  CHECK(image->profiles[0].boot.command_line == "root=/dev/xvda quiet same beginning");
  CHECK(guest.diagnostics.has_explanation("2.addon.efi is for another kernel"));
}

TEST_CASE("what only looks like an addon is left out with a notice", "[uki]") {
  Guest guest;
  guest.esp.add("/loader/addons/1.addon.efi", "no program")
      .add("/loader/addons/2.addon.efi", simple().build())
      .add("/loader/addons/3.addon.efi", addon("good").build());
  const auto image = guest.read(simple());
  REQUIRE(image);
  CHECK(image->profiles[0].boot.command_line == "root=/dev/xvda quiet good");
  CHECK(guest.diagnostics.has_notice("1.addon.efi: this addon is left out: not a PE image"));
  CHECK(guest.diagnostics.has_notice("2.addon.efi: this addon is left out: it has a kernel"));
  CHECK(guest.diagnostics.notices.size() == 2);
}

TEST_CASE("credentials and extensions that cannot be handed on are named", "[uki]") {
  Guest guest;
  guest.esp.add("/EFI/Linux/a.efi.extra.d/secret.cred")
      .add("/EFI/Linux/a.efi.extra.d/more.raw")
      .add("/loader/credentials/global.cred")
      .add("/loader/extensions/x.confext.raw");
  REQUIRE(guest.read(simple()));
  CHECK(guest.diagnostics.has_notice("a.efi.extra.d: credentials"));
  CHECK(guest.diagnostics.has_notice("more.raw, secret.cred"));
  CHECK(guest.diagnostics.has_notice("/loader/credentials: credentials"));
  CHECK(guest.diagnostics.has_notice("x.confext.raw"));
}

TEST_CASE("a boot counter in the image's name is no part of the name of its directory", "[uki]") {
  Guest guest;
  guest.esp.add("/EFI/Linux/a+3-1.efi", simple().build())
      .add("/EFI/Linux/a.efi.extra.d/own.addon.efi", addon("own=1").build());
  const auto image = guest.read({"hd0,gpt1", "/EFI/Linux/a+3-1.efi"});
  REQUIRE(image);
  CHECK(image->profiles[0].boot.command_line == "root=/dev/xvda quiet own=1");
}

TEST_CASE("what is no unified kernel image is none", "[uki]") {
  Guest guest;
  CHECK_FALSE(guest.read());
  CHECK_FALSE(guest.read(addon("x")));
  guest.esp.add(kImage.path, "#!/bin/sh");
  CHECK_FALSE(guest.read());
  CHECK_FALSE(guest.read({"hd9", "/x.efi"}));
  CHECK(guest.diagnostics.notices.empty());
  std::string cut = simple().build();
  cut.resize(cut.size() - 1);
  guest.esp.add(kImage.path, cut);
  CHECK_FALSE(guest.read());
  CHECK(guest.diagnostics.has_notice("(hd0,gpt1)/EFI/Linux/a.efi: a damaged PE image"));
}

TEST_CASE("a command line without end is not cut to something else", "[uki]") {
  Guest guest;
  PeWriter writer;
  const auto image =
      guest.read(writer.add(".linux", "k").add(".cmdline", std::string(limits::kUnifiedTextBytes + 1, 'x')));
  REQUIRE(image);
  CHECK_FALSE(image->profiles[0].boot.bootable());
  CHECK(image->profiles[0].boot.error.find(".cmdline") != std::string::npos);
}

TEST_CASE("headers that do not fit the first bytes are read on for", "[uki]") {
  Guest guest;
  PeWriter writer;
  for (int i = 0; i < 500; ++i) writer.add(".pad", "p");
  const auto image = guest.read(writer.add(".linux", "a kernel"));
  REQUIRE(image);
  CHECK(guest.contents(image->profiles[0].boot.kernel) == "a kernel");
}

TEST_CASE("GRUB's chainloader boots a unified kernel image as the image says", "[uki]") {
  Guest guest;
  guest.esp
      .add("/EFI/Linux/a.efi", simple().add(".profile", "").add(".profile", "").add(".cmdline", "p1").build())
      .add("/EFI/other.efi", addon("x").build())
      .add("/grub/grub.cfg",
           "menuentry a { chainloader /EFI/Linux/a.efi }\n"
           "menuentry b { chainloader ($root)/EFI/Linux/a.efi @1 'a  b' c }\n"
           "menuentry c { chainloader /EFI/Linux/a.efi @1 }\n"
           "menuentry d { chainloader /EFI/other.efi }\n"
           "menuentry e { chainloader +1 }\n"
           "menuentry f { chainloader /EFI/Linux/a.efi @7 }\n");
  const auto menu = load_configuration(guest.devices, {"grub2", "hd0,gpt1", "/grub/grub.cfg"}, {},
                                       guest.budget, guest.diagnostics);
  REQUIRE(menu.has_value());
  const auto entry = [&](std::size_t index) {
    auto evaluated = (*menu)->evaluate(index);
    REQUIRE(evaluated.has_value());
    return *evaluated;
  };
  CHECK(entry(0).bootable());
  CHECK(entry(0).unified_image == kImage);
  CHECK(guest.contents(entry(0).kernel) == "a kernel");
  CHECK(entry(0).command_line == "root=/dev/xvda quiet");
  CHECK(entry(1).command_line == "a  b c");
  CHECK(entry(2).command_line == "p1");
  CHECK(entry(3).kind == BootEntry::Kind::kChainloader);
  CHECK(entry(3).kernel.path == "/EFI/other.efi");
  CHECK(entry(4).kind == BootEntry::Kind::kChainloader);
  CHECK_FALSE(entry(5).bootable());
}

TEST_CASE("an image that objcopy made of systemd's own code is read", "[uki]") {
  namespace filesystem = std::filesystem;
  const filesystem::path code = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
  if (!filesystem::exists(code) || std::system("objcopy --version >/dev/null 2>&1") != 0) {
    WARN("skipped: install systemd-boot-efi and binutils");
    return;
  }
  const filesystem::path directory =
      filesystem::temp_directory_path() / ("pvhgrub-uki-test-" + std::to_string(::getpid()));
  filesystem::create_directories(directory);
  const auto write = [&](const char* name, const std::string& contents) {
    std::ofstream(directory / name, std::ios::binary) << contents;
  };
  write("osrel", "ID=real\nPRETTY_NAME=Real\n");
  write("cmdline", "root=LABEL=x ro\n");
  write("linux", std::string(100'000, 'K'));
  write("initrd", std::string(50'001, 'I'));
  const std::string place = directory.string();
  std::string command = "objcopy";
  unsigned address = 0x1000000;
  for (const std::string section : {"osrel", "cmdline", "initrd", "linux"}) {
    command += " --add-section ." + section + "=" + place + "/" + section + " --change-section-vma ." +
               section + "=" + std::to_string(address);
    address += 0x1000000;
  }
  REQUIRE(std::system((command + " " + code.string() + " " + place + "/uki.efi 2>/dev/null").c_str()) == 0);
  std::ifstream stream(directory / "uki.efi", std::ios::binary);
  Guest guest;
  guest.esp.add(kImage.path, {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()});
  filesystem::remove_all(directory);
  const auto image = guest.read();
  REQUIRE(image);
  const BootEntry& boot = image->profiles.at(0).boot;
  CHECK(boot.kernel.part->size == 100'000);
  CHECK(boot.initrds.at(0).file.part->size == 50'001);
  CHECK(boot.command_line == "root=LABEL=x ro");
  CHECK(image->profiles[0].os_release->name == "Real");
  const auto kernel = GuestFiles(&guest.devices, guest.budget).read(boot.kernel, 200'000);
  REQUIRE(kernel.has_value());
  CHECK(**kernel == std::string(100'000, 'K'));
}
