// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/inspection.h"

#include <catch2/catch.hpp>

using namespace pvhgrub::protocol;

TEST_CASE("facts are printed under their groups, guest text escaped") {
  CHECK(format_inspection({{"(hd0)", "size", "512"}, {"boot", "title", "a\x1b[2J"}, {"boot", "id", "x"}},
                          false) == "(hd0)\n  size   512\n\nboot\n  title  a\\x1b[2J\n  id     x\n");
}

TEST_CASE("facts as JSON: an object a group, an array for what comes more than once") {
  CHECK(
      format_inspection({{"boot", "initrd", "/a"}, {"boot", "initrd", "/b"}, {"boot", "id", "\xff"}}, true) ==
      "{\n  \"boot\": {\n    \"initrd\": [\n      \"/a\",\n      \"/b\"\n    ],\n    \"id\": "
      "\"\xef\xbf\xbd\"\n  }\n}\n");
  CHECK(format_inspection({}, true) == "{}\n");
}
