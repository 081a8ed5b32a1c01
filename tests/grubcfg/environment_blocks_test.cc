// SPDX-License-Identifier: LGPL-2.1-or-later
// What the modes of --grubenv make of the configurations of distributions. The scripts are written after what
// their grub-mkconfig writes.
#include "grubcfg/environment_blocks.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::MemoryFileSystem;
using pvhgrub::test::RecordedDiagnostics;

namespace {

constexpr const char* kGrub = "/boot/grub/grub.cfg";
constexpr const char* kGrubenv = "/boot/grub/grubenv";

std::string block_of(const std::string& lines, std::size_t size = 1024) {
  std::string block = "# GRUB Environment Block\n" + lines;
  block.resize(size, '#');
  return block;
}

std::string lines_of(const std::string& block) {
  const std::string header = "# GRUB Environment Block\n";
  return block.substr(header.size(), block.find_last_not_of('#') + 1 - header.size());
}

/// One disk with a grub.cfg; booted as often as a test wants, changes carried over as the broker does.
struct Guest {
  explicit Guest(const std::string& configuration, GrubenvMode mode = GrubenvMode::kWrite) : settings{} {
    settings.grubenv = mode;
    disk.add("/k").add(kGrub, configuration);
  }

  Guest& with(const std::string& lines) {
    disk.add(kGrubenv, block_of(lines));
    return *this;
  }

  std::unique_ptr<Menu> load() {
    diagnostics.notices.clear();
    diagnostics.explanations.clear();
    diagnostics.output.clear();
    budget = Budget::standard();
    auto menu = load_configuration(devices, {"grub2", "hd0", kGrub}, settings, budget, diagnostics);
    REQUIRE(menu);
    return std::move(*menu);
  }

  /// The title of the entry that is booted; afterwards `changes` are what was to be written, and it is
  /// written.
  std::string boot(const std::string& entry = "") {
    const std::unique_ptr<Menu> menu = load();
    auto choice =
        entry.empty() ? choose_default(*menu, diagnostics) : choose_entry(*menu, entry, diagnostics);
    REQUIRE(choice);
    changes = choice->entry.environment_changes;
    for (const EnvironmentBlockChange& change : changes) {
      CHECK(change.contents.size() == change.old_contents.size());
      CHECK(change.contents != change.old_contents);
      if (!change.file.path.starts_with('/')) continue;
      const std::uint64_t place = disk.place(change.file.path);
      CHECK(change.extents == std::vector<fs::DiskExtent>{{0, place, change.contents.size()}});
      disk.add(change.file.path, change.contents);
      disk.move_to(change.file.path, place);
    }
    return choice->title;
  }
  /// The lines of the only block that was written; empty for none.
  std::string written() {
    REQUIRE(changes.size() <= 1);
    return changes.empty() ? "" : lines_of(changes.front().contents);
  }

  MemoryDevices devices;
  MemoryFileSystem& disk = devices.add("hd0");
  GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::vector<EnvironmentBlockChange> changes;
};

// grub-mkconfig's head, with GRUB_DEFAULT=saved and GRUB_SAVEDEFAULT=true.
const std::string kHeader =
    "if [ -s $prefix/grubenv ]; then\n set have_grubenv=true\n load_env\nfi\n"
    "if [ \"${next_entry}\" ] ; then\n set default=\"${next_entry}\"\n set next_entry=\n save_env "
    "next_entry\n"
    " set boot_once=true\nelse\n set default=\"${saved_entry}\"\nfi\n"
    "if [ \"${prev_saved_entry}\" ]; then\n set saved_entry=\"${prev_saved_entry}\"\n save_env saved_entry\n"
    " set prev_saved_entry=\n save_env prev_saved_entry\n set boot_once=true\nfi\n"
    "function savedefault {\n if [ -z \"${boot_once}\" ]; then\n  saved_entry=\"${chosen}\"\n  save_env "
    "saved_entry\n"
    " fi\n}\n";

const std::string kEntries =
    "menuentry 'A' --id a { savedefault\n linux /k a }\n"
    "menuentry 'B' --id b { savedefault\n linux /k b }\n"
    "submenu 'More' --id more { menuentry 'C' --id c { savedefault\n linux /k c } }\n";

}  // namespace

