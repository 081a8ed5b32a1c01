// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB 2's reading of GRUB Legacy's menus.
#include <catch2/catch.hpp>

#include "base/limits.h"
#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "grubcfg/legacy_translation.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// A disk without partitions whose grub.cfg is `script`.
class Disk {
 public:
  Disk() : files(devices.add("hd0", "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9fa", "oracle")) {}
  Result<std::unique_ptr<Menu>> load(const std::string& script) {
    files.add("/boot/grub/grub.cfg", script);
    return load_configuration(devices, {"grub2", "hd0", "/boot/grub/grub.cfg"}, settings, budget,
                              diagnostics);
  }

  MemoryDevices devices;
  test::MemoryFileSystem& files;
  GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
};

std::string linux_image() {
  std::string image(1024, '\0');
  image.replace(0x1fe, 2, "\x55\xaa");
  image.replace(0x202, 4, "HdrS");
  return image;
}

/// As tests/grubcfg/record_legacy_translation.py has it.
constexpr std::string_view kScript =
    "legacy_source /m.lst\n"
    "echo \"@@ default=[$default] timeout=[$timeout] fallback=[$fallback] root=[$root] "
    "superusers=[$superusers]\"\n"
    "echo \"@@ hdbias=[$legacy_hdbias] colors=[$color_normal|$color_highlight] pager=[$pager]\"\n"
    "set timeout=0\n";

/// The lines of a record, or of what we print, that an entry prints when it is tried.
std::string lines_but_tried(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    line.resize(line.find_last_not_of(" \r") + 1);
    if (!line.empty() && !line.starts_with("tried: ")) result += line + "\n";
    begin = end + 1;
  }
  return result;
}

/// Without the entries of /other.lst: GRUB tells an entry that leads to another menu before that one's, we
/// after.
std::string tried_in_record(const std::string& record) {
  std::string result;
  for (std::size_t begin = record.find("tried: "); begin != std::string::npos;
       begin = record.find("tried: ", begin + 1))
    if (!record.substr(begin).starts_with("tried: Other "))
      result += record.substr(begin, record.find('\n', begin) - begin + 1);
  return result;
}

std::string tried_by_us(const RecordedDiagnostics& diagnostics) {
  std::string result;
  for (const std::string& notice : diagnostics.notices) {
    const std::size_t end = notice.find(") cannot be booted: ");
    const std::size_t begin = notice.find(": entry ");
    if (end == std::string::npos || begin != 0) continue;
    const std::size_t title = notice.find('(') + 1;
    if (!notice.substr(title).starts_with("Other "))
      result += "tried: " + notice.substr(title, end - title) + "\n";
  }
  return result;
}

}  // namespace

TEST_CASE("GRUB 2 reads a menu of GRUB Legacy as grub-emu does") {
  const auto menus = test::data_files("legacy_translation", ".lst");
  REQUIRE(menus.size() >= 60);
  for (const auto& path : menus) {
    INFO(path.filename().string());
    Disk disk;
    disk.files.add("/m.lst", test::read_file(path))
        .add("/f/a", "contents of a\n")
        .add("/f/b c", "contents of b c\n")
        .add("/other.lst",
             "timeout 0\ndefault 1\ntitle Other 0\ncat /f/a\ntitle Other 1\nroot (hd0)\nroot\n");
    const auto menu = disk.load(std::string(kScript));
    if (menu) CHECK_FALSE(choose_default(**menu, disk.diagnostics).has_value());
    std::filesystem::path expected = path;
    const std::string record = test::read_file(expected.replace_extension(".expected"));
    CHECK(lines_but_tried(disk.diagnostics.output) == lines_but_tried(record));
    CHECK(tried_by_us(disk.diagnostics) == tried_in_record(record));
  }
}

