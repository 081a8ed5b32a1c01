// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/grubenv.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

using pvhgrub::Budget;
using pvhgrub::ErrorCode;
using pvhgrub::grubcfg::EnvironmentBlock;

namespace {

std::string block_of(const std::string& lines) {
  std::string bytes = "# GRUB Environment Block\n" + lines;
  bytes.resize(1024, '#');
  return bytes;
}

using Variables = std::vector<std::pair<std::string, std::string>>;

Variables variables_of(const EnvironmentBlock& block) {
  Budget budget = Budget::standard();
  return block.variables(budget).value();
}

}  // namespace

TEST_CASE("An environment block gives its variables in order, escapes resolved") {
  const auto block = EnvironmentBlock::parse(block_of("a=1\n# comment\nb=x\\\\y\\\nz\nc=\n"));
  REQUIRE(block.has_value());
  CHECK(variables_of(*block) == Variables{{"a", "1"}, {"b", "x\\y\nz"}, {"c", ""}});
}

TEST_CASE("What is no environment block is refused") {
  CHECK(EnvironmentBlock::parse("").error().code == ErrorCode::kDamaged);
  CHECK(EnvironmentBlock::parse("# GRUB Environment block\n").error().code == ErrorCode::kDamaged);
  CHECK(EnvironmentBlock::parse(std::string(pvhgrub::limits::kEnvironmentBlockBytes + 1, '#')).error().code ==
        ErrorCode::kLimit);
}

TEST_CASE("A block without a final newline or with only its header gives what is whole") {
  CHECK(variables_of(EnvironmentBlock::parse("# GRUB Environment Block\n").value()).empty());
  CHECK(variables_of(EnvironmentBlock::parse("# GRUB Environment Block\na=1\nb=2").value()) ==
        Variables{{"a", "1"}});
  CHECK(variables_of(EnvironmentBlock::parse("# GRUB Environment Block\na=1\\").value()).empty());
}

TEST_CASE("A value ends at a zero byte, as GRUB's C strings do") {
  const auto block = EnvironmentBlock::parse(block_of(std::string("a=1\0b\nc=2\n", 10)));
  REQUIRE(block.has_value());
  CHECK(variables_of(*block) == Variables{{"a", "1"}, {"c", "2"}});
}

TEST_CASE("Nothing is added to a block whose last line has no newline") {
  auto block = EnvironmentBlock::parse(block_of("a=1"));
  REQUIRE(block.has_value());
  CHECK_FALSE(block->set("g", "5"));
}

TEST_CASE("Setting, changing and removing variables keeps the block's size") {
  EnvironmentBlock block = EnvironmentBlock::parse(block_of("a=1\nab=2\n")).value();
  REQUIRE(block.set("b", "new\\value"));
  REQUIRE(block.set("a", "longer"));
  block.remove("ab");
  block.remove("nosuch");
  CHECK(block.bytes().size() == 1024);
  CHECK(variables_of(block) == Variables{{"a", "longer"}, {"b", "new\\value"}});
  CHECK(block.bytes().ends_with("###"));
}

TEST_CASE("A block has no room for more than it holds") {
  EnvironmentBlock block = EnvironmentBlock::parse(block_of("a=1\n")).value();
  const std::string before = block.bytes();
  CHECK_FALSE(block.set("b", std::string(1000, 'x')));
  CHECK(block.bytes() == before);
  CHECK(block.set("b", std::string(1024 - 25 - 4 - 3, 'x')));
  CHECK_FALSE(block.set("c", ""));
}
