// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/host_configuration.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/src/broker/temporary_directory.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

Result<HostConfiguration> load(const TemporaryDirectory& folder, const std::string& text) {
  const std::string path = folder.write("pvhgrub.conf", text);
  REQUIRE(chmod(path.c_str(), 0644) == 0);
  return load_host_configuration(path, true);
}

// The error that `text` gives, which is one of usage, at `line`.
std::string refusal(const std::string& text, unsigned line) {
  const TemporaryDirectory folder;
  const auto configuration = load(folder, text);
  CAPTURE(text);
  REQUIRE_FALSE(configuration);
  CHECK(configuration.error().code == ErrorCode::kUsage);
  CHECK_THAT(configuration.error().where, EndsWith("/pvhgrub.conf:" + std::to_string(line)));
  return configuration.error().message;
}

class EnvironmentVariable {
 public:
  explicit EnvironmentVariable(const char* value) { setenv("PVHGRUB_CONFIGURATION", value, 1); }
  ~EnvironmentVariable() { unsetenv("PVHGRUB_CONFIGURATION"); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;
};

}  // namespace

TEST_CASE("without a file the defaults hold, unless it must exist") {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/none";
  const auto defaults = load_host_configuration(path, false);
  REQUIRE(defaults);
  CHECK(defaults->path.empty());
  CHECK(defaults->as_arguments().empty());
  CHECK(defaults->may_override("boot"));
  CHECK(defaults->kernel_bytes == limits::kKernelBytes);
  CHECK(defaults->ramdisk_bytes == limits::kRamdiskBytes);
  CHECK(defaults->firmware.empty());
  const auto missing = load_host_configuration(path, true);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kIo);
  CHECK(missing.error().system_errno == ENOENT);
}

TEST_CASE("options become words of a command line in the order of the file") {
  const TemporaryDirectory folder;
  const auto configuration = load(folder,
                                  "[options]\n"
                                  "source = \"bls\"\n"
                                  "sha256 = true\n"
                                  "boot = \"auto\"\n"
                                  "boot-hypervisor = false\n"
                                  "deadline = 60\n"
                                  "grubenv = 'write'\n");
  REQUIRE(configuration);
  CHECK(configuration->as_arguments() == std::vector<std::string>{"--source=bls", "--sha256", "--boot=auto",
                                                                  "--deadline=60", "--grubenv=write"});
  const HostOption* deadline = configuration->find_option("deadline");
  REQUIRE(deadline != nullptr);
  CHECK(deadline->line == 6);
  CHECK(configuration->place_of(*deadline) == configuration->path + ":6");
  CHECK(configuration->find_option("boot-hypervisor")->value == "false");
  CHECK(configuration->find_option("explain") == nullptr);
}

TEST_CASE("options in one inline table keep their order too") {
  const TemporaryDirectory folder;
  const auto configuration = load(folder, "options = { source = \"grub\", boot = \"direct\" }\n");
  REQUIRE(configuration);
  CHECK(configuration->as_arguments() == std::vector<std::string>{"--source=grub", "--boot=direct"});
}

TEST_CASE("relative paths begin at the file's own directory, a firmware's name stays one") {
  const TemporaryDirectory folder;
  const auto configuration =
      load(folder,
           "[options]\nshim = \"xen-shim\"\nfirmware = \"fw/ovmf.bin\"\n"
           "[firmware]\nmine = [\"fw/mine.bin\", \"/abs/mine.bin\"]\nother = \"o.bin\"\n");
  REQUIRE(configuration);
  CHECK(configuration->find_option("shim")->value == folder.path() + "/xen-shim");
  CHECK(configuration->find_option("firmware")->value == folder.path() + "/fw/ovmf.bin");
  REQUIRE(configuration->firmware.size() == 2);
  CHECK(configuration->firmware[0].name == "mine");
  CHECK(configuration->firmware[0].paths ==
        std::vector<std::string>{folder.path() + "/fw/mine.bin", "/abs/mine.bin"});
  CHECK(configuration->firmware[1].paths == std::vector<std::string>{folder.path() + "/o.bin"});
  const auto named = load(folder, "[options]\nfirmware = \"ovmf\"\n");
  REQUIRE(named);
  CHECK(named->find_option("firmware")->value == "ovmf");
}