TEST_CASE("legacy_configfile boots what a menu of GRUB Legacy boots") {
  Disk disk;
  disk.settings.platform = "pc";
  disk.files.add("/boot/grub/menu.lst",
                 "default 1\ntimeout 3\ntitle One\nroot (hd0)\nkernel /nosuch\ntitle Two words \nroot (hd0)\n"
                 "kernel --no-mem-option /vmlinuz root=/dev/xvda1 \"a b\"\ninitrd /initrd\n");
  disk.files.add("/vmlinuz", linux_image()).add("/initrd");
  const auto menu = disk.load("set default=7\nlegacy_configfile /boot/grub/menu.lst\necho not reached\n");
  REQUIRE(menu.has_value());
  CHECK((*menu)->source() == ConfigurationSource{"grub-legacy", "hd0", "/boot/grub/menu.lst"});
  CHECK((*menu)->default_index() == 1);
  CHECK((*menu)->timeout() == 3);
  REQUIRE((*menu)->entries().size() == 2);
  CHECK((*menu)->entries()[1].title == "Two words");
  CHECK((*menu)->entries()[1].id == "Two words");
  const auto entry = (*menu)->evaluate(1);
  REQUIRE(entry.has_value());
  CHECK(entry->bootable());
  CHECK(entry->loader_command == "linux16");
  CHECK(entry->kernel == FileReference{"hd0", "/vmlinuz"});
  CHECK(entry->command_line == "BOOT_IMAGE=/vmlinuz root=/dev/xvda1 \\\"a b\\\"");
  REQUIRE(entry->initrds.size() == 1);
  CHECK(disk.diagnostics.output.empty());
  CHECK((*menu)->evaluate(0)->error == "couldn't load file /nosuch");
  CHECK(disk.diagnostics.has_notice("(hd0)/boot/grub/menu.lst:5: error: couldn't load file /nosuch."));
}

TEST_CASE("A menu of Xen is told by the kernel's contents, or its type") {
  Disk disk;
  disk.files.add("/xen.gz", "\x1f\x8b").add("/vmlinuz", linux_image()).add("/initrd").add("/elf");
  const auto entry_of = [&](const std::string& kernel) {
    disk.files.add("/m.lst", "title t\nkernel " + kernel +
                                 " xen-option\nmodule /vmlinuz root=/dev/x\nmodulenounzip /initrd\n");
    const auto menu = disk.load("legacy_configfile /m.lst\n");
    REQUIRE(menu.has_value());
    return *(*menu)->evaluate(0);
  };
  const BootEntry entry = entry_of("/xen.gz");
  CHECK(entry.bootable());
  CHECK(entry.hypervisor->path == "/xen.gz");
  CHECK(entry.kernel.path == "/vmlinuz");
  CHECK(entry.command_line.ends_with("root=/dev/x"));
  CHECK(entry.initrds.at(0).file.path == "/initrd");
  CHECK(entry_of("--type=multiboot /xen.gz").hypervisor->path == "/xen.gz");
  CHECK_FALSE(entry_of("/elf").bootable());
  CHECK(entry_of("--type=netbsd /elf").kind == BootEntry::Kind::kOther);
}

TEST_CASE("Legacy commands that are called by hand refuse what they cannot use") {
  Disk disk;
  disk.files.add("/vmlinuz", linux_image());
  const auto first = [&](const std::string& body) {
    const auto menu = disk.load("menuentry t {\n" + body + "\n}\n");
    REQUIRE(menu.has_value());
    return *(*menu)->evaluate(0);
  };
  CHECK(first("legacy_kernel /vmlinuz").error == "filename expected");
  CHECK(first("legacy_kernel").error == "filename expected");
  CHECK(first("legacy_initrd /i /i").error == "you need to load the kernel first");
  CHECK(first("legacy_configfile").error == "file name required");
  CHECK(first("legacy_source /nosuch").error == "file `/nosuch' not found");
  CHECK(first("legacy_password").error == "arguments expected");
  CHECK(first("legacy_check_password").error == "arguments expected");
  const BootEntry entry = first("legacy_kernel --type=biglinux /vmlinuz (hd0)/vmlinuz a b");
  CHECK(entry.command_line == "BOOT_IMAGE=/vmlinuz a b");
  CHECK(entry.loader_command == "linux");
}

