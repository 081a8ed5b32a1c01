// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/loader_conf.h"

#include <catch2/catch.hpp>

#include "grubcfg/key_value_lines.h"
#include "grubcfg/loader_pattern.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::RecordedDiagnostics;
using namespace std::string_view_literals;

namespace {

LoaderConf parse(const std::string& text, RecordedDiagnostics& diagnostics) {
  Budget budget = Budget::standard();
  const auto conf = parse_loader_conf(text, "loader.conf", budget, diagnostics);
  REQUIRE(conf.has_value());
  return *conf;
}

LoaderConf parse(const std::string& text) {
  RecordedDiagnostics diagnostics;
  LoaderConf conf = parse(text, diagnostics);
  CHECK(diagnostics.notices.empty());
  return conf;
}

}  // namespace

TEST_CASE("lines are keys and values as systemd-boot splits them", "[loader_conf]") {
  KeyValueLines lines(
      "a b\n\tc \t d  e \t\r\n\n# comment\n  # one more\nalone\nquoted \"x y\"\nhalf \"x\none \"\n"
      "single 'x'\nboth \"x'\nempty \"\"\rlast z\0not this"sv,
      " \t");
  const auto next = [&] {
    const auto line = lines.next();
    REQUIRE(line);
    return std::to_string(line->number) + ":" + std::string(line->key) + "=" +
           std::string(line->value.value_or("(none)"));
  };
  CHECK(next() == "1:a=b");
  CHECK(next() == "2:c=d  e");
  CHECK(next() == "6:alone=(none)");
  CHECK(next() == "7:quoted=x y");
  CHECK(next() == "8:half=\"x");
  CHECK(next() == "9:one=");
  CHECK(next() == "10:single=x");
  CHECK(next() == "11:both=\"x'");
  CHECK(next() == "12:empty=");
  CHECK(next() == "13:last=z");
  CHECK_FALSE(lines.next());
}

TEST_CASE("without a timeout the default entry is booted at once", "[loader_conf]") {
  for (const char* const text : {"", "timeout 0", "timeout menu-hidden", "timeout menu-disabled"}) {
    CHECK(parse(text).timeout == 0U);
    CHECK(parse(text).timeout_style == TimeoutStyle::kHidden);
  }
}

TEST_CASE("a timeout is seconds, or none at all", "[loader_conf]") {
  CHECK(parse("timeout 3").timeout == 3U);
  CHECK(parse("timeout 3").timeout_style == TimeoutStyle::kMenu);
  for (const char* const text : {"timeout menu-force", "timeout 4294967295"}) {
    CHECK_FALSE(parse(text).timeout.has_value());
    CHECK(parse(text).timeout_style == TimeoutStyle::kMenu);
  }
  CHECK(parse("timeout menu-force\ntimeout 0").timeout_style == TimeoutStyle::kHidden);
}

TEST_CASE("what is wrong is named with its line, and the rest counts", "[loader_conf]") {
  RecordedDiagnostics diagnostics;
  const LoaderConf conf = parse(
      "timeout 3\ntimeout 3s\ntimeout -1\ntimeout 4294967296\nwhat ever\ndefault\ndefault @x\ndefault a*\n",
      diagnostics);
  CHECK(conf.timeout == 3U);
  CHECK(conf.default_entry == "a*");
  CHECK(diagnostics.has_notice("loader.conf:2: timeout is a number"));
  CHECK(diagnostics.has_notice("loader.conf:3: timeout"));
  CHECK(diagnostics.has_notice("loader.conf:4: timeout"));
  CHECK(diagnostics.has_notice("loader.conf:5: unknown setting: what"));
  CHECK(diagnostics.has_notice("loader.conf:6: a setting without a value"));
  CHECK(diagnostics.has_notice("loader.conf:7: default is the pattern"));
  CHECK(diagnostics.notices.size() == 6);
}

TEST_CASE("what is saved in EFI variables is passed over", "[loader_conf]") {
  RecordedDiagnostics diagnostics;
  const LoaderConf conf =
      parse("default a\ndefault @Saved\npreferred b\nconsole-mode max\neditor no", diagnostics);
  CHECK(conf.default_entry.empty());
  CHECK(conf.preferred_entry == "b");
  CHECK(diagnostics.notices.empty());
  CHECK(diagnostics.has_explanation("loader.conf:2: default @saved is passed over"));
}

TEST_CASE("ids are matched by systemd-boot's patterns", "[loader_conf]") {
  const auto matches = matches_loader_pattern;
  CHECK(matches("", ""));
  CHECK_FALSE(matches("", "a"));
  CHECK(matches("*", ""));
  CHECK(matches("a.conf", "a.conf"));
  CHECK_FALSE(matches("a.conf", "a.con"));
  CHECK_FALSE(matches("a", "a.conf"));
  CHECK(matches("a*", "a.conf"));
  CHECK(matches("*.conf", "a.conf"));
  CHECK_FALSE(matches("*.conf", "a.confx"));
  CHECK(matches("a*b*c", "a1b2b3c"));
  CHECK_FALSE(matches("a*b*c", "a1b2b3"));
  CHECK(matches("**a**", "xa"));
  CHECK(matches("?.conf", "a.conf"));
  CHECK_FALSE(matches("?.conf", ".conf"));
  CHECK(matches("\\*", "*"));
  CHECK_FALSE(matches("\\*", "a"));
  CHECK_FALSE(matches("a\\", "a"));
  CHECK_FALSE(matches("a\\", "a\\"));
  CHECK(matches("[abc]", "b"));
  CHECK_FALSE(matches("[abc]", "d"));
  CHECK(matches("[a-c]x", "bx"));
  CHECK_FALSE(matches("[a-c]", "d"));
  CHECK(matches("[]]", "]"));
  CHECK(matches("[]a]", "a"));
  CHECK(matches("[a-]", "-"));
  CHECK(matches("[-a]", "-"));
  CHECK(matches("[\\]]", "]"));
  CHECK(matches("[a-\\z]", "q"));
  CHECK(matches("[a-c-f]", "-"));
  CHECK_FALSE(matches("[a-c-f]", "e"));
  CHECK(matches("[!a]", "!"));
  CHECK(matches("[!a]", "a"));
  CHECK_FALSE(matches("[!a]", "b"));
  CHECK_FALSE(matches("[a", "a"));
  CHECK_FALSE(matches("[", "["));
  CHECK_FALSE(matches("[a-", "a"));
  CHECK_FALSE(matches("[a\\", "a"));
  CHECK(matches("*[0-9].conf", "linux-6.1.conf"));
}
