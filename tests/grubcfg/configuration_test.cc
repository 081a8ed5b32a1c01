// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/configuration.h"

#include <catch2/catch.hpp>

#include "grubcfg/choice.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

constexpr std::string_view kGrub = "/boot/grub/grub.cfg";

struct Fixture {
  MemoryDevices devices;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<Menu> menu;

  Result<void> load(const std::string& device, const std::string& path = std::string(kGrub)) {
    auto loaded = load_configuration(devices, {"grub2", device, path}, {}, budget, diagnostics);
    if (!loaded) return std::unexpected(loaded.error());
    menu = std::move(*loaded);
    return {};
  }
  BootEntry entry(std::size_t index) { return menu->evaluate(index).value(); }
};

std::string grubenv(const std::string& lines) {
  std::string block = "# GRUB Environment Block\n" + lines;
  block.resize(1024, '#');
  return block;
}

}  // namespace

TEST_CASE("root and prefix are those of the configuration") {
  Fixture fixture;
  fixture.devices.add("hd0,gpt2")
      .add("/grub/grub.cfg", "echo $root $prefix $config_file $config_directory\n");
  CHECK(fixture.load("hd0,gpt2", "/grub/grub.cfg").error().code == ErrorCode::kNoEntry);
  CHECK(fixture.diagnostics.output == "hd0,gpt2 (hd0,gpt2)/grub (hd0,gpt2)/grub/grub.cfg (hd0,gpt2)/grub\n");
}

TEST_CASE("Kernel and initrd may lie on other partitions") {
  Fixture fixture;
  fixture.devices.add("hd0,gpt1", "aa").add("/vmlinuz").add("/initrd");
  fixture.devices.add("hd0,gpt2", "bb")
      .add(std::string(kGrub),
           "menuentry x { search --fs-uuid --set=root aa\nlinux /vmlinuz\n"
           "initrd ($root)/initrd }\n");
  REQUIRE(fixture.load("hd0,gpt2"));
  const BootEntry entry = fixture.entry(0);
  CHECK(entry.bootable());
  CHECK(entry.kernel.to_string() == "(hd0,gpt1)/vmlinuz");
  CHECK(entry.initrds.at(0).file.to_string() == "(hd0,gpt1)/initrd");
  CHECK(entry.command_line == "BOOT_IMAGE=/vmlinuz");
}

TEST_CASE("A kernel that is not there is an error, and fallback comes to its turn") {
  Fixture fixture;
  fixture.devices.add("hd0").add("/k2").add(std::string(kGrub),
                                            "set fallback=1\nmenuentry a { linux /k1\ninitrd /i }\n"
                                            "menuentry b { linux /k2 }\n");
  REQUIRE(fixture.load("hd0"));
  CHECK(fixture.entry(0).error == "file `/k1' not found");
  const auto choice = choose_default(*fixture.menu, fixture.diagnostics);
  REQUIRE(choice.has_value());
  CHECK(choice->title == "b");
  CHECK(fixture.diagnostics.has_notice("(hd0)/boot/grub/grub.cfg:2: error: file `/k1' not found."));
}

TEST_CASE("An initrd that is not there leaves the kernel to boot without it, with a notice") {
  Fixture fixture;
  fixture.devices.add("hd0").add("/k").add(std::string(kGrub), "menuentry a { linux /k\ninitrd /i }\n");
  REQUIRE(fixture.load("hd0"));
  const BootEntry entry = fixture.entry(0);
  CHECK(entry.bootable());
  CHECK(entry.initrds.empty());
  CHECK(fixture.diagnostics.has_notice("boots without this initrd"));
}

