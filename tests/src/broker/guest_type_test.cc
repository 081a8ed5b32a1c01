// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/guest_type.h"

#include <catch2/catch.hpp>

using namespace pvhgrub::broker;

TEST_CASE("libxl's output directory tells the domain") {
  CHECK(domain_of_output_directory("/var/lib/xen/bootloader.12.d") == 12U);
  CHECK(domain_of_output_directory("/var/lib/xen/bootloader.12.d/") == 12U);
  CHECK(domain_of_output_directory("bootloader.0.d") == 0U);
}

TEST_CASE("other directories tell no domain") {
  for (const char* const path : {"", "/", "/var/run/xen/pygrub", "/bootloader..d", "/bootloader.1.d/x",
                                 "/bootloader.-1.d", "/bootloader.1x.d", "/bootloader.99999999999.d"})
    CHECK_FALSE(domain_of_output_directory(path));
}