TEST_CASE("A one-shot entry is booted once, and its request is taken back") {
  Guest guest(kHeader + kEntries);
  guest.with("saved_entry=a\nnext_entry=b\n");
  CHECK(guest.boot() == "B");
  CHECK(guest.written() == "saved_entry=a\nnext_entry=\n");
  CHECK(guest.changes.at(0).answers_request);
  CHECK(guest.changes.at(0).file.to_string() == "(hd0)/boot/grub/grubenv");
  CHECK(guest.diagnostics.notices.empty());
  CHECK(guest.diagnostics.has_explanation("asks for one boot only: next_entry=b"));
  CHECK(guest.boot() == "A");
  CHECK(guest.written().empty());
}

// Nor does GRUB export boot_once into the submenu's context.
TEST_CASE("A one-shot entry of a submenu that saves the default is the next default, as in GRUB") {
  Guest guest(kHeader + kEntries);
  guest.with("saved_entry=a\nnext_entry=more>c\n");
  CHECK(guest.boot() == "C");
  CHECK(guest.written() == "saved_entry=more>c\nnext_entry=\n");
}

TEST_CASE("The old one-shot request gives the saved entry back") {
  Guest guest(kHeader + kEntries);
  guest.with("saved_entry=b\nprev_saved_entry=a\n");
  CHECK(guest.boot() == "B");
  CHECK(guest.written() == "saved_entry=a\nprev_saved_entry=\n");
  CHECK(guest.changes.at(0).answers_request);
  CHECK(guest.boot() == "A");
}

TEST_CASE("What savedefault saves becomes the default") {
  Guest guest(kHeader + kEntries);
  guest.with("");
  CHECK(guest.boot("more>c") == "C");
  CHECK(guest.written() == "saved_entry=more>c\n");
  CHECK_FALSE(guest.changes.at(0).answers_request);
  CHECK(guest.boot() == "C");
  CHECK(guest.written().empty());
}

TEST_CASE("Without writing, one-shot requests are not followed, and it is told once") {
  for (const auto& [lines, booted, named] :
       {std::tuple{"saved_entry=a\nnext_entry=b\n", "A", "next_entry=b"},
        std::tuple{"saved_entry=b\nprev_saved_entry=a\n", "A", "prev_saved_entry=a"},
        std::tuple{"prev_saved_entry=b\n", "A", "prev_saved_entry=b"}}) {
    INFO(lines);
    Guest guest(kHeader + "load_env\necho \"[$next_entry$prev_saved_entry]\"\n" + kEntries,
                GrubenvMode::kRead);
    guest.with(lines);
    for (int i = 0; i < 2; ++i) {
      CHECK(guest.boot() == booted);
      CHECK(guest.changes.empty());
      CHECK(guest.diagnostics.output == "[]\n");
      REQUIRE(guest.diagnostics.notices.size() == 1);
      CHECK(guest.diagnostics.has_notice(
          "(hd0)/boot/grub/grub.cfg:3: the environment block (hd0)/boot/grub/grubenv"));
      CHECK(guest.diagnostics.has_notice(named));
      CHECK(guest.diagnostics.has_notice("--grubenv=write"));
    }
  }
}

TEST_CASE("Without writing, other variables are read, and what is saved is there for later commands") {
  Guest guest(kHeader + "set x=2\nsave_env x\nset x=\nload_env x\necho $x\n" + kEntries, GrubenvMode::kRead);
  guest.with("saved_entry=b\n");
  CHECK(guest.boot() == "B");
  CHECK(guest.diagnostics.output == "2\n");
  CHECK(guest.diagnostics.notices.empty());
  CHECK(guest.diagnostics.has_explanation("save_env (hd0)/boot/grub/grubenv: kept in memory only"));
}

TEST_CASE("A list of variables to load decides which requests there are") {
  Guest guest(
      "load_env saved_entry\nset default=$saved_entry\n"
      "menuentry A --id a { linux /k }\nmenuentry B --id b { linux /k }\n",
      GrubenvMode::kRead);
  guest.with("next_entry=a\nprev_saved_entry=a\nsaved_entry=b\n");
  CHECK(guest.boot() == "B");
  CHECK(guest.diagnostics.notices.empty());
}