TEST_CASE("the policy says which of the options that are set a command line may give") {
  const TemporaryDirectory folder;
  const auto configuration = load(folder,
                                  "[options]\nboot = \"auto\"\ngrubenv = \"read\"\n"
                                  "allow-landlock-only = false\n"
                                  "[policy]\noverrides = [\"boot\",\n  \"firmware\"]\n");
  REQUIRE(configuration);
  CHECK(configuration->may_override("boot"));
  CHECK(configuration->may_override("firmware"));
  CHECK_FALSE(configuration->may_override("grubenv"));
  CHECK(configuration->check_override("boot"));
  CHECK(configuration->check_override("explain"));  // not set here: nothing to override
  const auto refused = configuration->check_override("grubenv");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUsage);
  CHECK(refused.error().where == configuration->path + ":3");
  CHECK_THAT(refused.error().message, Contains("--grubenv"));
  CHECK_FALSE(configuration->check_override("allow-landlock-only"));  // a flag that is held off
  const auto none = load(folder, "[options]\nboot = \"auto\"\n[policy]\noverrides = []\n");
  REQUIRE(none);
  CHECK_FALSE(none->check_override("boot"));
}

TEST_CASE("limits are in MiB and within what the program can do") {
  const TemporaryDirectory folder;
  const auto configuration = load(folder, "[limits]\nkernel-mib = 1\nramdisk-mib = 4096\n");
  REQUIRE(configuration);
  CHECK(configuration->kernel_bytes == limits::kMiB);
  CHECK(configuration->ramdisk_bytes == 4 * limits::kGiB);
  CHECK_THAT(refusal("[limits]\nkernel-mib = 0\n", 2), Contains("from 1 to 1024"));
  CHECK_THAT(refusal("[limits]\nkernel-mib = 1025\n", 2), Contains("from 1 to 1024"));
  CHECK_THAT(refusal("[limits]\nkernel-mib = -9223372036854775808\n", 2), Contains("from 1 to 1024"));
  CHECK_THAT(refusal("[limits]\n\nramdisk-mib = 4097\n", 3), Contains("from 1 to 4096"));
  CHECK_THAT(refusal("[limits]\nramdisk-mib = 9223372036854775807\n", 2), Contains("from 1 to 4096"));
}

TEST_CASE("what is not known is told with its line and the known names") {
  CHECK_THAT(refusal("\n[option]\n", 2), Contains("[options], [policy], [limits], [firmware]"));
  CHECK_THAT(refusal("boot = \"auto\"\n", 1), Contains("[options]"));
  CHECK_THAT(refusal("options = 1\n", 1), Contains("[options], not a whole number"));
  CHECK_THAT(refusal("[[options]]\nboot = \"auto\"\n", 1), Contains("not an array"));
  CHECK_THAT(refusal("[options]\nboot = \"auto\"\noutput = \"/etc/x\"\n", 3),
             Contains("boot, boot-hypervisor"));
  CHECK_THAT(refusal("[policy]\noverride = []\n", 2), Contains("overrides"));
  CHECK_THAT(refusal("[policy]\noverrides = [\n\"boot\",\n\"bot\"]\n", 4), Contains("'bot'"));
  CHECK_THAT(refusal("[limits]\nkernel = 5\n", 2), Contains("kernel-mib, ramdisk-mib"));
}

