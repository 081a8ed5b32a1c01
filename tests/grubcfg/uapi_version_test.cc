// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/uapi_version.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>

using pvhgrub::grubcfg::compare_versions;

namespace {

int order(std::string_view a, std::string_view b) {
  const auto result = compare_versions(a, b);
  return result < 0 ? -1 : result > 0 ? 1 : 0;
}

}  // namespace

TEST_CASE("versions are ordered as the specification's examples are", "[version]") {
  struct Example {
    const char* a;
    const char* b;
    int expected;
  };
  // All of its examples but those with '~' on one side only, where it contradicts its own rule and systemd.
  const std::array<Example, 20> examples = {{{"11", "11", 0},
                                             {"systemd-123", "systemd-123", 0},
                                             {"bar-123", "foo-123", -1},
                                             {"123a", "123", 1},
                                             {"123.a", "123", 1},
                                             {"123.a", "123.b", -1},
                                             {"123a", "123.a", 1},
                                             {"11\xce\xb1", "11\xce\xb2", 0},
                                             {"A", "a", -1},
                                             {"", "0", -1},
                                             {"0.", "0", 1},
                                             {"0.0", "0", 1},
                                             {"1_", "1", 0},
                                             {"_1", "1", 0},
                                             {"1_", "1.2", -1},
                                             {"1_2_3", "1.3.3", 1},
                                             {"1+", "1", 0},
                                             {"+1", "1", 0},
                                             {"1+", "1.2", -1},
                                             {"1+2+3", "1.3.3", 1}}};
  for (const Example& example : examples) {
    INFO(example.a << " and " << example.b);
    CHECK(order(example.a, example.b) == example.expected);
    CHECK(order(example.b, example.a) == -example.expected);
  }
}

TEST_CASE("kernel versions go up as people expect", "[version]") {
  const std::array<const char*, 10> ascending = {
      "", "1~rc1", "1", "1.2~rc1", "1.2", "1.2-1", "1.2-10", "1.10", "2", "10000000000000000000000000"};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      INFO(ascending.at(i) << " and " << ascending.at(j));
      CHECK(order(ascending.at(i), ascending.at(j)) == (i < j ? -1 : i > j ? 1 : 0));
    }
}

TEST_CASE("systemd-analyze orders random versions alike", "[version]") {
  if (std::system("systemd-analyze compare-versions 1 lt 2 >/dev/null 2>&1") != 0) {
    WARN("skipped: no systemd-analyze");
    return;
  }
  constexpr std::string_view kCharacters = "01239abAZ~-^.+_";
  std::mt19937 random(20);
  const auto pick = [&](std::size_t count) { return static_cast<std::size_t>(random()) % count; };
  for (int round = 0; round < 200; ++round) {
    std::string a;
    for (std::size_t length = pick(8); a.size() < length;) a += kCharacters[pick(kCharacters.size())];
    std::string b = a;
    for (std::size_t changes = pick(3); changes > 0; --changes)
      b.insert(pick(b.size() + 1), 1, kCharacters[pick(kCharacters.size())]);
    const int status =
        std::system(("systemd-analyze compare-versions -- '" + a + "' '" + b + "' >/dev/null").c_str());
    INFO("'" << a << "' and '" << b << "'");
    CHECK(WEXITSTATUS(status) == std::array{12, 0, 11}.at(static_cast<std::size_t>(order(a, b) + 1)));
  }
}