TEST_CASE("With --grubenv=ignore there is no environment block") {
  Guest guest(
      kHeader + "load_env -f /nowhere; echo $?\nsave_env x; echo $?\nlist_env; echo $?\nsave_env; echo $?\n" +
          kEntries,
      GrubenvMode::kIgnore);
  guest.with("saved_entry=b\nnext_entry=b\n");
  CHECK(guest.boot() == "A");
  CHECK(guest.diagnostics.output == "0\n0\n0\n18\n");
  CHECK(guest.changes.empty());
  CHECK(std::ranges::count_if(guest.diagnostics.explanations, [](const std::string& text) {
          return text.find("--grubenv=ignore") != std::string::npos;
        }) == 1);
}

TEST_CASE("A block that cannot be overwritten is only read, and the reason is told") {
  Guest guest(kHeader + kEntries);
  guest.with("saved_entry=a\nnext_entry=b\n");
  guest.disk.fix(kGrubenv, "it is shared");
  for (int i = 0; i < 2; ++i) {
    CHECK(guest.boot() == "A");
    CHECK(guest.changes.empty());
    CHECK(guest.diagnostics.has_notice("cannot be written: it is shared"));
    CHECK_FALSE(guest.diagnostics.has_notice("--grubenv=write"));
  }
  CHECK(guest.boot("b") == "B");
  CHECK(guest.changes.empty());
  CHECK(guest.diagnostics.has_notice(
      "what the guest saves in the environment block (hd0)/boot/grub/grubenv is lost"));
}

TEST_CASE("A block that no GRUB tool makes is not written to") {
  for (const std::string& contents :
       {std::string("# GRUB Environment Block\nnext_entry=b\nnonsense\n#####"),
        block_of("next_entry=b\n\x01=2\n"), block_of("next_entry=b\r\n"), block_of("next_entry=b\n=x\n"),
        "# GRUB Environment Block\nnext_entry=b\nx=1" + std::string(100, '#')}) {
    Guest guest(kHeader + kEntries);
    guest.disk.add(kGrubenv, contents);
    CHECK(guest.boot() == "A");
    CHECK(guest.changes.empty());
    CHECK(guest.diagnostics.has_notice("not as grub-editenv makes it"));
  }
}

TEST_CASE("What no environment block should hold is not saved") {
  Guest guest("load_env\nset a='x\x01'\nsave_env a; echo $?\nset b=ok\nsave_env b\n" + kEntries);
  guest.with("");
  CHECK(guest.boot() == "A");
  CHECK(guest.diagnostics.output == "18\n");
  CHECK(guest.written() == "b=ok\n");
}

TEST_CASE("A variable that is not set is taken out of the block, and one that does not fit leaves it alone") {
  Guest guest("load_env\nunset a\nsave_env a\nset b=1\nset c='" + std::string(1000, 'c') +
              "'\nsave_env b c; echo $?\n" + kEntries);
  guest.with("a=1\nz=2\n");
  CHECK(guest.boot() == "A");
  CHECK(guest.diagnostics.output == "18\n");
  CHECK(guest.written() == "z=2\n");
}

TEST_CASE("What an entry changes back is not written") {
  Guest guest("load_env\nset a=2\nsave_env a\nmenuentry A { set a=1\nsave_env a\nlinux /k }\n");
  guest.with("a=1\n");
  CHECK(guest.boot() == "A");
  CHECK(guest.changes.empty());
}

TEST_CASE("A default that fails leaves what it saved to the fallback") {
  Guest guest(
      kHeader +
      "set fallback='1 2'\nfunction setone {\n set one=1\n save_env one\n}\n"
      "menuentry 'A' --id a { setone\n linux /nosuch }\n"
      "submenu 'S' { set two=2\nsave_env two\nmenuentry T { set three=3\nsave_env three\nlinux /nosuch } }\n"
      "menuentry 'B' --id b { set four=4\nsave_env four\nlinux /k }\n");
  guest.with("next_entry=a\n");
  CHECK(guest.boot() == "B");
  CHECK(guest.written() == "next_entry=\none=1\ntwo=2\nthree=3\nfour=4\n");
  CHECK(guest.changes.at(0).answers_request);
}

TEST_CASE("A submenu that makes no menu leaves what it saved to the fallback") {
  Guest guest(
      "load_env\nset fallback=1\nsubmenu 'S' { set two=2\nsave_env two }\nmenuentry 'B' { linux /k }\n");
  guest.with("");
  CHECK(guest.boot() == "B");
  CHECK(guest.written() == "two=2\n");
}

