// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/boot_menu.h"

#include <catch2/catch.hpp>

#include "tests/menu/fake_terminal.h"

namespace pvhgrub::menu::test {
namespace {

constexpr const char* kConfiguration = R"(
menuentry 'First' --id first { set note=1
linux /one first }
menuentry 'Second' --hotkey f5 { linux /two $told }
submenu 'Inside' { menuentry 'Inner' --hotkey delete { linux /inner } }
menuentry 'Nothing' { true }
)";

/// A menu of that configuration, and a person whose keys the test gives.
struct Scene {
  explicit Scene(const std::string& configuration, Size size = {24, 80}) : terminal(size) {
    auto loaded =
        grubcfg::load_bare_configuration(configuration, {"grub2", "", "/grub.cfg"}, {}, budget, words);
    REQUIRE(loaded);
    menu = *std::move(loaded);
    session.emplace(*menu, host, words);
    shown.emplace(terminal, *session, host, "a guest");
  }
  Result<grubcfg::Choice> choose() { return shown->choose(); }

  FakeTerminal terminal;
  Budget budget{1'000'000, 16U << 20U};
  FakeHost host{terminal, budget};
  FakeWords words{host};
  std::unique_ptr<grubcfg::Menu> menu;
  std::optional<MenuSession> session;
  std::optional<BootMenu> shown;
};

std::string with_timeout(const std::string& lines) {
  return lines + kConfiguration;
}

}  // namespace

TEST_CASE("the choice carries the way through submenus") {
  Scene scene(kConfiguration);
  scene.terminal.keys = {{Kind::kDown}, {Kind::kDown}, {Kind::kEnter}, {Kind::kEnter}};
  const auto choice = scene.choose();
  REQUIRE(choice);
  CHECK(choice->path == grubcfg::EntryPath{2, 0});
  CHECK(choice->title == "Inner");
  CHECK_FALSE(choice->edited);
  CHECK(scene.terminal.left);
  CHECK(scene.host.attendances ==
        std::vector{Attendance::kShown, Attendance::kAttended, Attendance::kClosed});
}

TEST_CASE("without a timeout a menu is never opened that boots at once") {
  Scene scene(with_timeout("set timeout=0\n"));
  const auto choice = scene.choose();
  REQUIRE(choice);
  CHECK(choice->title == "First");
  CHECK(scene.host.attendances.empty());
  CHECK(scene.terminal.shows == 0);
}

TEST_CASE("the seconds run out while nobody types") {
  Scene scene(with_timeout("set timeout=3\nset default=1\n"));
  const auto choice = scene.choose();
  REQUIRE(choice);
  CHECK(choice->title == "Second");
  CHECK(scene.terminal.now.time_since_epoch() >= std::chrono::seconds(3));
  // Half a kernel is decompressed for it: not while the seconds run.
  CHECK(scene.host.boot_kinds == 0);
}

TEST_CASE("a key that means nothing ends the countdown for good") {
  Scene scene(with_timeout("set timeout=3\n"));
  scene.terminal.keys = {typed('z')};
  const auto choice = scene.choose();
  REQUIRE_FALSE(choice);
  CHECK(choice.error().code == ErrorCode::kIo);  // there were no more keys: nothing else ended it
}

TEST_CASE("another size is no key") {
  Scene scene(with_timeout("set timeout=2\n"));
  scene.terminal.keys = {{Kind::kResize}};
  REQUIRE(scene.choose());
}

TEST_CASE("hotkeys are found by name, in hidden menus too") {
  for (const std::string style : {"menu", "hidden"}) {
    Scene scene(with_timeout("set timeout=9\nset timeout_style=" + style + "\n"));
    scene.terminal.keys = {{Kind::kFunction, 5}};
    const auto choice = scene.choose();
    REQUIRE(choice);
    CHECK(choice->title == "Second");
  }
}

TEST_CASE("a typed Escape shows a hidden menu even without a second to wait") {
  Scene scene(with_timeout("set timeout=0\nset timeout_style=hidden\n"));
  scene.terminal.keys = {{Kind::kEscape}, {Kind::kDown}, {Kind::kEnter}};
  const auto choice = scene.choose();
  REQUIRE(choice);
  CHECK(choice->title == "Second");
}

TEST_CASE("details are looked up once, when nobody types") {
  Scene scene(kConfiguration);
  scene.terminal.on_read = [&scene, reads = 0]() mutable {
    if (++reads == 20) scene.terminal.keys = {{Kind::kEnter}};
  };
  // No key for some reads: each is a quarter of a second.
  scene.terminal.keys = {{Kind::kTimeout}, {Kind::kTimeout}, {Kind::kTimeout}, {Kind::kEnter}};
  REQUIRE(scene.choose());
  CHECK(scene.host.boot_kinds <= 2);
  CHECK(scene.host.boot_kinds >= 1);
}