TEST_CASE("A password of GRUB Legacy is that of the user legacy") {
  Disk disk;
  disk.files.add("/m.lst", "password --md5 $1$salt$hash\ntitle a\nroot\ntitle b\nroot\n");
  const auto menu = disk.load("set superusers=root\nlegacy_source /m.lst\n");
  REQUIRE(menu.has_value());
  REQUIRE((*menu)->passwords().size() == 1);
  CHECK((*menu)->passwords()[0].user == "legacy");
  CHECK((*menu)->passwords()[0].secret == "$1$salt$hash");
  CHECK((*menu)->passwords()[0].kind == MenuPassword::Kind::kMd5Crypt);
  CHECK((*menu)->superusers() == "legacy");
  CHECK((*menu)->entries()[0].restricted);
  CHECK((*menu)->entries()[0].users == std::vector<std::string>{"legacy"});
  CHECK_FALSE((*menu)->entries()[1].restricted);

  disk.files.add("/m.lst", "title a\npassword x /other.lst\nkernel /vmlinuz\n");
  const auto guarded = disk.load("legacy_source /m.lst\n");
  REQUIRE(guarded.has_value());
  CHECK_FALSE((*guarded)->evaluate(0)->bootable());
  CHECK(disk.diagnostics.has_notice("(hd0)/m.lst:2: the entry asks for a password of its own"));
}

TEST_CASE("Entries are taken over without what else the menu does, where only they are asked for") {
  Disk disk;
  disk.files.add("/m.lst", "default 1\ntimeout 9\npager on\ntitle a\nroot\ntitle b\nroot\n");
  for (const std::string command : {"source", "configfile"}) {
    const auto menu = disk.load("extract_legacy_entries_" + command + " /m.lst\n");
    REQUIRE(menu.has_value());
    CHECK((*menu)->entries().size() == 2);
    // Variables are the file's own, and with configfile so is the menu.
    CHECK((*menu)->default_index() == (command == "source" ? 0 : 1));
    CHECK((*menu)->timeout().has_value() == (command == "configfile"));
    CHECK(disk.diagnostics.has_notice("/m.lst:3: error: echo isn't allowed to execute in an extractor"));
    disk.diagnostics.notices.clear();
  }
}

TEST_CASE("Menus that read themselves end as in GRUB") {
  Disk disk;
  disk.files.add("/m.lst", "configfile /m.lst\ntitle a\nroot\n");
  CHECK(disk.load("legacy_source /m.lst\n").has_value());
  disk.files.add("/m.lst", "title a\nconfigfile /m.lst\n");
  const auto menu = disk.load("legacy_source /m.lst\n");
  REQUIRE(menu.has_value());
  CHECK((*menu)->evaluate(0).error().code == ErrorCode::kLimit);
}

TEST_CASE("A hundred thousand titles are translated within the budget, and more than fits is refused") {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += "title Linux " + std::to_string(i) +
            "\n\troot (hd0,0)\n\tkernel /boot/vmlinuz root=/dev/x ro\n\tinitrd /i\n";
  Disk disk;
  disk.files.add("/m.lst", text);
  const auto menu = disk.load("legacy_configfile /m.lst\n");
  REQUIRE(menu.has_value());
  CHECK((*menu)->entries().size() == 100'000);

  std::string quotes = "title a\nkernel /a ";
  quotes.append(limits::kLegacyScriptBytes / 3, '\'');
  disk.files.add("/m.lst", quotes);
  disk.budget = Budget::standard();
  CHECK(disk.load("legacy_configfile /m.lst\n").error().code == ErrorCode::kLimit);
}