TEST_CASE("The menu of a further file goes on with the blocks as they are") {
  Guest guest(
      "load_env\nset one=1\nsave_env one\nset fallback=1\n"
      "menuentry 'N' { set two=2\nsave_env two\nconfigfile /inner.cfg }\nmenuentry 'B' { linux /k }\n");
  guest.with("");
  guest.disk.add("/inner.cfg",
                 "set three=3\nsave_env three\nmenuentry I { set four=4\nsave_env four\nlinux /k }\n");
  CHECK(guest.boot() == "N");
  CHECK(guest.written() == "one=1\ntwo=2\nthree=3\nfour=4\n");
  guest.with("");
  guest.disk.add("/inner.cfg",
                 "set three=3\nsave_env three\nmenuentry I { set four=4\nsave_env four\nlinux /no }\n");
  CHECK(guest.boot() == "B");
  CHECK(guest.written() == "one=1\ntwo=2\nthree=3\nfour=4\n");
}

TEST_CASE("Looking at entries changes nothing") {
  Guest guest(kHeader + kEntries);
  guest.with("next_entry=b\n");
  const std::unique_ptr<Menu> menu = guest.load();
  for (int i = 0; i < 2; ++i) {
    CHECK(lines_of(menu->evaluate(0).value().environment_changes.at(0).contents) == "next_entry=\n");
    CHECK(lines_of((*menu->submenu(2))->evaluate(0).value().environment_changes.at(0).contents) ==
          "next_entry=\nsaved_entry=more>c\n");
  }
  CHECK(menu->environment_changes().size() == 1);
}

TEST_CASE("Ubuntu's failed boot is remembered, and a good one keeps the block") {
  const std::string recordfail =
      "function recordfail {\n set recordfail=1\n if [ -n \"${have_grubenv}\" ]; then if [ -z "
      "\"${boot_once}\" ]; then "
      "save_env recordfail; fi; fi\n}\n"
      "if [ \"${recordfail}\" = 1 ] ; then\n set timeout=30\nelse\n set timeout=0\nfi\n";
  Guest guest(kHeader + recordfail + "menuentry 'U' { recordfail\nlinux /k }\n");
  guest.with("");
  CHECK(guest.load()->timeout() == 0U);
  CHECK(guest.boot() == "U");
  CHECK(guest.written() == "recordfail=1\n");
  CHECK(guest.load()->timeout() == 30U);
  CHECK(guest.boot() == "U");
  CHECK(guest.written().empty());
  guest.with("next_entry=U\n");
  CHECK(guest.boot() == "U");
  CHECK(guest.written() == "next_entry=\n");
}

TEST_CASE("Ubuntu's way back after a boot without initrd is a one-shot request") {
  const std::string head =
      "load_env\nif [ \"${initrdfail}\" = 2 ]; then\n set initrdfail=\nelif [ \"${initrdfail}\" = 1 ]; then\n"
      " set next_entry=\"${prev_entry}\"\n set prev_entry=\n save_env prev_entry\n"
      " if [ \"${next_entry}\" ]; then\n  set initrdfail=2\n fi\nfi\n"
      "if [ \"${next_entry}\" ] ; then\n set default=\"${next_entry}\"\n set next_entry=\n save_env "
      "next_entry\nfi\n";
  Guest writing(head + kEntries);
  writing.with("initrdfail=1\nprev_entry=b\n");
  CHECK(writing.boot() == "B");
  CHECK(lines_of(writing.changes.at(0).contents).starts_with("initrdfail=1\nprev_entry=\n"));
  Guest reading(head + kEntries, GrubenvMode::kRead);
  reading.with("initrdfail=1\nprev_entry=b\n");
  CHECK(reading.boot() == "A");
  CHECK(reading.diagnostics.has_notice("prev_entry=b"));
}