TEST_CASE("what is of the wrong type is told") {
  CHECK_THAT(refusal("[options]\nboot = 1\n", 2), Contains("a string in quotes, not a whole number"));
  CHECK_THAT(refusal("[options]\ndeadline = \"60\"\n", 2), Contains("a whole number, not a string"));
  CHECK_THAT(refusal("[options]\ndeadline = 1.5\n", 2), Contains("fraction"));
  CHECK_THAT(refusal("[options]\ndeadline = -1\n", 2), Contains("0 or more"));
  CHECK_THAT(refusal("[options]\nsha256 = \"true\"\n", 2), Contains("true or false, not a string"));
  CHECK_THAT(refusal("[options]\nboot.direct = true\n", 2), Contains("not a table"));
  CHECK_THAT(refusal("[options]\nboot = 1979-05-27\n", 2), Contains("not a date or time"));
  CHECK_THAT(refusal("[policy]\noverrides = \"boot\"\n", 2), Contains("an array"));
  CHECK_THAT(refusal("[policy]\noverrides = [1]\n", 2), Contains("a string"));
  CHECK_THAT(refusal("[limits]\nkernel-mib = \"5\"\n", 2), Contains("a whole number"));
  CHECK_THAT(refusal("[firmware]\nmine = 1\n", 2), Contains("a path in quotes"));
  CHECK_THAT(refusal("[firmware]\nmine = [\"a\", 1]\n", 2), Contains("a path in quotes"));
}

TEST_CASE("text that could not be a word of a command line is refused") {
  CHECK_THAT(refusal("[options]\nboot = \"\"\n", 2), Contains("empty"));
  CHECK_THAT(refusal("[options]\nboot = \"auto\\u0000\"\n", 2), Contains("control character"));
  CHECK_THAT(refusal("[options]\nshim = \"a\\nb\"\n", 2), Contains("control character"));
  CHECK_THAT(refusal("[firmware]\nmine = \"\"\n", 2), Contains("empty"));
  CHECK_THAT(refusal("[firmware]\nmine = []\n", 2), Contains("names no file"));
}

TEST_CASE("firmware that no PVH domain can start is refused wherever it is named") {
  CHECK_THAT(refusal("[options]\nfirmware = \"uefi\"\n", 2), Contains("ovmf"));
  CHECK_THAT(refusal("[options]\nfirmware = \"/usr/lib/xen/boot/hvmloader\"\n", 2), Contains("no PVH entry"));
  CHECK_THAT(refusal("[firmware]\nbios = \"/a\"\n", 2), Contains("ovmf"));
  CHECK_THAT(refusal("[firmware]\nseabios = \"/a\"\n", 2), Contains("no PVH entry"));
  CHECK_THAT(refusal("[firmware]\nmine = \"seabios.bin\"\n", 2), Contains("no PVH entry"));
  CHECK_THAT(refusal("[firmware]\nMine = \"/a\"\n", 2), Contains("a-z"));
  CHECK_THAT(refusal("[firmware]\n\"a/b\" = \"/a\"\n", 2), Contains("a-z"));
  CHECK_THAT(refusal("[firmware]\n\"\" = \"/a\"\n", 2), Contains("a-z"));
}

