// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/options.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace pvhgrub;
using namespace pvhgrub::broker;

namespace {

Result<std::variant<Options, InformationText>> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "pvhgrub");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

Options options(std::vector<const char*> arguments) {
  const auto parsed = parse(std::move(arguments));
  REQUIRE(parsed);
  return std::get<Options>(*parsed);
}

void check_usage(std::vector<const char*> arguments) {
  const auto parsed = parse(std::move(arguments));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::kUsage);
}

}  // namespace

TEST_CASE("libxl's call is understood") {
  const Options parsed = options({"--args=root=/dev/xvda1 ro", "--runas=1000", "--quiet", "--output=/o",
                                  "--output-format=simple0", "--output-directory=/d", "/dev/xvda"});
  CHECK(parsed.arguments == "root=/dev/xvda1 ro");
  CHECK(parsed.run_as == uid_t{1000});
  CHECK(parsed.quiet);
  CHECK(parsed.output == "/o");
  CHECK(parsed.output_format == protocol::ResultFormat::kSimple0);
  CHECK(parsed.output_directory == "/d");
  CHECK(parsed.disk == "/dev/xvda");
}

TEST_CASE("pygrub's short options may be joined and stand behind the disk") {
  const Options parsed = options({"disk", "-qln"});
  CHECK(parsed.quiet);
  CHECK(parsed.list_entries);
  CHECK(parsed.not_really);
}

TEST_CASE("values may be empty, begin with a dash, or hold anything") {
  CHECK(options({"--args=", "disk"}).arguments.empty());
  CHECK(options({"--args=--x -y", "disk"}).arguments == "--x -y");
  CHECK(options({"--args", "a b", "disk"}).arguments == "a b");
  CHECK(options({"--args=[a,b]{c}%d\"e'", "disk"}).arguments == "[a,b]{c}%d\"e'");
  CHECK(options({"--entry=-1", "disk"}).entry == "-1");
  CHECK(options({"--kernel=", "disk"}).kernel == std::nullopt);
}

TEST_CASE("the last of an option given twice counts") {
  CHECK(options({"--args=a", "--args=b", "disk"}).arguments == "b");
  CHECK(options({"-q", "-q", "disk"}).quiet);
}

TEST_CASE("empty arguments are passed over") {
  CHECK(options({"", "disk", ""}).disk == "disk");
}

TEST_CASE("what cannot be meant is a usage error") {
  check_usage({});
  check_usage({"--nonsense", "disk"});
  check_usage({"disk", "another"});
  check_usage({"--runas=0", "disk"});
  check_usage({"--runas=-1", "disk"});
  check_usage({"--runas=root", "disk"});
  check_usage({"--offset=-1", "disk"});
  check_usage({"--output-format=xml", "disk"});
  check_usage({"--isconfig", "--kernel=/k", "file"});
  check_usage({"--eval=x", "-l", "disk"});
  check_usage({"--deadline=99999999999", "disk"});
}

TEST_CASE("help and version are texts to print") {
  CHECK(std::get<InformationText>(*parse({"--help"})).text.find("--output-directory") != std::string::npos);
  CHECK(std::get<InformationText>(*parse({"--version"})).text.starts_with("pvhgrub "));
}

TEST_CASE("reports and evaluations need no disk") {
  CHECK(options({"--sandbox-report"}).disk.empty());
  CHECK(options({"--eval=-"}).evaluate == "-");
}

TEST_CASE("the deadline is 120 seconds unless it is given, and 0 is none") {
  CHECK(options({"disk"}).deadline_milliseconds == 120'000);
  CHECK(options({"--deadline=7", "disk"}).deadline_milliseconds == 7'000);
  CHECK(options({"--deadline=0", "disk"}).deadline_milliseconds == 0);
}
