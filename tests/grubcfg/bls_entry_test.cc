// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_entry.h"

#include <catch2/catch.hpp>

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;

namespace {

constexpr BlsDialect kBoth[] = {BlsDialect::kRedHat, BlsDialect::kUpstream};

std::string value_of(std::string_view contents, BlsDialect dialect, std::string_view key) {
  const auto entry = GrubBlsEntry::parse(contents, dialect);
  REQUIRE(entry.has_value());
  const BlsField* field = entry->first(key);
  return field != nullptr ? field->value : "(none)";
}

std::string expanded(std::string_view value, BlsDialect dialect = BlsDialect::kRedHat) {
  Environment environment;
  Budget budget = Budget::standard();
  REQUIRE(environment.set("a", "A1 A2", budget));
  REQUIRE(environment.set("b", "B", budget));
  REQUIRE(environment.set("empty", "", budget));
  REQUIRE(environment.set("_1", "U", budget));
  const auto result = expand_bls_value(value, dialect, environment, budget);
  REQUIRE(result.has_value());
  return result->has_value() ? **result : "(none)";
}

}  // namespace

TEST_CASE("A line is a key and a value, with blanks between them that do not count") {
  for (const BlsDialect dialect : kBoth) {
    CHECK(value_of("linux /vmlinuz\n", dialect, "linux") == "/vmlinuz");
    CHECK(value_of("  linux \t /vmlinuz\n", dialect, "linux") == "/vmlinuz");
    CHECK(value_of("linux\t/vmlinuz", dialect, "linux") == "/vmlinuz");
    CHECK(value_of("title a  b \t\n", dialect, "title") == "a  b \t");
    CHECK(value_of("linux /a\r\nlinux /b\r\n", dialect, "linux") == "/a");
    CHECK(value_of(std::string("linux /a\0b\ntitle t\n", 19), dialect, "linux") == "/a");
    CHECK(value_of("linux16 /a\n", dialect, "linux") == "(none)");
    CHECK(value_of("", dialect, "linux") == "(none)");
  }
}

TEST_CASE("Red Hat's GRUB ends a key at the first blank, and at a tab only where there is none") {
  CHECK(value_of("title\tFedora 41\n", BlsDialect::kUpstream, "title") == "Fedora 41");
  CHECK(value_of("title\tFedora 41\n", BlsDialect::kRedHat, "title") == "(none)");
  const auto entry = GrubBlsEntry::parse("linux /v\ntitle\tFedora 41\n", BlsDialect::kRedHat);
  REQUIRE(entry->remarks().size() == 1);
  CHECK(entry->remarks()[0].line == 2);
  CHECK(entry->remarks()[0].text.find("put a blank behind `title'") != std::string::npos);
}

TEST_CASE("Comments go on, but an empty line or one without a value ends the file") {
  for (const BlsDialect dialect : kBoth) {
    CHECK(value_of("#\n # linux /no\n#x\nlinux /v\n", dialect, "linux") == "/v");
    for (const std::string_view end : {"\n", "  \t\n", "title\n", "title \n", "\r\n"}) {
      const std::string contents = "linux /v\n" + std::string(end) + "initrd /i\n";
      const auto entry = GrubBlsEntry::parse(contents, dialect);
      CHECK(entry->first("linux") != nullptr);
      CHECK(entry->first("initrd") == nullptr);
      REQUIRE(entry->remarks().size() == 1);
      CHECK(entry->remarks()[0].line == 2);
    }
    // Nothing that GRUB would read stands behind it: not worth a word.
    CHECK(GrubBlsEntry::parse("linux /v\n\n\n# end\nsort-key x\n", dialect)->remarks().empty());
  }
}

TEST_CASE("A key with two blanks and no value is an empty field to Red Hat's GRUB, the end to 2.14") {
  CHECK(value_of("title  \nlinux /v\n", BlsDialect::kRedHat, "title").empty());
  CHECK(value_of("title  \nlinux /v\n", BlsDialect::kRedHat, "linux") == "/v");
  CHECK(value_of("title  \nlinux /v\n", BlsDialect::kUpstream, "linux") == "(none)");
}

