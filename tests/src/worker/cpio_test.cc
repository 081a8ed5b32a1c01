// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/cpio.h"

#include <catch2/catch.hpp>

using namespace pvhgrub::worker;

TEST_CASE("a file's header names it, its size and its mode, padded to four bytes") {
  CpioWriter archive;
  const std::string header = *archive.file("name", 0x1234);
  CHECK(header.starts_with("070701"));
  CHECK(header.substr(14, 8) == "000081ff");
  CHECK(header.substr(54, 8) == "00001234");
  CHECK(header.substr(94, 8) == "00000005");  // with the NUL, without which Linux since 6.13 skips a member
  CHECK(header.substr(110, 5) == std::string("name\0", 5));
  CHECK(header.size() % 4 == 0);
}

TEST_CASE("directories come before the first file in them, once") {
  CpioWriter archive;
  const std::string first = *archive.file("etc/conf/x", 1);
  CHECK(first.find(std::string("etc\0", 4)) != std::string::npos);
  CHECK(first.find(std::string("etc/conf\0", 9)) != std::string::npos);
  CHECK(first.find("etc/conf/x") != std::string::npos);
  const std::string second = *archive.file("etc/conf/y", 1);
  CHECK(second.substr(110, 11) == std::string("etc/conf/y\0", 11));
}

TEST_CASE("a new archive makes its directories again") {
  CpioWriter archive;
  REQUIRE(archive.file("a/b", 1));
  CHECK(archive.end().find("TRAILER!!!") == 110);
  CHECK(archive.file("a/c", 1)->find(std::string("a\0", 2)) == 110);
}

TEST_CASE("a file of 4 GiB does not fit the format") {
  CHECK_FALSE(CpioWriter().file("x", 1ULL << 32U));
}

TEST_CASE("an empty archive is a trailer and zeros of exactly the size asked for") {
  const std::string empty = empty_cpio(4096);
  CHECK(empty.size() == 4096);
  CHECK(empty.find("TRAILER!!!") == 110);
  CHECK(empty.find_last_not_of('\0') < 124);
}
