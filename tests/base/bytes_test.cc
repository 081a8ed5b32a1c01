// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/bytes.h"

#include <catch2/catch.hpp>

using namespace pvhgrub;

TEST_CASE("numbers are read in the byte order that was asked for") {
  ByteReader reader(as_bytes({"\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\xff", 11}));
  CHECK(*reader.little_endian<std::uint64_t>() == 0x0807060504030201ULL);
  CHECK(*reader.big_endian<std::uint16_t>() == 0x0102);
  CHECK(*reader.little_endian<std::uint8_t>() == 0xFF);
  CHECK(reader.remaining() == 0);
}

TEST_CASE("reading past the end fails and moves nothing") {
  ByteReader reader(as_bytes("abc"));
  CHECK_FALSE(reader.little_endian<std::uint32_t>());
  CHECK(reader.position() == 0);
  CHECK_FALSE(reader.skip(4));
  CHECK_FALSE(reader.seek(4));
  CHECK_FALSE(reader.take(~std::size_t{0}));
  CHECK(reader.seek(3));
  CHECK(as_text(*reader.take(0)).empty());
  CHECK_FALSE(reader.take(1));
}
