// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/grubenv.h"

#include <unistd.h>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>

#include "base/limits.h"
#include "tests/grubcfg/external_tool.h"

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

/// A block as GRUB's own code changes and lists it.
class GrubEditenv {
 public:
  GrubEditenv() = default;
  GrubEditenv(const GrubEditenv&) = delete;
  GrubEditenv& operator=(const GrubEditenv&) = delete;
  ~GrubEditenv() { std::filesystem::remove(path_); }

  static bool is_installed() { return pvhgrub::test::lines_of("grub-editenv --version").has_value(); }

  /// Each variable as "NAME=VALUE\n".
  std::string list(const std::string& block) {
    write(block);
    const auto lines = pvhgrub::test::lines_of("grub-editenv " + path_.string() + " list");
    REQUIRE(lines.has_value());
    std::string listed;
    for (const std::string& line : *lines) listed += line + "\n";
    return listed;
  }

  /// The block afterwards; no value where it fails.
  std::optional<std::string> change(const std::string& block, const std::string& command,
                                    const std::string& argument) {
    write(block);
    const std::string line = "grub-editenv " + path_.string() + " " + command + " '" + argument + "'";
    if (!pvhgrub::test::lines_of(line)) return std::nullopt;
    std::ifstream stream(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }

 private:
  void write(const std::string& block) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << block;
  }

  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("pvhgrub-test-grubenv-" + std::to_string(getpid()));
};

/// Lines of comments, variables and what is none, with backslashes anywhere.
class Generator {
 public:
  std::string lines() {
    std::string lines;
    for (std::size_t count = below(6); count > 0; --count) lines += line();
    return lines;
  }
  std::string name() { return pick({"a", "ab", "b", "next_entry", "# a", "#"}); }
  std::string value() {
    return pick({"", "1", "a=1", "x\\y", "\\", "two\nlines", "#", "b=\\\n", std::string(40, 'v')});
  }

 private:
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_()) % count; }
  std::string pick(const std::vector<std::string>& words) { return words[below(words.size())]; }
  std::string line() {
    std::string line = pick({"", "", "#", "# ", "#\\", "nonsense "}) +
                       pick({name() + "=", name() + "=", ""}) +
                       pick({"", "1", "x\\\\y", "x\\\ny", "a=2", "#b=\\#", "\\z"});
    return line + pick({"\n", "\n", "\n", "\n", "\n", "\\\n", ""});
  }

  std::mt19937 random_{2026};
};

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
  CHECK_FALSE(EnvironmentBlock::parse("# GRUB Environment Block\n"));
  CHECK(variables_of(EnvironmentBlock::parse("# GRUB Environment Block\n#").value()).empty());
  CHECK(variables_of(EnvironmentBlock::parse("# GRUB Environment Block\na=1\nb=2").value()) ==
        Variables{{"a", "1"}});
  CHECK(variables_of(EnvironmentBlock::parse("# GRUB Environment Block\na=1\\").value()).empty());
}

TEST_CASE("A value ends at a zero byte, as GRUB's C strings do") {
  const auto block = EnvironmentBlock::parse(block_of(std::string("a=1\0b\nc=2\n", 10)));
  REQUIRE(block.has_value());
  CHECK(variables_of(*block) == Variables{{"a", "1"}, {"c", "2"}});
}

TEST_CASE("A hidden zero byte ends a value as well, and one in a name ends the name") {
  CHECK(variables_of(EnvironmentBlock::parse(block_of(std::string("a=1\\\0b\n", 7))).value()) ==
        Variables{{"a", "1"}});
  CHECK(variables_of(EnvironmentBlock::parse(block_of(std::string("a\0b=1\n", 6))).value()) ==
        Variables{{"a", "1"}});
}

TEST_CASE("A comment's backslash hides the end of its line, so that what follows is comment too") {
  EnvironmentBlock block = EnvironmentBlock::parse(block_of("# x\\\na=1\nb=2\n")).value();
  CHECK(variables_of(block) == Variables{{"b", "2"}});
  REQUIRE(block.set("a", "3"));
  CHECK(block.bytes() == block_of("# x\\\na=1\nb=2\na=3\n"));
  block.remove("a");
  CHECK(block.bytes() == block_of("# x\\\na=1\nb=2\n"));
  block.remove("a");
  CHECK(block.bytes() == block_of("# x\\\na=1\nb=2\n"));
}

