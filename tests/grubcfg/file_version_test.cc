// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/file_version.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <numeric>
#include <random>

#include "tests/grubcfg/external_tool.h"

using namespace pvhgrub::grubcfg;

TEST_CASE("File names are compared as sort --version-sort compares them") {
  // From the oldest to the newest; all are different.
  const std::vector<std::string_view> names = {"",
                                               ".",
                                               "..",
                                               ".a.conf",
                                               "0.conf",
                                               "1~rc1.conf",
                                               "1.conf",
                                               "1.2.conf",
                                               "1.10.conf",
                                               "1.10a.conf",
                                               "1.10-1.conf",
                                               "2",
                                               "10.conf",
                                               "A.conf",
                                               "a~.conf",
                                               "a.conf",
                                               "a.conf.x",
                                               "a1.conf",
                                               "a1.1.conf",
                                               "aa.conf",
                                               "fedora-6.9.conf",
                                               "fedora-6.10.conf"};
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t k = 0; k < names.size(); ++k) {
      INFO(names[i] << " and " << names[k]);
      CHECK(std::is_eq(compare_file_versions(names[i], names[k])) == (i == k));
      CHECK(std::is_lt(compare_file_versions(names[i], names[k])) == (i < k));
    }
  CHECK(std::is_eq(compare_file_versions("01", "1")));
  CHECK(std::is_eq(compare_file_versions("a001.conf", "a1.conf")));
}

TEST_CASE("Random file names are ordered as sort itself orders them") {
  const std::vector<std::string> pieces = {
      "0",  "1",       "9",    "10", "01", "a", "Z", ".",      ".",     ".conf",
      ".x", "~",       ".~1~", "+",  "-",  "_", "^", "fedora", ".fc40", "99999999999999999999999",
      " ",  "\xc3\xa4"};
  std::mt19937 random(1);
  std::vector<std::string> names;
  for (int i = 0; i < 5'000; ++i) {
    std::string name;
    for (std::size_t count = 1 + random() % 6; count > 0; --count) name += pieces[random() % pieces.size()];
    names.push_back(std::move(name));
  }
  const pvhgrub::test::LinesFile file(names);
  const auto sorted = pvhgrub::test::lines_of("LC_ALL=C sort --stable --version-sort " + file.path());
  if (!sorted) {
    std::cout << "skipped: no sort --version-sort here\n";
    return;
  }
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const std::weak_ordering by_name = compare_file_versions(names[a], names[b]);
    return by_name != 0 ? by_name < 0 : a < b;
  });
  REQUIRE(sorted->size() == names.size());
  for (std::size_t i = 0; i < order.size(); ++i) REQUIRE(names[order[i]] == (*sorted)[i]);
}