namespace {

// Fedora: 08_fallback_counting, 10_reset_boot_success, 12_menu_auto_hide, 14_menu_show_once.
const std::string kFedora =
    "load_env\nset default=0\nset timeout=5\n"
    "if [ -n \"${boot_counter}\" -a \"${boot_success}\" = \"0\" ]; then\n"
    " if [ \"${boot_counter}\" = \"0\" -o \"${boot_counter}\" = \"-1\" ]; then\n  set default=1\n  set "
    "boot_counter=-1\n"
    " else\n  decrement boot_counter\n fi\n save_env boot_counter\nfi\n"
    "if [ \"${boot_success}\" = \"1\" -o \"${boot_indeterminate}\" = \"1\" ]; then\n set "
    "menu_hide_ok=1\nelse\n"
    " set menu_hide_ok=0\nfi\n"
    "if [ \"${boot_success}\" = \"1\" ] ; then\n set boot_indeterminate=0\n"
    "elif [ \"${boot_indeterminate}\" = \"1\" ]; then\n set boot_indeterminate=2\nfi\n"
    "set boot_success=0\nsave_env boot_success boot_indeterminate\n"
    "if [ \"${menu_show_once}\" ]; then\n unset menu_show_once\n save_env menu_show_once\n set "
    "timeout_style=menu\n"
    " set timeout=60\nelif [ \"${menu_auto_hide}\" -a \"${menu_hide_ok}\" = \"1\" ]; then\n set "
    "timeout_style=hidden\n"
    " set timeout=1\nfi\n"
    "if [ \"${menu_show_once_timeout}\" ]; then\n set timeout_style=menu\n set "
    "timeout=\"${menu_show_once_timeout}\"\n"
    " unset menu_show_once_timeout\n save_env menu_show_once_timeout\nfi\n"
    "menuentry New { linux /k }\nmenuentry Rollback { linux /k }\n";

}  // namespace

TEST_CASE("Fedora's boot counter leads to the rollback after as many boots as it says") {
  Guest guest(kFedora);
  guest.with("boot_success=0\nboot_counter=2\n");
  CHECK(guest.boot() == "New");
  CHECK(guest.written() == "boot_success=0\nboot_counter=1\n");
  CHECK(guest.boot() == "New");
  CHECK(guest.written() == "boot_success=0\nboot_counter=0\n");
  CHECK(guest.boot() == "Rollback");
  CHECK(guest.written() == "boot_success=0\nboot_counter=-1\n");
  CHECK(guest.boot() == "Rollback");
  CHECK(guest.written().empty());
}

TEST_CASE("Fedora's boot counter stands still without writing, and it is told") {
  Guest guest(kFedora, GrubenvMode::kRead);
  guest.with("boot_success=0\nboot_counter=1\n");
  for (int i = 0; i < 3; ++i) {
    CHECK(guest.boot() == "New");
    CHECK(guest.diagnostics.has_notice("its boots are not counted"));
    CHECK(guest.diagnostics.has_notice("--grubenv=write"));
  }
}

TEST_CASE("Fedora hides the menu after a good boot, and shows it once where that is asked for") {
  Guest guest(kFedora);
  guest.with("menu_auto_hide=1\nboot_success=1\nboot_indeterminate=0\n");
  CHECK(guest.load()->timeout_style() == TimeoutStyle::kHidden);
  CHECK(guest.boot() == "New");
  CHECK(guest.written() == "menu_auto_hide=1\nboot_success=0\nboot_indeterminate=0\n");
  CHECK(guest.load()->timeout_style() == TimeoutStyle::kMenu);
  guest.with("boot_success=0\nboot_indeterminate=1\nmenu_show_once_timeout=99\nmenu_show_once=1\n");
  CHECK(guest.load()->timeout() == 99U);
  CHECK(guest.boot() == "New");
  CHECK(guest.written() == "boot_success=0\nboot_indeterminate=2\n");
  CHECK(guest.changes.at(0).answers_request);
  Guest reading(kFedora, GrubenvMode::kRead);
  reading.with("menu_show_once=1\n");
  CHECK(reading.load()->timeout() == 5U);
  CHECK(reading.diagnostics.has_notice("menu_show_once=1"));
}

namespace {

// GRUB 2.14, and openSUSE's before it, for btrfs: the file only says where the block is that can be written.
const std::string kExternalBlock =
    "load_env\n"
    "if [ \"${env_block}\" ] ; then\n set env_block=\"(${root})${env_block}\"\n export env_block\n"
    " load_env -f \"${env_block}\"\nfi\n"
    "if [ \"${next_entry}\" ] ; then\n set default=\"${next_entry}\"\n set next_entry=\n"
    " if [ \"${env_block}\" ] ; then\n  save_env -f \"${env_block}\" next_entry\n else\n  save_env "
    "next_entry\n fi\n"
    " set boot_once=true\nelse\n set default=\"${saved_entry}\"\nfi\n"
    "menuentry A --id a { linux /k }\nmenuentry B --id b { linux /k }\n";

}  // namespace

