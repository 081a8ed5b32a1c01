// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB Legacy's passwords, and menus that lead to other menus.
#include <catch2/catch.hpp>

#include "grubcfg/choice.h"
#include "tests/grubcfg/legacy_guest.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::bare_legacy_menu;
using pvhgrub::test::RecordedDiagnostics;
using Guest = pvhgrub::test::LegacyGuest;

TEST_CASE("A password guards the entries that are locked") {
  RecordedDiagnostics diagnostics;
  const auto menu = bare_legacy_menu(
      "password --md5 $1$abc$defghijk\ntitle a\nkernel /a\ntitle b\nlock\nkernel /b\n"
      "title c\npassword secret\nkernel /c\n",
      diagnostics);
  CHECK_FALSE(menu->entries()[0].restricted);
  CHECK(menu->entries()[1].restricted);
  CHECK(menu->entries()[1].users.empty());
  CHECK(menu->entries()[2].restricted);
  CHECK(menu->superusers() == "legacy");
  REQUIRE(menu->passwords().size() == 2);
  CHECK(menu->passwords()[0].user == "legacy");
  CHECK(menu->passwords()[0].secret == "$1$abc$defghijk");
  CHECK(menu->passwords()[0].kind == MenuPassword::Kind::kMd5Crypt);
  CHECK(menu->passwords()[1].user == menu->entries()[2].users.at(0));
  CHECK(menu->passwords()[1].secret == "secret");
  CHECK(menu->passwords()[1].kind == MenuPassword::Kind::kPlain);
  CHECK(menu->evaluate(1)->kernel.path == "/b");

  const auto unlocked = bare_legacy_menu("title b\nlock\nkernel /b\n", diagnostics);
  CHECK_FALSE(unlocked->entries()[0].restricted);
  CHECK_FALSE(unlocked->superusers().has_value());
  CHECK(bare_legacy_menu("password --sha9 x\ntitle b\nroot\n", diagnostics)->passwords().at(0).kind ==
        MenuPassword::Kind::kUnusable);
}

TEST_CASE("With nobody there, an entry behind a password gives way to the fallback") {
  Guest guest;
  guest.first.add("/k").add("/boot/grub/locked.lst",
                            "password x\ntitle l\nlock\nkernel /k locked\ntitle o\nkernel /k open\n");
  guest.menu = *guest.load(
      "fallback 1 2\ntitle own\npassword secret\nkernel /k own\n"
      "title leads to a locked one\nconfigfile /boot/grub/locked.lst\n"
      "title open\nkernel /k open\nboot\npassword never asked for\n");
  const auto choice = choose_default(*guest.menu, guest.diagnostics);
  REQUIRE(choice);
  CHECK(choice->title == "open");
  CHECK_FALSE(guest.menu->entries()[2].restricted);
  CHECK(guest.diagnostics.has_notice(
      "entry 0 (own) cannot be booted: (hd0,gpt1)/boot/grub/menu.lst:3: it is guarded by a password"));
  CHECK(guest.diagnostics.has_notice(
      "entry 0 (l) cannot be booted: (hd0,gpt1)/boot/grub/locked.lst:3: it is locked by the menu's"));
  CHECK(guest.diagnostics.has_notice("falling back to entry 2 (open)"));
  const auto asked_for = choose_entry(*guest.menu, "own", guest.diagnostics);
  REQUIRE(asked_for);
  CHECK(asked_for->entry.command_line == "own");

  guest.menu = *guest.load("password x\ntitle t\nlock\nkernel /k\n");
  const auto none = choose_default(*guest.menu, guest.diagnostics);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kNoEntry);
  CHECK(none.error().message.find("--entry boots it all the same") != std::string::npos);
}

TEST_CASE("The menu behind a password is an entry that is not shown") {
  Guest guest;
  guest.first.add("/k").add("/boot/grub/admin.lst", "title secret\nkernel /k single\n");
  const auto menu = guest.load("password x (hd0,0)/boot/grub/admin.lst\ndefault 1\ntitle a\nkernel /k\n");
  REQUIRE(menu.has_value());
  REQUIRE((*menu)->entries().size() == 2);
  CHECK((*menu)->default_index() == 0);
  const MenuEntry& entry = (*menu)->entries()[1];
  CHECK(entry.hidden);
  CHECK(entry.restricted);
  CHECK(entry.hotkey == "p");
  CHECK((*menu)->evaluate(1)->command_line == "single");
}

TEST_CASE("configfile leads to the default of another menu") {
  Guest guest;
  guest.first.add("/k").add("/boot/grub/other.lst",
                            "default 1\ntitle x\nroot\ntitle y\nkernel /k from-other\n");
  CHECK(guest.boot_body("root (hd0,0)\nconfigfile /boot/grub/other.lst").command_line == "from-other");
  CHECK_FALSE(guest.boot_body("configfile /nosuch").bootable());
  guest.first.add("/boot/grub/empty.lst", "title x\n");
  CHECK(guest.boot_body("configfile /boot/grub/empty.lst").error.find("no menu entry") != std::string::npos);
}

TEST_CASE("Menus that lead back to themselves, or on and on, are stopped") {
  Guest guest;
  CHECK(guest.boot_body("configfile /boot/grub/menu.lst").error.find("leads back to the menu") !=
        std::string::npos);
  guest.first.add("/a.lst", "title a\nconfigfile /b.lst\n").add("/b.lst", "title b\nconfigfile /a.lst\n");
  CHECK(guest.boot_body("configfile /a.lst").error.find("leads back to the menu") != std::string::npos);
  for (int i = 0; i < 40; ++i)
    guest.first.add("/c" + std::to_string(i), "title c\nconfigfile /c" + std::to_string(i + 1) + "\n");
  guest.menu = *guest.load("title t\nconfigfile /c0\n");
  CHECK(guest.menu->evaluate(0).error().code == ErrorCode::kLimit);
}