TEST_CASE("Fields of the same key keep their order and lines") {
  const auto entry = GrubBlsEntry::parse(
      "initrd /a\nlinux /v\ninitrd /b $x\noptions 1\noptions 2\noptions 3\n", BlsDialect::kRedHat);
  REQUIRE(entry.has_value());
  const auto initrds = entry->all("initrd");
  REQUIRE(initrds.size() == 2);
  CHECK(initrds[1]->value == "/b $x");
  CHECK(initrds[1]->line == 3);
  CHECK(entry->first("options")->value == "1");
  // Told once, where it first happens.
  REQUIRE(entry->remarks().size() == 1);
  CHECK(entry->remarks()[0].line == 5);
}

TEST_CASE("A file of more fields than GRUB takes is refused") {
  std::string contents;
  for (int i = 0; i < 10'000; ++i) contents += "k v\n";
  CHECK(GrubBlsEntry::parse(contents, BlsDialect::kRedHat).has_value());
  contents += "k v\n";
  CHECK(GrubBlsEntry::parse(contents, BlsDialect::kRedHat).error().code == ErrorCode::kDamaged);
}

TEST_CASE("Variables are filled in with a blank behind, and take one with them") {
  for (const BlsDialect dialect : kBoth) {
    CHECK(expanded("root=x ro", dialect) == "root=x ro");
    CHECK(expanded("$a", dialect) == "(none)");
    CHECK(expanded("$empty", dialect) == " ");
    CHECK(expanded("ro $_1", dialect) == "ro U ");
    CHECK(expanded("ro $_1 quiet", dialect) == "ro U quiet");
    CHECK(expanded("ro $_1  quiet", dialect) == "ro U  quiet");
    CHECK(expanded("x=$_1,y", dialect) == "x=U ,y");
    CHECK(expanded("x=$_1-$_1;", dialect) == "x=U U ");
    CHECK(expanded("ro $unset quiet", dialect) == "ro quiet");
    CHECK(expanded("$unset quiet", dialect) == "quiet");
    CHECK(expanded("$_1$_1", dialect) == "U U ");
    CHECK(expanded("$_1 $_1", dialect) == "U U ");
    CHECK(expanded("${_1}xy", dialect) == "{_1}xy");
  }
}

TEST_CASE("What GRUB's filling in of variables loses is lost here too") {
  for (const BlsDialect dialect : kBoth) {
    CHECK(expanded("", dialect) == "(none)");
    CHECK(expanded("3", dialect) == "(none)");
    CHECK(expanded("$_1 3", dialect) == "U ");
    CHECK(expanded("x$_1", dialect) == "U ");
    CHECK(expanded("$unset$_1 quiet", dialect) == "(none)");
    CHECK(expanded("ro $unset$_1 quiet", dialect) == "ro U quiet");
    CHECK(expanded("$", dialect) == "(none)");
    CHECK(expanded("$$", dialect) == "(none)");
    CHECK(expanded("$unset", dialect) == "(none)");
  }
}

TEST_CASE("An escaped dollar is left to the script by Red Hat's GRUB only") {
  CHECK(expanded("pass=\\$_1 x=\\$y z") == "pass=\\$_1 x=\\$y z");
  CHECK(expanded("pass=\\$_1 xy", BlsDialect::kUpstream) == "pass=\\U xy");
  CHECK(expanded("\\$_1") == "\\$_1");
}

TEST_CASE("Values that grow without end hit the budget") {
  Environment environment;
  Budget budget(1'000'000, 64U << 20U);
  REQUIRE(environment.set("a1", std::string(1000, 'x'), budget));
  std::string value;
  for (int i = 0; i < 2000; ++i) value += "$a1 ";
  const auto result = expand_bls_value(value, BlsDialect::kRedHat, environment, budget);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::kLimit);
}
