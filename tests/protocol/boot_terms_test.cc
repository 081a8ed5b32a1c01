// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/boot_terms.h"

#include <catch2/catch.hpp>

using namespace pvhgrub;
using namespace pvhgrub::protocol;

TEST_CASE("the words of a boot are understood, and others are named with what there is") {
  CHECK(parse_boot_request("auto") == BootRequest::kAuto);
  CHECK(parse_boot_request("shim") == BootRequest::kShim);
  CHECK(parse_guest_type("arm") == GuestType::kArm);
  CHECK(parse_kernel_format("as-is") == KernelFormat::kAsIs);
  const auto wrong = parse_guest_type("hvm");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::kUsage);
  CHECK(wrong.error().message == "--guest-type is one of pvh, pv, arm, not 'hvm'");
  CHECK_FALSE(parse_boot_request(""));
  CHECK_FALSE(parse_kernel_format("ELF"));
}