TEST_CASE("what is not TOML is told with its line") {
  CHECK_FALSE(refusal("[options]\nboot =\n", 2).empty());
  CHECK_FALSE(refusal("[options]\nboot = \"auto\"\nboot = \"direct\"\n", 3).empty());
  CHECK_FALSE(refusal("[options]\nboot = \"\xff\"\n", 2).empty());
  const TemporaryDirectory folder;
  const auto nested = load(folder, "x = " + std::string(60'000, '['));
  REQUIRE_FALSE(nested);
  CHECK(nested.error().code == ErrorCode::kUsage);
}

TEST_CASE("an empty file holds the defaults") {
  const TemporaryDirectory folder;
  const auto configuration = load(folder, "");
  REQUIRE(configuration);
  CHECK(configuration->as_arguments().empty());
  CHECK_FALSE(configuration->path.empty());
}

TEST_CASE("a file of 64 KiB is read, a larger one is a limit") {
  const TemporaryDirectory folder;
  CHECK(load(folder, std::string(limits::kHostConfigurationBytes, '\n')));
  const auto larger = load(folder, std::string(limits::kHostConfigurationBytes + 1, '\n'));
  REQUIRE_FALSE(larger);
  CHECK(larger.error().code == ErrorCode::kLimit);
}

TEST_CASE("a file that others may write or own is not trusted") {
  const TemporaryDirectory folder;
  const std::string path = folder.write("pvhgrub.conf", "");
  for (const mode_t mode : {0664U, 0646U, 0666U}) {
    REQUIRE(chmod(path.c_str(), mode) == 0);
    const auto configuration = load_host_configuration(path, false);
    REQUIRE_FALSE(configuration);
    CHECK(configuration.error().code == ErrorCode::kUsage);
    CHECK_THAT(configuration.error().message, Contains("chmod"));
  }
  REQUIRE(chmod(path.c_str(), 0600) == 0);
  CHECK(load_host_configuration(path, false));
  if (geteuid() == 0) {
    REQUIRE(chown(path.c_str(), 12345, 12345) == 0);
    const auto configuration = load_host_configuration(path, false);
    REQUIRE_FALSE(configuration);
    CHECK(configuration.error().code == ErrorCode::kUsage);
    CHECK_THAT(configuration.error().message, Contains("12345"));
  }
}

TEST_CASE("what is no regular file is refused, and nothing waits for a pipe") {
  const TemporaryDirectory folder;
  const std::string pipe = folder.path() + "/pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(load_host_configuration(pipe, false).error().code == ErrorCode::kUsage);
  CHECK(load_host_configuration(folder.path(), false).error().code == ErrorCode::kUsage);
  CHECK(load_host_configuration("/dev/null", false).error().code == ErrorCode::kUsage);
}

TEST_CASE("an environment variable names another file, which must exist") {
  CHECK_THAT(host_configuration_path().path, EndsWith("/pvhgrub.conf"));
  CHECK_FALSE(host_configuration_path().must_exist);
  const EnvironmentVariable variable("/tmp/other.conf");
  CHECK(host_configuration_path().path == "/tmp/other.conf");
  CHECK(host_configuration_path().must_exist);
}

TEST_CASE("an empty environment variable counts as none") {
  const EnvironmentVariable variable("");
  CHECK_FALSE(host_configuration_path().must_exist);
}

TEST_CASE("configurable options stand in the order of the alphabet, each once") {
  const auto options = configurable_options();
  for (std::size_t i = 1; i < options.size(); ++i) CHECK(options[i - 1].name < options[i].name);
}

TEST_CASE("the example file gives the defaults") {
  const TemporaryDirectory folder;
  const auto configuration = load(folder, TemporaryDirectory::read(PVHGRUB_EXAMPLE_CONFIGURATION));
  REQUIRE(configuration);
  CHECK(configuration->options.empty());
  CHECK_FALSE(configuration->overrides.has_value());
  CHECK(configuration->kernel_bytes == limits::kKernelBytes);
  CHECK(configuration->ramdisk_bytes == limits::kRamdiskBytes);
  CHECK(configuration->firmware.empty());
}

TEST_CASE("the example file's commented lines show every option, and are right") {
  const TemporaryDirectory folder;
  std::istringstream example(TemporaryDirectory::read(PVHGRUB_EXAMPLE_CONFIGURATION));
  std::string text;
  for (std::string line; std::getline(example, line);) {
    // "#name = value" is a setting, "# words" is prose.
    const bool is_setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    text += (is_setting ? line.substr(1) : line) + "\n";
  }
  const auto configuration = load(folder, text);
  if (!configuration) FAIL(configuration.error().describe());
  for (const ConfigurableOption& option : configurable_options()) {
    CAPTURE(option.name);
    CHECK(configuration->find_option(option.name) != nullptr);
  }
  CHECK(configuration->options.size() == configurable_options().size());
  CHECK(configuration->overrides.has_value());
  CHECK(configuration->kernel_bytes == limits::kKernelBytes);
  CHECK(configuration->ramdisk_bytes == limits::kRamdiskBytes);
  CHECK(configuration->firmware.size() == 2);
  CHECK(configuration->find_option("deadline")->value ==
        std::to_string(limits::kDeadlineMilliseconds / 1000));
}
