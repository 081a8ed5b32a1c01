// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/authentication.h"

#include <catch2/catch.hpp>
#include <iostream>

#include "grubcfg/configuration.h"
#include "tests/grubcfg/external_tool.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::RecordedDiagnostics;

namespace {

constexpr MenuPassword::Kind kPbkdf2 = MenuPassword::Kind::kPbkdf2;
constexpr MenuPassword::Kind kMd5 = MenuPassword::Kind::kMd5Crypt;

bool matches(MenuPassword::Kind kind, const std::string& secret, std::string_view entered) {
  const auto answer = password_matches({"root", secret, kind}, entered);
  INFO(secret);
  REQUIRE(answer.has_value());
  return *answer;
}

ErrorCode failure(MenuPassword::Kind kind, const std::string& secret) {
  const auto answer = password_matches({"root", secret, kind}, "secret");
  INFO(secret);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().message.find("`root'") != std::string::npos);
  return answer.error().code;
}

/// A menu of a configuration that needs no disk.
struct BareMenu {
  explicit BareMenu(const std::string& text, const std::string& kind = "grub2") {
    auto made = load_bare_configuration(text, ConfigurationSource{kind, "", "menu"}, {}, budget, diagnostics);
    if (!made) FAIL(made.error().describe());
    menu = std::move(*made);
  }
  [[nodiscard]] const MenuEntry& entry(std::size_t index) const { return menu->entries().at(index); }

  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<Menu> menu;
};

constexpr std::string_view kBody = " { linux /vmlinuz }\n";

}  // namespace

TEST_CASE("A plain password is compared as a whole", "[authentication]") {
  const auto plain = MenuPassword::Kind::kPlain;
  CHECK(matches(plain, "secret", "secret"));
  CHECK_FALSE(matches(plain, "secret", "secre"));
  CHECK_FALSE(matches(plain, "secret", "secret1"));
  CHECK_FALSE(matches(plain, "secret", ""));
  CHECK(matches(plain, "", ""));
  // GRUB takes 1023 bytes of either.
  CHECK(matches(plain, std::string(1023, 'x') + "a", std::string(1023, 'x') + "b"));
  CHECK_FALSE(matches(plain, std::string(1022, 'x') + "a", std::string(1022, 'x') + "b"));
  CHECK_FALSE(matches(MenuPassword::Kind::kUnusable, "secret", "secret"));
}

TEST_CASE("What grub-mkpasswd-pbkdf2 makes of a password matches that password", "[authentication]") {
  std::size_t judged = 0;
  for (const auto& [options, password] : {std::pair{"-c 1000", "secret"}, std::pair{"-c 17 -s 1 -l 1", "p"},
                                          std::pair{"-c 100 -s 100 -l 200", "with blanks and \xc3\xa4"}}) {
    const auto lines = test::lines_of("printf '%s\\n%s\\n' '" + std::string(password) + "' '" + password +
                                      "' | grub-mkpasswd-pbkdf2 " + options);
    if (!lines) break;
    const std::size_t begin = lines->back().find("grub.pbkdf2");
    REQUIRE(begin != std::string::npos);
    const std::string secret = lines->back().substr(begin);
    CHECK(matches(kPbkdf2, secret, password));
    CHECK_FALSE(matches(kPbkdf2, secret, std::string(password) + "x"));
    ++judged;
  }
  if (judged == 0) std::cout << "skipped: no grub-mkpasswd-pbkdf2 (package grub-common)\n";
  // A recorded one, so that something is checked without the tool.
  const std::string recorded =
      "grub.pbkdf2.sha512.1000."
      "15944F7CD3F99382DD74AABD323EAB557FD52FB7FD05968AD16790B8123B236E9119104A0F42E135B2A90E3A3A636A6AA795EB"
      "23A0"
      "D91E63B220412763B9BF14."
      "6CAA8F2650ACCAA32B661E6EA041C037267776012A32E8B39878112E54D268B329E4423061D2C0E0E89927A8AB2139737B0119"
      "957D"
      "5BC199F4316EF9831804C8";
  CHECK(matches(kPbkdf2, recorded, "secret"));
  CHECK_FALSE(matches(kPbkdf2, recorded, "Secret"));
}