TEST_CASE("configfile to a file with entries leads to that file's menu") {
  Fixture fixture;
  fixture.devices.add("hd0,gpt1")
      .add("/EFI/debian/grub.cfg",
           "search.fs_uuid bb root\nset prefix=($root)'/boot/grub'\nset mine=1\n"
           "configfile $prefix/grub.cfg\necho never\nmenuentry never { true }\n");
  fixture.devices.add("hd0,gpt2", "bb")
      .add("/k")
      .add(std::string(kGrub), "echo \"[$mine]\"\nset timeout=3\nmenuentry real { linux /k }\n");
  REQUIRE(fixture.load("hd0,gpt1", "/EFI/debian/grub.cfg"));
  CHECK(fixture.diagnostics.output == "[]\n");
  REQUIRE(fixture.menu->entries().size() == 1);
  CHECK(fixture.menu->entries()[0].title == "real");
  CHECK(fixture.menu->timeout() == 3U);
  CHECK(fixture.menu->source() == ConfigurationSource{"grub2", "hd0,gpt2", "/boot/grub/grub.cfg"});
  CHECK(fixture.entry(0).kernel.to_string() == "(hd0,gpt2)/k");
}

TEST_CASE("configfile to a file without entries goes on, its variables gone") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/o.cfg", "set a=2\nset b=3\nexport b\n")
      .add(std::string(kGrub),
           "set a=1\nconfigfile /o.cfg\nconfigfile /nosuch\necho $a $b.\nmenuentry x { true }\n");
  REQUIRE(fixture.load("hd0"));
  CHECK(fixture.diagnostics.output == "1 .\n");
}

TEST_CASE("source runs in the same context and adds to the menu") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/boot/grub/custom.cfg", "set a=2\nmenuentry two { true }\nset default=two\n")
      .add(std::string(kGrub),
           "menuentry one { true }\nif [ -f ${config_directory}/custom.cfg ]; then\n"
           "source ${config_directory}/custom.cfg\nfi\necho $a $config_file\n. /nosuch; echo $?\n");
  REQUIRE(fixture.load("hd0"));
  CHECK(fixture.menu->entries().size() == 2);
  CHECK(fixture.menu->default_index() == 1);
  CHECK(fixture.diagnostics.output == "2 (hd0)/boot/grub/grub.cfg\n0\n");
}

TEST_CASE("An entry that runs configfile stands for the default of that menu") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/k")
      .add("/o.cfg", "set default=1\nmenuentry a { true }\nmenuentry b { linux /k q }\n")
      .add(std::string(kGrub), "menuentry other { configfile /o.cfg }\nsubmenu more { configfile /o.cfg }\n");
  REQUIRE(fixture.load("hd0"));
  CHECK(fixture.entry(0).command_line == "BOOT_IMAGE=/k q");
  const auto submenu = fixture.menu->submenu(1);
  REQUIRE(submenu.has_value());
  CHECK((*submenu)->entries().size() == 2);
  CHECK((*submenu)->source().path == "/o.cfg");
}

TEST_CASE("The saved entry comes from the environment block") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/boot/grub/grubenv", grubenv("saved_entry=b\nother=1\n"))
      .add(std::string(kGrub),
           "if [ -s $prefix/grubenv ]; then load_env; fi\nset default=\"${saved_entry}\"\n"
           "menuentry a { true }\nmenuentry b { true }\n");
  REQUIRE(fixture.load("hd0"));
  CHECK(fixture.menu->default_index() == 1);
  CHECK(fixture.diagnostics.has_explanation("saved_entry=b"));
}

TEST_CASE("What an entry saves stays with that entry") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/boot/grub/grubenv", grubenv("n=1\n"))
      .add(std::string(kGrub),
           "menuentry a { load_env; echo $n; set n=2; save_env n; set n=; load_env; echo $n }\n");
  REQUIRE(fixture.load("hd0"));
  (void)fixture.entry(0);
  (void)fixture.entry(0);
  CHECK(fixture.diagnostics.output == "1\n2\n1\n2\n");
}