TEST_CASE("A variable whose value has no end is neither changed nor added once more") {
  EnvironmentBlock block = EnvironmentBlock::parse(block_of("a=1\\\n")).value();
  const std::string before = block.bytes();
  CHECK_FALSE(block.set("a", "2"));
  block.remove("a");
  CHECK(block.bytes() == before);
}

TEST_CASE("grub-editenv lists, sets and unsets as we do") {
  if (!GrubEditenv::is_installed()) {
    WARN("skipped: grub-editenv is not installed (package grub-common)");
    return;
  }
  GrubEditenv grub;
  Generator generator;
  for (int round = 0; round < 150; ++round) {
    std::string bytes = "# GRUB Environment Block\n" + generator.lines();
    bytes.resize(bytes.size() + 60, '#');
    const std::string name = generator.name();
    const std::string value = generator.value();
    CAPTURE(bytes, name, value);
    EnvironmentBlock block = EnvironmentBlock::parse(bytes).value();
    std::string listed;
    for (const auto& [variable, text] : variables_of(block)) listed += variable + "=" + text + "\n";
    CHECK(listed == grub.list(bytes));
    EnvironmentBlock smaller = block;
    smaller.remove(name);
    CHECK(smaller.bytes() == grub.change(bytes, "unset", name));
    const std::optional<std::string> wanted = grub.change(bytes, "set", name + "=" + value);
    CHECK(block.set(name, value) == wanted.has_value());
    if (wanted) CHECK(block.bytes() == *wanted);
  }
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

TEST_CASE("Behind a comment, as grub-editenv puts one first, variables are changed where they stand") {
  const std::string warning = "# WARNING: Do not edit this file by tools other than grub-editenv!!!\n";
  EnvironmentBlock block = EnvironmentBlock::parse(block_of(warning + "a=1\nb=2\n")).value();
  REQUIRE(block.set("a", "longer"));
  block.remove("b");
  CHECK(block.bytes() == block_of(warning + "a=longer\n"));
}

TEST_CASE("A block has no room for more than it holds") {
  EnvironmentBlock block = EnvironmentBlock::parse(block_of("a=1\n")).value();
  const std::string before = block.bytes();
  CHECK_FALSE(block.set("b", std::string(1000, 'x')));
  CHECK(block.bytes() == before);
  CHECK(block.set("b", std::string(1024 - 25 - 4 - 3, 'x')));
  CHECK_FALSE(block.set("c", ""));
}

TEST_CASE("What grub-editenv makes is well-formed, and little else") {
  const auto well_formed = [](const std::string& bytes) {
    return EnvironmentBlock::parse(bytes).value().is_well_formed();
  };
  CHECK(well_formed(block_of("")));
  CHECK(well_formed(
      block_of("# WARNING: Do not edit this file by tools other than grub-editenv!!!\na=1\nb=\n")));
  CHECK(well_formed(block_of("a=x=y\\\\z\\\nw\tv\nc=#\n")));
  CHECK(well_formed("# GRUB Environment Block\na=1\n"));
  CHECK(well_formed(block_of("# not a=\\\nvariable\n")));
  CHECK_FALSE(well_formed(block_of("a\n")));
  CHECK_FALSE(well_formed(block_of("=1\n")));
  CHECK_FALSE(well_formed(block_of("a\\=1\n")));
  CHECK_FALSE(well_formed(block_of("\na=1\n")));
  CHECK_FALSE(well_formed(block_of("a=1")));
  CHECK_FALSE(well_formed(block_of("a=1\\")));
  CHECK_FALSE(well_formed(block_of("# what is saved behind this one is lost\\\n")));
  CHECK_FALSE(well_formed(block_of("a=1\r\n")));
  CHECK_FALSE(well_formed(block_of(std::string("a=\0\n", 4))));
  CHECK_FALSE(well_formed("# GRUB Environment Block\na=1\n####x"));
}
