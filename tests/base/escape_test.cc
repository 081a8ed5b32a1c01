// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/escape.h"

#include <catch2/catch.hpp>

using namespace pvhgrub;

TEST_CASE("printable text stays as it is, accents and all") {
  CHECK(escape_for_terminal("Debian GNU/Linux, größer") == "Debian GNU/Linux, größer");
}

TEST_CASE("terminal controls become hexadecimal") {
  CHECK(escape_for_terminal("a\x1b[2Jb\n\r\t\x7f") == "a\\x1b[2Jb\\x0a\\x0d\\x09\\x7f");
  CHECK(escape_for_terminal("\xc2\x9b"
                            "31m") == "\\xc2\\x9b31m");  // C1 control CSI in UTF-8
}

TEST_CASE("bidirectional overrides and line separators become hexadecimal") {
  CHECK(escape_for_terminal("\xe2\x80\xae"
                            "x") == "\\xe2\\x80\\xaex");
  CHECK(escape_for_terminal("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");
}

TEST_CASE("malformed UTF-8 becomes hexadecimal byte by byte") {
  CHECK(escape_for_terminal("\xff\xc0\x80\xed\xa0\x80\xf4\x90") ==
        "\\xff\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90");
}

TEST_CASE("a backslash is doubled, so that escapes cannot be faked") {
  CHECK(escape_for_terminal("\\x1b") == "\\\\x1b");
}

TEST_CASE("long text is cut at the maximum, never inside an escape") {
  CHECK(escape_for_terminal("aaaa\x1b", 6) == "aaaa...");
  CHECK(escape_for_terminal("aaaaaa", 6) == "aaaaaa");
}

TEST_CASE("valid UTF-8 is recognised, and made where it is not") {
  CHECK(is_utf8("größer \xf0\x9f\x90\xa7"));
  CHECK_FALSE(is_utf8("\xe0\x80\x80"));
  CHECK(to_valid_utf8("a\xff"
                      "b") ==
        "a\xEF\xBF\xBD"
        "b");
}
