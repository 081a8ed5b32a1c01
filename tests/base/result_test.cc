// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/result.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "base/exit_status.h"

using namespace pvhgrub;

namespace {
Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::kDamaged, "odd", "line 3");
  return value / 2;
}
Result<int> quarter(int value) {
  PVHGRUB_TRY_ASSIGN(const int once, half(value));
  PVHGRUB_TRY_ASSIGN(const int twice, half(once));
  return twice;
}
}  // namespace

TEST_CASE("a failed step ends the function with its error") {
  CHECK(*quarter(8) == 2);
  const auto failed = quarter(6);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().describe() == "line 3: odd");
}

TEST_CASE("an error tells the place first and the host's reason last") {
  errno = ENOSPC;
  const Error error = at("hd0,gpt2", fail_errno("cannot write", "/boot").error());
  CHECK(error.describe() == "hd0,gpt2: /boot: cannot write: No space left on device");
}

TEST_CASE("each kind of error ends the program with its documented status") {
  CHECK(exit_status_of(ErrorCode::kIo) == ExitStatus::kError);
  CHECK(exit_status_of(ErrorCode::kUsage) == ExitStatus::kUsage);
  CHECK(exit_status_of(ErrorCode::kSandbox) == ExitStatus::kSandbox);
  CHECK(exit_status_of(ErrorCode::kNoEntry) == ExitStatus::kNoEntry);
  CHECK(exit_status_of(ErrorCode::kDamaged) == ExitStatus::kDamagedGuest);
  CHECK(exit_status_of(ErrorCode::kSyntax) == ExitStatus::kDamagedGuest);
  CHECK(exit_status_of(ErrorCode::kLimit) == ExitStatus::kLimit);
}
