// SPDX-License-Identifier: LGPL-2.1-or-later
// The worker follows a request only in a block that the broker will take: both have their own idea of what a
// block is, on purpose, and here they are compared.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "grubcfg/grubenv.h"
#include "protocol/environment_block.h"

using namespace pvhgrub;

TEST_CASE("worker and broker agree on what an environment block is") {
  std::mt19937 random(1);
  const auto any = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  constexpr std::string_view kCharacters("ab=#\\\n\t \r\0\x1b\x7f\xc3", 14);
  std::size_t accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string block = "# GRUB Environment Block\n";
    for (std::size_t line = any(4); line > 0; --line) {
      block += any(8) == 0 ? "#" : "n=";
      for (std::size_t length = any(6); length > 0; --length)
        block += any(3) == 0 ? kCharacters[any(14)] : 'v';
      block += any(8) == 0 ? "" : "\n";
    }
    block += std::string(any(4), '#');
    if (any(8) == 0) block[any(block.size())] = kCharacters[any(14)];
    const auto parsed = grubcfg::EnvironmentBlock::parse(block);
    const bool ours = parsed && parsed->is_well_formed();
    if (ours != protocol::is_environment_block(block)) FAIL(block);
    accepted += ours ? 1 : 0;
  }
  CHECK(accepted > 20'000);
  CHECK(accepted < 180'000);
}
