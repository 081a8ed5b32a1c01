// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/hexadecimal.h"

#include <array>
#include <catch2/catch.hpp>

namespace pvhgrub {

TEST_CASE("bytes become two lower-case digits each, and a UUID its groups") {
  std::array<std::byte, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(0xF0 - 15 * i);
  CHECK(hexadecimal(bytes) == "f0e1d2c3b4a5968778695a4b3c2d1e0f");
  CHECK(uuid_text(bytes) == "f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f");
  CHECK(hexadecimal({}).empty());
}

}  // namespace pvhgrub