TEST_CASE("A malformed or too expensive hash is told, not calculated", "[authentication]") {
  for (const char* const secret :
       {"", "secret", "grub.pbkdf2.sha512.", "grub.pbkdf2.sha512.1000", "grub.pbkdf2.sha512.1000.AB",
        "grub.pbkdf2.sha512.1000.AB.", "grub.pbkdf2.sha512.0.AB.AB", "grub.pbkdf2.sha512.x.AB.AB",
        "grub.pbkdf2.sha512.1000.ABC.AB", "grub.pbkdf2.sha512.1000.AG.AB", "grub.pbkdf2.sha512.1000.AB.AB.AB",
        "grub.pbkdf2.sha512.99999999999999999999.AB.AB", "grub.pbkdf2.sha512.1000001.AB.AB"})
    CHECK(failure(kPbkdf2, secret) == ErrorCode::kUnsupported);
  // Each 64 bytes of the hash cost all rounds.
  const std::string long_hash(2 * 65, 'A');
  CHECK(failure(kPbkdf2, "grub.pbkdf2.sha512.500001.AB." + long_hash) == ErrorCode::kUnsupported);
  CHECK(failure(kPbkdf2, "grub.pbkdf2.sha512.1.AB." + std::string(2 * 64 * 1'000'001, 'A')) ==
        ErrorCode::kUnsupported);
  for (const std::string secret : {"", "secret", "$6$abcdefgh$x", "$1$", "$5$rounds=999999999$salt$"})
    CHECK(failure(kMd5, secret) == ErrorCode::kUnsupported);
  CHECK(failure(kMd5, "$1$" + std::string(100, 'a')) == ErrorCode::kUnsupported);
}

TEST_CASE("What openssl makes of a password for GRUB Legacy matches it", "[authentication]") {
  std::size_t judged = 0;
  for (const std::string salt : {"abcdefgh", "x", "./"})
    for (const std::string password : {"secret", "p", "a rather long one, longer than sixteen bytes"}) {
      const auto lines = test::lines_of("openssl passwd -1 -salt '" + salt + "' '" + password + "'");
      if (!lines) break;
      CHECK(matches(kMd5, lines->front(), password));
      CHECK_FALSE(matches(kMd5, lines->front(), password + "x"));
      ++judged;
    }
  if (judged == 0) std::cout << "skipped: no openssl\n";
  CHECK(matches(kMd5, "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", "secret"));
  CHECK_FALSE(matches(kMd5, "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", "Secret"));
}

TEST_CASE("Without superusers nobody is asked, whatever the entries say", "[authentication]") {
  const BareMenu bare("password a x\nmenuentry one --users a" + std::string(kBody));
  const Login nobody;
  CHECK_FALSE(Login::locks_editing(*bare.menu));
  CHECK(nobody.may_edit(*bare.menu));
  CHECK(nobody.may_boot(*bare.menu, bare.entry(0)));
}

TEST_CASE("Superusers may do anything, others what an entry allows them", "[authentication]") {
  const BareMenu bare(
      "set superusers=\"root, admin\"\npassword root r\npassword guest g\npassword admin a\n" +
      ("menuentry closed" + std::string(kBody)) + "menuentry open --unrestricted" + std::string(kBody) +
      "menuentry guests --users guest" + std::string(kBody));
  const Menu& menu = *bare.menu;
  Login login;
  CHECK(Login::locks_editing(menu));
  CHECK(Login::asks_for_name(menu));
  CHECK_FALSE(login.may_edit(menu));
  CHECK_FALSE(login.may_boot(menu, bare.entry(0)));
  CHECK(login.may_boot(menu, bare.entry(1)));
  CHECK_FALSE(login.may_boot(menu, bare.entry(2)));
  CHECK_FALSE(login.log_in(menu, "guest", "r").value());
  CHECK_FALSE(login.log_in(menu, "nobody", "r").value());
  CHECK_FALSE(login.user().has_value());

  CHECK(login.log_in(menu, "guest", "g").value());
  CHECK(login.user() == "guest");
  CHECK_FALSE(login.may_edit(menu));
  CHECK_FALSE(login.may_boot(menu, bare.entry(0)));
  CHECK(login.may_boot(menu, bare.entry(2)));

  CHECK(login.log_in(menu, "admin", "a").value());
  CHECK(login.may_edit(menu));
  CHECK(login.may_boot(menu, bare.entry(0)));
  // Who failed is not logged out.
  CHECK_FALSE(login.log_in(menu, "root", "a").value());
  CHECK(login.may_edit(menu));
}