TEST_CASE("what is edited is booted, and said to be") {
  Scene scene(kConfiguration);
  scene.terminal.type("e");
  scene.terminal.keys.insert(scene.terminal.keys.end(), {{Kind::kDown}, {Kind::kEnd}});
  scene.terminal.type(" more");
  scene.terminal.keys.push_back({Kind::kFunction, 10});
  const auto choice = scene.choose();
  REQUIRE(choice);
  CHECK(choice->edited);
  CHECK(choice->entry.command_line.find("first more") != std::string::npos);
}

TEST_CASE("variables of the command line are there for the entries") {
  Scene scene(kConfiguration);
  scene.terminal.type("cset told=yes\n");
  scene.terminal.keys.insert(scene.terminal.keys.end(), {{Kind::kEscape}, {Kind::kDown}, {Kind::kEnter}});
  const auto choice = scene.choose();
  REQUIRE(choice);
  CHECK(choice->entry.command_line.find("yes") != std::string::npos);
}

TEST_CASE("an entry that loads nothing says so and leaves the menu open") {
  Scene scene(kConfiguration);
  scene.terminal.keys = {{Kind::kEnd}, {Kind::kEnter}};
  bool told = false;
  scene.terminal.on_read = [&] {
    told = told || scene.terminal.text().find("the entry loads nothing") != std::string::npos;
    if (told)
      scene.terminal.keys = {typed('x'), {Kind::kHome}, {Kind::kEnter}}, scene.terminal.on_read = nullptr;
  };
  REQUIRE(scene.choose());
  CHECK(told);
}

TEST_CASE("a refusal of the host brings the menu back") {
  Scene scene(kConfiguration);
  scene.host.refuses = "First";
  scene.terminal.keys = {{Kind::kEnter}, typed('x'), {Kind::kDown}, {Kind::kEnter}};
  const auto choice = scene.choose();
  REQUIRE(choice);
  CHECK(choice->title == "Second");
}

TEST_CASE("what could not be booted after all is told before the menu comes again") {
  Scene scene(with_timeout("set timeout=1\n"));
  REQUIRE(scene.choose());
  scene.shown->reject("no such luck");
  scene.terminal.keys = {typed('x'), {Kind::kDown}, {Kind::kEnter}};
  const auto again = scene.choose();
  REQUIRE(again);
  CHECK(again->title == "Second");
  // The seconds, then nobody, then a key.
  CHECK(scene.host.attendances == std::vector{Attendance::kAttended, Attendance::kClosed, Attendance::kShown,
                                              Attendance::kAttended, Attendance::kClosed});
}

TEST_CASE("giving up is an error of its own") {
  Scene scene(kConfiguration);
  scene.terminal.type("qy");
  const auto choice = scene.choose();
  REQUIRE_FALSE(choice);
  CHECK(choice.error().code == ErrorCode::kNoEntry);
}

TEST_CASE("no size of a terminal is too small or too large to draw") {
  for (const Size size : {Size{1, 1}, {2, 2}, {3, 7}, {5, 20}, {24, 1}, {1, 80}, {300, 500}}) {
    Scene scene(kConfiguration, size);
    scene.terminal.type("e");
    scene.terminal.keys.insert(scene.terminal.keys.end(), {{Kind::kEnd}, {Kind::kTab}, {Kind::kEscape}});
    scene.terminal.type("cls\nhelp\n");
    scene.terminal.keys.insert(scene.terminal.keys.end(), {{Kind::kPageUp}, {Kind::kEscape}});
    scene.terminal.type("a");
    scene.terminal.keys.insert(scene.terminal.keys.end(), {{Kind::kEscape}, {Kind::kEnter}});
    CHECK(scene.choose());
  }
}

TEST_CASE("nobody sees what an entry boots before they may edit it") {
  Scene scene(with_timeout("set superusers=root\npassword root secret\n"));
  std::string seen;
  scene.terminal.on_read = [&] { seen += scene.terminal.text(); };
  scene.terminal.keys = {{Kind::kTimeout}, {Kind::kTimeout}};
  (void)scene.choose();
  CHECK(seen.find("/one") == std::string::npos);
  CHECK(scene.host.boot_kinds == 0);
}

}  // namespace pvhgrub::menu::test
