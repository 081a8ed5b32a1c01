// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/linux_header.h"

#include <array>
#include <catch2/catch.hpp>

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

namespace {

std::array<std::byte, kLinuxHeaderBytes> image(std::uint16_t version, std::uint32_t command_line_size) {
  std::array<std::byte, kLinuxHeaderBytes> bytes{};
  const auto put = [&](std::size_t offset, std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) bytes.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
  };
  put(0x202, 0x53726448, 4);
  put(0x206, version, 2);
  put(0x238, command_line_size, 4);
  return bytes;
}

}  // namespace

TEST_CASE("a kernel of protocol 2.06 or later tells its command line's size") {
  CHECK(command_line_size(image(0x020F, 2047)) == 2047U);
  CHECK(command_line_size(image(0x0206, 0)) == 0U);
  CHECK(command_line_size(image(0x0206, ~0U)) == ~0U);
}

TEST_CASE("an older kernel takes 255 bytes") {
  CHECK(command_line_size(image(0x0205, 2047)) == 255U);
}

TEST_CASE("what is no bzImage, or too short for one, tells nothing") {
  const auto whole = image(0x020F, 2047);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{0x201}, std::size_t{0x206}, std::size_t{0x23B}})
    CHECK_FALSE(command_line_size(Bytes(whole).first(length)));
  CHECK_FALSE(
      command_line_size(as_bytes("\x7f"
                                 "ELF")));
}
