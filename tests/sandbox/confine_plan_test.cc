// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/confine_plan.h"

#include <catch2/catch.hpp>
#include <vector>

namespace pvhgrub::sandbox::test {
namespace {

Result<ConfinePlan> parse(std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  return ConfinePlan::from_arguments(static_cast<int>(arguments.size()), pointers.data());
}

}  // namespace

TEST_CASE("a plan survives its way through the worker's argument") {
  const ConfinePlan plan{.namespaces = 0x7e020000,
                         .uid = 2013265930,
                         .gid = 4294967294,
                         .may_change_ids = true,
                         .allow_landlock_only = false};
  const auto parsed = parse({"pvhgrub-worker", plan.to_argument()});
  REQUIRE(parsed.has_value());
  CHECK(parsed->namespaces == plan.namespaces);
  CHECK(parsed->uid == plan.uid);
  CHECK(parsed->gid == plan.gid);
  CHECK(parsed->may_change_ids);
  CHECK(!parsed->allow_landlock_only);
}

TEST_CASE("anything but one whole plan is refused: the worker is not run by hand") {
  CHECK(!parse({"pvhgrub-worker"}).has_value());
  CHECK(!parse({"pvhgrub-worker", "--help"}).has_value());
  CHECK(!parse({"pvhgrub-worker", "--confine=0:5:5:0:0", "more"}).has_value());
  for (const char* bad :
       {"", "0", "0:5:5:0", "0:5:5:0:0:0", "0:5:5:0:", ":5:5:0:0", "0:0:5:0:0", "0:4294967296:5:0:0",
        "0:-1:5:0:0", "0:5:5:2:0", "0:5:5:0:2", "0:5:5:0:0 ", "0x1:5:5:0:0"}) {
    INFO(bad);
    const auto parsed = parse({"pvhgrub-worker", std::string("--confine=") + bad});
    REQUIRE(!parsed.has_value());
    CHECK(parsed.error().code == ErrorCode::kUsage);
  }
}

}  // namespace pvhgrub::sandbox::test
