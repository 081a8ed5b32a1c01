// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/options.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/volume_limits.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;

namespace {

Result<std::variant<Options, InformationText>> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "pvhgrub");
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), HostConfiguration());
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

TEST_CASE("more disks follow the first, those of --disk the others") {
  const Options parsed = options({"--disk=c", "a", "--quiet", "b", "--disk", "d"});
  CHECK(parsed.disk == "a");
  CHECK(parsed.disks() == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(options({"--disk=a", "--disk=b"}).disks() == std::vector<std::string>{"a", "b"});
  CHECK(options({"--disk=a"}).disk == "a");
  CHECK(options({"--isconfig", "a"}).disks().empty());
  check_usage({"--isconfig", "a", "b"});
  check_usage({"--isconfig", "a", "--disk=b"});
  check_usage({"a", "--disk"});
  CHECK(options(std::vector<const char*>(limits::kDisks, "a")).disks().size() == limits::kDisks);
  check_usage(std::vector<const char*>(limits::kDisks + 1, "a"));
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

TEST_CASE("the appliance is never used unless somebody says so, and not with --offset") {
  CHECK(options({"disk"}).appliance == AppliancePolicy::kNever);
  CHECK(options({"--appliance=auto", "disk"}).appliance == AppliancePolicy::kAuto);
  CHECK(options({"--appliance=always", "disk"}).appliance == AppliancePolicy::kAlways);
  CHECK(options({"--appliance=always", "--appliance=never", "disk"}).appliance == AppliancePolicy::kNever);
  check_usage({"--appliance=yes", "disk"});
  check_usage({"--appliance=", "disk"});
  check_usage({"--appliance=always", "--offset=512", "disk"});
}

TEST_CASE("the options of the boot decision are understood") {
  const Options parsed = options({"--boot=shim", "--guest-type=pv", "--firmware=/fw", "--shim=/s",
                                  "--kernel-format=as-is", "--sha256", "--output-format=json", "--module=/a",
                                  "--module=/seed", "--module-as=initrd:/x/seed", "/disk"});
  CHECK(parsed.boot == protocol::BootRequest::kShim);
  CHECK(parsed.guest_type == protocol::GuestType::kPv);
  CHECK(parsed.firmware == "/fw");
  CHECK(parsed.shim == "/s");
  CHECK(parsed.kernel_format == protocol::KernelFormat::kAsIs);
  CHECK(parsed.sha256);
  REQUIRE(parsed.modules.size() == 2);
  CHECK(parsed.modules[0].ramdisk_name.empty());
  CHECK(parsed.modules[1].ramdisk_name == "x/seed");
  CHECK(options({"--inspect", "/disk"}).inspect);
}

TEST_CASE("boot options that cannot be are usage errors") {
  check_usage({"--boot=uefi", "/disk"});
  check_usage({"--guest-type=hvm", "/disk"});
  check_usage({"--firmware=bios", "/disk"});
  check_usage({"--firmware=hvmloader", "/disk"});
  check_usage({"--module-as=raw", "/disk"});
  check_usage({"--module=/a", "--module-as=cpio", "--output-format=json", "/disk"});
  check_usage({"--module=/a", "--module-as=initrd:", "/disk"});
  check_usage({"--module=/a", "--output-format=simple0", "/disk"});
  check_usage({"--inspect", "--list-entries", "/disk"});
}

TEST_CASE("what the host's configuration sets counts unless the command line may and does say otherwise") {
  HostConfiguration host;
  host.path = "/etc/pvhgrub.conf";
  host.options = {{"boot", OptionKind::kText, "direct", 2}, {"deadline", OptionKind::kNumber, "7", 3}};
  host.overrides = std::vector<std::string>{"boot"};
  host.kernel_bytes = 5;
  const std::vector<const char*> words = {"pvhgrub", "/disk"};
  const auto plain = parse_options(2, words.data(), host);
  REQUIRE(plain);
  CHECK(std::get<Options>(*plain).boot == protocol::BootRequest::kDirect);
  CHECK(std::get<Options>(*plain).deadline_milliseconds == 7000);
  CHECK(std::get<Options>(*plain).kernel_limit == 5);
  const std::vector<const char*> allowed = {"pvhgrub", "--boot=auto", "/disk"};
  const auto overridden = parse_options(3, allowed.data(), host);
  REQUIRE(overridden);
  CHECK(std::get<Options>(*overridden).boot == protocol::BootRequest::kAuto);
  const std::vector<const char*> forbidden = {"pvhgrub", "--deadline=9", "/disk"};
  const auto refused = parse_options(3, forbidden.data(), host);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUsage);
}

TEST_CASE("every option that the host's configuration may set is one of the command line") {
  for (const ConfigurableOption& option : configurable_options()) {
    HostConfiguration host;
    const std::string value = option.name == "boot"              ? "auto"
                              : option.name == "appliance"       ? "never"
                              : option.name == "guest-type"      ? "pvh"
                              : option.name == "kernel-format"   ? "elf"
                              : option.name == "grubenv"         ? "read"
                              : option.name == "source"          ? "grub"
                              : option.kind == OptionKind::kFlag ? "true"
                                                                 : "5";
    host.options = {{std::string(option.name), option.kind, value, 1}};
    INFO(option.name);
    CHECK(options_of_host(host));
  }
}

TEST_CASE("a wrong value in the host's configuration is told with its line") {
  HostConfiguration host;
  host.path = "/etc/pvhgrub.conf";
  host.options = {{"boot", OptionKind::kText, "sometimes", 4}};
  const auto refused = options_of_host(host);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().where, Catch::Contains("/etc/pvhgrub.conf:4"));
}