TEST_CASE("An empty list of superusers locks editing for everybody", "[authentication]") {
  const BareMenu bare("set superusers=\npassword a x\nmenuentry one --users a" + std::string(kBody));
  Login login;
  CHECK(login.log_in(*bare.menu, "a", "x").value());
  CHECK(login.may_boot(*bare.menu, bare.entry(0)));
  CHECK_FALSE(login.may_edit(*bare.menu));
}

TEST_CASE("A password that cannot be checked is told to who tries it", "[authentication]") {
  const BareMenu bare(
      "set superusers=root\npassword_pbkdf2 root grub.pbkdf2.sha512.2000000.AB.AB\n"
      "password other x\nmenuentry one" +
      std::string(kBody));
  Login login;
  CHECK(login.log_in(*bare.menu, "root", "x").error().code == ErrorCode::kUnsupported);
  CHECK_FALSE(login.log_in(*bare.menu, "nobody", "x").value());
  CHECK(login.log_in(*bare.menu, "other", "x").value());
}

TEST_CASE("GRUB Legacy asks for the menu's password alone", "[authentication]") {
  const BareMenu bare(
      "password --md5 $1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1\n"
      "title open\nkernel /vmlinuz\ntitle locked\nlock\nkernel /vmlinuz\n"
      "title own\npassword mine\nkernel /vmlinuz\n",
      "grub-legacy");
  const Menu& menu = *bare.menu;
  Login login;
  CHECK(Login::locks_editing(menu));
  CHECK_FALSE(Login::asks_for_name(menu));
  CHECK_FALSE(login.may_edit(menu));
  CHECK(login.may_boot(menu, bare.entry(0)));
  CHECK_FALSE(login.may_boot(menu, bare.entry(1)));
  CHECK_FALSE(login.log_in(menu, "", "wrong").value());
  CHECK(login.log_in(menu, "", "mine").value());
  CHECK(login.may_boot(menu, bare.entry(2)));
  CHECK_FALSE(login.may_boot(menu, bare.entry(1)));
  CHECK_FALSE(login.may_edit(menu));
  CHECK(login.log_in(menu, "", "secret").value());
  CHECK(login.user() == kLegacyUser);
  CHECK(login.may_edit(menu));
  CHECK(login.may_boot(menu, bare.entry(1)));
}

TEST_CASE("A password of one entry of GRUB Legacy does not lock editing", "[authentication]") {
  const BareMenu bare("title own\npassword mine\nkernel /vmlinuz\n", "grub-legacy");
  CHECK_FALSE(Login::locks_editing(*bare.menu));
  CHECK(Login().may_edit(*bare.menu));
  CHECK_FALSE(Login().may_boot(*bare.menu, bare.entry(0)));
}

TEST_CASE("syslinux without options to type locks editing, and its passwords have no names",
          "[authentication]") {
  const BareMenu bare(
      "ALLOWOPTIONS 0\nMENU MASTER PASSWD boss\nLABEL one\nMENU PASSWD mine\nKERNEL /vmlinuz\n"
      "LABEL two\nKERNEL /vmlinuz\n",
      "extlinux");
  Login login;
  CHECK_FALSE(Login::asks_for_name(*bare.menu));
  CHECK_FALSE(login.may_edit(*bare.menu));
  CHECK_FALSE(login.may_boot(*bare.menu, bare.entry(0)));
  CHECK(login.may_boot(*bare.menu, bare.entry(1)));
  CHECK(login.log_in(*bare.menu, "", "mine").value());
  CHECK(login.may_boot(*bare.menu, bare.entry(0)));
  CHECK_FALSE(login.may_edit(*bare.menu));
  CHECK(login.log_in(*bare.menu, "", "boss").value());
  CHECK(login.may_edit(*bare.menu));
}
