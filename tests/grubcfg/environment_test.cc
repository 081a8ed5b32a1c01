// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/environment.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

using pvhgrub::Budget;
using pvhgrub::ErrorCode;
using pvhgrub::grubcfg::Environment;

TEST_CASE("A variable keeps being exported when it is set again") {
  Budget budget = Budget::standard();
  Environment environment;
  REQUIRE(environment.set("a", "1", budget));
  REQUIRE(environment.export_variable("a", budget));
  REQUIRE(environment.set("a", "2", budget));
  REQUIRE(environment.set("b", "3", budget));
  const Environment inner = environment.exported_copy();
  CHECK(inner.value_or_empty("a") == "2");
  CHECK(inner.get("b") == nullptr);
}

TEST_CASE("What a new context begins with is the same before and after sharing") {
  Budget budget = Budget::standard();
  Environment environment;
  for (int i = 0; i < 100; ++i) REQUIRE(environment.set("v" + std::to_string(i), "x", budget));
  REQUIRE(environment.export_variable("v7", budget));
  environment.share();
  REQUIRE(environment.set("v8", "y", budget));
  REQUIRE(environment.unset("v9", budget));
  const Environment inner = environment.exported_copy();
  CHECK(inner.list().size() == 1);
  CHECK(inner.value_or_empty("v7") == "x");
  CHECK(environment.value_or_empty("v8") == "y");
  CHECK(environment.get("v9") == nullptr);
  CHECK(environment.list().size() == 99);
}

TEST_CASE("A variable unset in a context that shares it is gone there only") {
  Budget budget = Budget::standard();
  Environment environment;
  REQUIRE(environment.export_variable("a", budget));
  for (int i = 0; i < 100; ++i) REQUIRE(environment.set("v" + std::to_string(i), "x", budget));
  environment.share();
  Environment inner = environment.exported_copy();
  REQUIRE(inner.unset("a", budget));
  CHECK(inner.get("a") == nullptr);
  CHECK(inner.exported_copy().get("a") == nullptr);
  CHECK(environment.get("a") != nullptr);
  REQUIRE(inner.set("a", "again", budget));
  CHECK(inner.value_or_empty("a") == "again");
  CHECK(inner.exported_copy().get("a") == nullptr);
}

TEST_CASE("root loses the parentheses of a device, and unset only empties it") {
  Budget budget = Budget::standard();
  Environment environment;
  REQUIRE(environment.set("root", "(hd0,gpt2)", budget));
  CHECK(environment.value_or_empty("root") == "hd0,gpt2");
  REQUIRE(environment.unset("root", budget));
  REQUIRE(environment.get("root") != nullptr);
  CHECK(environment.get("root")->empty());
}

TEST_CASE("An environment that grows past its ceiling ends as a limit") {
  Budget budget = Budget::standard();
  Environment environment;
  CHECK(environment.set("a", std::string(pvhgrub::limits::kWordBytes + 1, 'x'), budget).error().code ==
        ErrorCode::kLimit);
  const std::string value(pvhgrub::limits::kWordBytes, 'x');
  pvhgrub::Result<void> status;
  for (int i = 0; i < 64 && status; ++i) status = environment.set("v" + std::to_string(i), value, budget);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kLimit);
}