TEST_CASE("A block outside of the file system is read, followed and written where env_block says") {
  Guest guest(kExternalBlock);
  guest.with("env_block=512+1\nsaved_entry=a\n");
  guest.disk.fix(kGrubenv, "btrfs checksums it");
  std::string device(std::size_t{1} << 20U, '\0');
  device.replace(512 * 512, 512, block_of("next_entry=b\n", 512));
  guest.devices.set_contents("hd0", device);
  CHECK(guest.boot() == "B");
  REQUIRE(guest.changes.size() == 1);
  CHECK(guest.changes[0].file.to_string() == "(hd0)512+1");
  CHECK(guest.changes[0].extents == std::vector<fs::DiskExtent>{{0, 512 * 512, 512}});
  CHECK(guest.changes[0].contents == block_of("next_entry=\n", 512));
  CHECK(guest.changes[0].answers_request);
  CHECK(guest.diagnostics.notices.empty());
  device.replace(512 * 512, 512, guest.changes[0].contents);
  guest.devices.set_contents("hd0", device);
  CHECK(guest.boot() == "A");
  CHECK(guest.changes.empty());
}

TEST_CASE("One block under two names is one block") {
  Guest guest(
      "load_env -f (hd0)/boot/grub/grubenv\nset a=1\nsave_env a\nset b=2\nsave_env -f /link b\n"
      "set a=\nload_env -f /link\necho $a$b\nmenuentry A { linux /k }\n");
  guest.with("x=1\n");
  guest.disk.add_alias("/link", kGrubenv);
  CHECK(guest.boot() == "A");
  CHECK(guest.diagnostics.output == "12\n");
  CHECK(guest.written() == "x=1\na=1\nb=2\n");
}

TEST_CASE("A block that lies partly over another is only read") {
  Guest guest(
      "load_env\nload_env -f /other\nset a=1\nsave_env a\nsave_env -f /other a\nmenuentry A { linux /k }\n");
  guest.with("");
  guest.disk.add("/other", block_of("next_entry=a\n"));
  guest.disk.move_to("/other", guest.disk.place(kGrubenv) + 512);
  CHECK(guest.boot() == "A");
  CHECK(guest.written() == "a=1\n");
  CHECK(guest.changes.at(0).file.path == kGrubenv);
  CHECK(guest.diagnostics.has_notice("partly over the environment block (hd0)/boot/grub/grubenv"));
}

TEST_CASE("Only so many blocks are written, and so many saved") {
  const std::size_t most = limits::kEnvironmentBlocks;
  std::string script = "set a=1\n";
  for (std::size_t i = 0; i <= most; ++i) script += "save_env -f /env" + std::to_string(i) + " a\n";
  Guest guest(script + "echo $?\nmenuentry A { linux /k }\n");
  for (std::size_t i = 0; i <= most; ++i) guest.disk.add("/env" + std::to_string(i), block_of(""));
  CHECK(guest.boot() == "A");
  CHECK(guest.changes.size() == most);
  CHECK(guest.diagnostics.output == "18\n");
}

TEST_CASE("A block that is too large, or none, is GRUB's error, not the end") {
  Guest guest(
      "load_env -f /large; echo $?\nload_env -f /none; echo $?\nload_env -f (hd7)512+1; echo $?\n"
      "load_env -f 0+1; echo $?\nmenuentry A { linux /k }\n");
  guest.disk.add("/large", block_of("", limits::kEnvironmentBlockBytes + 1)).add("/none", "nothing");
  guest.devices.set_contents("hd0", std::string(4096, '\0'));
  CHECK(guest.boot() == "A");
  CHECK(guest.diagnostics.output == "4\n4\n12\n4\n");
}

TEST_CASE("A device that must not be written to is told") {
  class FixedDevices : public MemoryDevices {
   public:
    Result<void> check_overwritable(std::string_view) override {
      return fail(ErrorCode::kUnsupported, "a mirror's half");
    }
  } devices;
  devices.add("hd0").add("/k").add(kGrubenv, block_of("next_entry=b\n")).add(kGrub, kHeader + kEntries);
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  GrubSettings settings;
  settings.grubenv = GrubenvMode::kWrite;
  const auto menu = load_configuration(devices, {"grub2", "hd0", kGrub}, settings, budget, diagnostics);
  REQUIRE(menu);
  CHECK(choose_default(**menu, diagnostics)->title == "A");
  CHECK(diagnostics.has_notice("a mirror's half"));
}
