// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/choice.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "grubcfg/entry_number.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::RecordedDiagnostics;

namespace {

constexpr std::string_view kMenu =
    "menuentry 'First' --id first { linux /first }\n"
    "submenu 'Advanced' --id adv {\n"
    " menuentry 'A' { linux /a }\n"
    " menuentry 'B > C' --id bc { linux /b }\n"
    "}\n"
    "menuentry '3' { linux /three }\n"
    "menuentry 'broken' { initrd /x }\n";

struct Fixture {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<Menu> menu;

  explicit Fixture(const std::string& settings = {}) {
    auto loaded = load_bare_configuration(settings + std::string(kMenu), "c", {}, budget, diagnostics);
    REQUIRE(loaded.has_value());
    menu = std::move(*loaded);
  }
  std::string kernel_of(std::string_view wanted) {
    const auto choice = choose_entry(*menu, wanted, diagnostics);
    return choice ? choice->entry.kernel.path : choice.error().message;
  }
};

}  // namespace

TEST_CASE("An entry is chosen by index, path, title, id and their mix") {
  Fixture fixture;
  CHECK(fixture.kernel_of("0") == "/first");
  CHECK(fixture.kernel_of("1>1") == "/b");
  CHECK(fixture.kernel_of("First") == "/first");
  CHECK(fixture.kernel_of("adv>bc") == "/b");
  CHECK(fixture.kernel_of("Advanced>0") == "/a");
  CHECK(fixture.kernel_of("1>B >> C") == "/b");
  CHECK(fixture.kernel_of("1>B > C") == "/b");
}

TEST_CASE("What the menu does not have is looked for in its submenus, by id and title only") {
  Fixture fixture;
  CHECK(fixture.kernel_of("bc") == "/b");
  CHECK(fixture.kernel_of("A") == "/a");

  CHECK(fixture.kernel_of("bcd*").find("no entry `bcd*'") == 0);
}

TEST_CASE("A glob names the first entry whose id or title it matches") {
  Fixture fixture;
  CHECK(fixture.kernel_of("f*t") == "/first");
  CHECK(fixture.kernel_of("Adv*>?") == "/a");
  CHECK(fixture.kernel_of("[0-9]") == "/three");
  CHECK(fixture.kernel_of("zz*").find("no entry `zz*'; there are: 0 (First), 1> (Advanced)") == 0);
}

TEST_CASE("The ending of a BLS entry's id may be left out or added") {
  Fixture fixture;
  CHECK(fixture.kernel_of("first.conf") == "/first");
  CHECK(fixture.kernel_of("first.efi") == "/first");
  CHECK(fixture.kernel_of("adv>bc.conf") == "/b");
}

TEST_CASE("A submenu as the choice stands for its default entry") {
  Fixture fixture;
  CHECK(fixture.kernel_of("adv") == "/a");
}

TEST_CASE("A number is an index before it is a title") {
  Fixture fixture;
  CHECK(fixture.kernel_of("2") == "/three");
  const auto choice = choose_entry(*fixture.menu, "3", fixture.diagnostics);
  REQUIRE(choice.has_value());
  CHECK(choice->title == "broken");
}

TEST_CASE("A choice that names nothing lists what there is") {
  Fixture fixture;
  const auto choice = choose_entry(*fixture.menu, "adv>nosuch", fixture.diagnostics);
  REQUIRE_FALSE(choice.has_value());
  CHECK(choice.error().code == ErrorCode::kNoEntry);
  CHECK(choice.error().message.find("no entry `nosuch' in submenu 1; there are: 0 (A), 1 (B > C)") !=
        std::string::npos);
  CHECK(choose_entry(*fixture.menu, "0>1", fixture.diagnostics).error().code == ErrorCode::kNoEntry);
  CHECK(choose_entry(*fixture.menu, "9", fixture.diagnostics).error().code == ErrorCode::kNoEntry);
  CHECK(choose_entry(*fixture.menu, "", fixture.diagnostics).error().code == ErrorCode::kNoEntry);
}

TEST_CASE("A chosen entry that GRUB could not boot comes with its error") {
  Fixture fixture;
  const auto choice = choose_entry(*fixture.menu, "broken", fixture.diagnostics);
  REQUIRE(choice.has_value());
  CHECK(choice->entry.error == "you need to load the kernel first");
}

TEST_CASE("The default leads into submenus") {
  Fixture fixture("set default='adv>bc'\n");
  CHECK(default_path(*fixture.menu).value() == EntryPath{1, 1});
  const auto choice = choose_default(*fixture.menu, fixture.diagnostics);
  REQUIRE(choice.has_value());
  CHECK(choice->entry.kernel.path == "/b");
  CHECK(choice->title == "B > C");
  CHECK(fixture.diagnostics.has_explanation("default: 1>1 (B > C)"));
}

