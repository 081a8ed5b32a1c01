// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/boot_counter.h"

#include <catch2/catch.hpp>

using pvhgrub::grubcfg::split_boot_counter;

TEST_CASE("a boot counter is taken off a name", "[counter]") {
  const auto counted = split_boot_counter("a+3-1.conf", ".conf");
  CHECK(counted.name == "a.conf");
  REQUIRE(counted.counter);
  CHECK(counted.counter->left == 3);
  CHECK(counted.counter->done == 1);
  CHECK(split_boot_counter("a+0.efi", ".efi").counter->left == 0);
  CHECK(split_boot_counter("a+0.efi", ".efi").counter->done == 0);
  CHECK(split_boot_counter("a+b+2.EFI", ".efi").name == "a+b.efi");
  CHECK(split_boot_counter("a+2147483647.conf", ".conf").counter->left == 2147483647U);
}

TEST_CASE("what only looks like a boot counter is part of the name", "[counter]") {
  for (const char* const name :
       {"a.conf", "a+.conf", "a+x.conf", "a+3-.conf", "a+3-x.conf", "a+3x.conf", "a+3.conf.conf", "a+-1.conf",
        "a+2147483648.conf", "a+99999999999999999999.conf", "a+3-1.efi", "a+3", "+"}) {
    const auto counted = split_boot_counter(name, ".conf");
    CHECK(counted.name == name);
    CHECK_FALSE(counted.counter);
  }
}
