// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/crc32c.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace pvhgrub::test {

TEST_CASE("CRC-32C gives the values of RFC 3720", "[crc]") {
  CHECK(crc32c({}) == 0);
  CHECK(crc32c(as_bytes("123456789")) == 0xE306'9283);
  CHECK(crc32c(std::vector<std::byte>(32)) == 0x8A91'36AA);
  CHECK(crc32c(std::vector<std::byte>(32, std::byte{0xFF})) == 0x62A8'AB43);
  std::vector<std::byte> ascending(32);
  for (std::size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<std::byte>(i);
  CHECK(crc32c(ascending) == 0x46DD'794E);
}

TEST_CASE("CRC-32C is the same in pieces of any length", "[crc]") {
  const std::string text = "a text that is longer than some times eight bytes, and no multiple of them";
  const std::uint32_t whole = crc32c_carry(1, as_bytes(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc32c_carry(crc32c_carry(1, as_bytes(text).first(cut)), as_bytes(text).subspan(cut)) == whole);
    CHECK(crc32c_carry_by_table(crc32c_carry_by_table(1, as_bytes(text).first(cut)),
                                as_bytes(text).subspan(cut)) == whole);
  }
}

}  // namespace pvhgrub::test