TEST_CASE("Only a default that is set can name the entry with the empty title") {
  for (const auto& [settings, index] : {std::pair{"", 0U}, std::pair{"default=\n", 1U}}) {
    Budget budget = Budget::standard();
    RecordedDiagnostics diagnostics;
    const auto menu =
        load_bare_configuration(std::string(settings) + "menuentry t { true; }\nmenuentry '' { true; }\n",
                                "c", {}, budget, diagnostics);
    REQUIRE(menu.has_value());
    CHECK((*menu)->default_index() == index);
  }
}

TEST_CASE("A default that cannot be booted falls back, with a notice") {
  Fixture fixture("set default=broken\nset fallback='3 2'\n");
  const auto choice = choose_default(*fixture.menu, fixture.diagnostics);
  REQUIRE(choice.has_value());
  CHECK(choice->path == EntryPath{2});
  CHECK(
      fixture.diagnostics.has_notice("entry 3 (broken) cannot be booted: you need to load the kernel first"));
  CHECK(fixture.diagnostics.has_notice("falling back to entry 2"));
}

TEST_CASE("When nothing can be booted each one's error is told") {
  Fixture fixture("set default=broken\n");
  const auto choice = choose_default(*fixture.menu, fixture.diagnostics);
  REQUIRE_FALSE(choice.has_value());
  CHECK(choice.error().code == ErrorCode::kNoEntry);
  CHECK(choice.error().message.find('\n') == std::string::npos);
  CHECK(choice.error().message.find("entry 3 (broken): you need to load the kernel first") !=
        std::string::npos);
}

TEST_CASE("Evaluating an entry twice gives the same answer") {
  Fixture fixture("set n=\n");
  CHECK(fixture.menu->evaluate(0)->command_line == "BOOT_IMAGE=/first");
  CHECK(fixture.menu->evaluate(0)->command_line == "BOOT_IMAGE=/first");
  CHECK(fixture.menu->submenu(1).value() == fixture.menu->submenu(1).value());
}

TEST_CASE("Red Hat's GRUB looks for an id before a number") {
  std::vector<MenuEntry> entries(3);
  entries[2].title = "t";
  entries[2].id = "1c0ffee-5.14";
  CHECK(find_entry(entries, "1c0ffee-5.14", true) == 2);
  CHECK(find_entry(entries, "1c0ffee-5.14", false) == 1);
  CHECK(find_fallback(entries, "1c0ffee-5.14 0", true) == std::vector<std::size_t>{2, 0});
}

TEST_CASE("Titles, ids, classes and restrictions are what the configuration says") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu = load_bare_configuration(
      "set superusers=root\npassword_pbkdf2 root grub.pbkdf2.x\npassword guest secret\n"
      "menuentry 'a' --class x --class y --hotkey=r --users 'u v' { true }\n"
      "menuentry 'b' --unrestricted { true }\nhiddenentry 'c' --id hid { echo $chosen }\n",
      "c", {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  const auto& entries = (*menu)->entries();
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].classes == std::vector<std::string>{"x", "y"});
  CHECK(entries[0].users == std::vector<std::string>{"u", "v"});
  CHECK(entries[0].hotkey == "r");
  CHECK(entries[0].restricted);
  CHECK_FALSE(entries[1].restricted);
  CHECK(entries[2].hidden);
  CHECK(entries[2].id == "hid");
  CHECK((*menu)->superusers() == "root");
  REQUIRE((*menu)->passwords().size() == 2);
  CHECK((*menu)->passwords()[0].kind == MenuPassword::Kind::kPbkdf2);
  CHECK((*menu)->entry_source(2) == " echo $chosen ");
}

TEST_CASE("Timeout and style are GRUB's") {
  const auto settings = [](const std::string& text) {
    Budget budget = Budget::standard();
    RecordedDiagnostics diagnostics;
    auto menu = load_bare_configuration(text + "\nmenuentry a { true }\n", "c", {}, budget, diagnostics);
    REQUIRE(menu.has_value());
    return std::pair((*menu)->timeout(), (*menu)->timeout_style());
  };
  using Settings = std::pair<std::optional<std::uint32_t>, TimeoutStyle>;
  CHECK((settings("") == Settings{std::nullopt, TimeoutStyle::kMenu}));
  CHECK((settings("set timeout=5\nset timeout_style=hidden") == Settings{5U, TimeoutStyle::kHidden}));
  CHECK((settings("set timeout=0\nset timeout_style=countdown") == Settings{0U, TimeoutStyle::kCountdown}));
  CHECK(
      (settings("set timeout=-1\nset timeout_style=hidden") == Settings{std::nullopt, TimeoutStyle::kMenu}));
  CHECK((settings("set timeout=7s\nset timeout_style=odd") == Settings{7U, TimeoutStyle::kMenu}));
  CHECK((settings("set timeout=4294967295") == Settings{std::nullopt, TimeoutStyle::kMenu}));
}
