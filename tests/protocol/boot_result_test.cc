// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/boot_result.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/limits.h"

using namespace pvhgrub;
using namespace pvhgrub::protocol;

namespace {
const BootResult kWhole{"/run/boot_kernel.a", "/run/boot_ramdisk.b", "root=/dev/xvda1 ro"};
}

TEST_CASE("simple0 separates by NUL and ends with an empty item") {
  using namespace std::string_literals;
  CHECK(*format_boot_result(kWhole, ResultFormat::kSimple0) ==
        "kernel /run/boot_kernel.a\0ramdisk /run/boot_ramdisk.b\0args root=/dev/xvda1 ro\0\0"s);
}

TEST_CASE("simple separates by line breaks and ends with an empty line") {
  CHECK(*format_boot_result(kWhole, ResultFormat::kSimple) ==
        "kernel /run/boot_kernel.a\nramdisk /run/boot_ramdisk.b\nargs root=/dev/xvda1 ro\n\n");
}

TEST_CASE("a missing ramdisk and an empty command line are left out, as pygrub does") {
  CHECK(*format_boot_result({"/k", std::nullopt, ""}, ResultFormat::kSimple) == "kernel /k\n\n");
  CHECK(*format_boot_result({"/k", std::nullopt, ""}, ResultFormat::kSxp) == "linux (kernel '/k')");
}

TEST_CASE("sxp quotes as Python's repr does") {
  CHECK(*format_boot_result({"/k", "/r", "a='b' \\ \n\x01"}, ResultFormat::kSxp) ==
        "linux (kernel '/k')(ramdisk '/r')(args \"a='b' \\\\ \\n\\x01\")");
  CHECK(*format_boot_result({"/k", std::nullopt, "'\""}, ResultFormat::kSxp) ==
        "linux (kernel '/k')(args '\\'\"')");
}

TEST_CASE("json holds the same three values") {
  const auto object = nlohmann::json::parse(*format_boot_result(kWhole, ResultFormat::kJson));
  CHECK(object["kernel"] == "/run/boot_kernel.a");
  CHECK(object["ramdisk"] == "/run/boot_ramdisk.b");
  CHECK(object["args"] == "root=/dev/xvda1 ro");
  CHECK(nlohmann::json::parse(*format_boot_result({"/k", std::nullopt, ""}, ResultFormat::kJson))["ramdisk"]
            .is_null());
}

TEST_CASE("simple0-extended has libxl's keys first, and what is not told is left out") {
  using namespace std::string_literals;
  BootResult result = kWhole;
  result.details = BootDetails{"id",
                               "a \x1b title",
                               "shim",
                               "why",
                               "",
                               "/xen-shim",
                               "6.1",
                               "Linux",
                               {{"/k", 12, "ab"}, {"/r", 3, ""}}};
  CHECK(
      *format_boot_result(result, ResultFormat::kSimple0Extended) ==
      "kernel /run/boot_kernel.a\0ramdisk /run/boot_ramdisk.b\0args root=/dev/xvda1 ro\0entry-id id\0"
      "entry-title a \\x1b title\0boot shim\0shim /xen-shim\0kernel-version 6.1\0module /k\0module-size 12\0"
      "module-sha256 ab\0module /r\0module-size 3\0\0"s);
}

TEST_CASE("json tells how the choice is booted") {
  BootResult result = kWhole;
  result.details =
      BootDetails{"id", "title", "firmware", "why", "/OVMF.fd", "", "", "OVMF", {{"/k", 12, "ab"}}};
  const auto object = nlohmann::json::parse(*format_boot_result(result, ResultFormat::kJson));
  CHECK(object["entry"]["title"] == "title");
  CHECK(object["boot"] == "firmware");
  CHECK(object["firmware"] == "/OVMF.fd");
  CHECK(object["shim"].is_null());
  CHECK(object["modules"][0]["size"] == 12);
  CHECK(object["modules"][0]["sha256"] == "ab");
}

TEST_CASE("a delimiter inside a value is refused") {
  CHECK_FALSE(format_boot_result({"/k", std::nullopt, "a\nkernel /etc/shadow"}, ResultFormat::kSimple));
  CHECK_FALSE(format_boot_result({"/k", std::nullopt, std::string("a\0b", 3)}, ResultFormat::kSimple0));
  CHECK(format_boot_result({"/k", std::nullopt, "a\nb"}, ResultFormat::kSimple0));
}

TEST_CASE("a command line of 8186 bytes passes and one more is refused as a limit") {
  CHECK(format_boot_result({"/k", std::nullopt, std::string(8186, 'a')}, ResultFormat::kSimple0));
  const auto refused =
      format_boot_result({"/k", std::nullopt, std::string(8187, 'a')}, ResultFormat::kSimple0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimit);
}

TEST_CASE("an unknown format name is a usage error") {
  CHECK(*parse_result_format("json") == ResultFormat::kJson);
  CHECK(parse_result_format("xml").error().code == ErrorCode::kUsage);
}