TEST_CASE("load_env takes only what it is told to") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/env", grubenv("a=1\nb=2\n"))
      .add("/bad", "nothing")
      .add(std::string(kGrub),
           "load_env -f /env --skip-sig b\necho \"$a|$b\"\nload_env --file (hd0)/bad; echo $?\n"
           "load_env; echo $?\nsave_env; echo $?\n");
  CHECK_FALSE(fixture.load("hd0").has_value());
  CHECK(fixture.diagnostics.output == "|2\n4\n5\n18\n");
}

TEST_CASE("A configuration that boots without a menu has one entry that boots at once") {
  Fixture fixture;
  fixture.devices.add("hd0").add("/k").add("/i").add(std::string(kGrub),
                                                     "linux /k a b\ninitrd /i\nboot\necho never\n");
  REQUIRE(fixture.load("hd0"));
  REQUIRE(fixture.menu->entries().size() == 1);
  CHECK(fixture.menu->entries()[0].title == kGrub);
  CHECK(fixture.menu->timeout() == 0U);
  const auto choice = choose_default(*fixture.menu, fixture.diagnostics);
  REQUIRE(choice.has_value());
  CHECK(choice->entry.command_line == "BOOT_IMAGE=/k a b");
  CHECK(choice->entry.initrds.size() == 1);
  CHECK(fixture.diagnostics.output.empty());
}

TEST_CASE("A configuration that leaves GRUB has no entry") {
  Fixture fixture;
  fixture.devices.add("hd0").add(std::string(kGrub), "menuentry a { true }\nexit\n");
  const auto loaded = fixture.load("hd0");
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == ErrorCode::kNoEntry);
  CHECK(loaded.error().message.find("`exit'") != std::string::npos);
}

TEST_CASE("normal shows the menu of a further file at once") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/o.cfg", "menuentry b { true }\n")
      .add(std::string(kGrub), "menuentry a { true }\nnormal /o.cfg\nmenuentry c { true }\n");
  REQUIRE(fixture.load("hd0"));
  CHECK(fixture.menu->entries().size() == 2);
}

TEST_CASE("extract_entries_source takes the entries and nothing else") {
  Fixture fixture;
  fixture.devices.add("hd0")
      .add("/o.cfg", "set a=2\necho no\nmenuentry b { true }\n")
      .add(std::string(kGrub), "set a=1\nextract_entries_source /o.cfg\necho $a\n");
  REQUIRE(fixture.load("hd0"));
  CHECK(fixture.diagnostics.output == "1\n");
  CHECK(fixture.menu->entries().size() == 1);
}

TEST_CASE("A bare configuration takes kernels for granted and finds no other file") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu = load_bare_configuration(
      "source /x\nif [ -f /x ]; then echo no; fi\nsearch --fs-uuid --set=root aa\nset root='hd0,1'\n"
      "menuentry a { linux /k\ninitrd /i }\n",
      "c", {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  const auto entry = (*menu)->evaluate(0);
  REQUIRE(entry.has_value());
  CHECK(entry->kernel.to_string() == "(hd0,1)/k");
  CHECK(diagnostics.output.empty());
  CHECK((*menu)->source().path == "c");
}

TEST_CASE("A configuration file that is not there is an error") {
  Fixture fixture;
  fixture.devices.add("hd0").add("/x");
  CHECK(fixture.load("hd0").error().code == ErrorCode::kNotFound);
}

TEST_CASE("A script on a disk has the root of the first configuration, or of the first file system") {
  MemoryDevices devices;
  devices.add_without_file_system("hd0");
  devices.add("hd0,gpt1").add("/x");
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(evaluate_script("echo $root $prefix\n", "s", &devices, {}, budget, diagnostics));
  devices.add("hd0,gpt2").add("/grub2/grub.cfg");
  REQUIRE(evaluate_script("echo $root $prefix\n", "s", &devices, {}, budget, diagnostics));
  CHECK(diagnostics.output == "hd0,gpt1 (hd0,gpt1)/boot/grub\nhd0,gpt2 (hd0,gpt2)/grub2\n");
}
