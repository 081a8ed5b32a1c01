// SPDX-License-Identifier: LGPL-2.1-or-later
// What the cases of system_cases_test.cc do not show: limits, and lone parts.
#include <catch2/catch.hpp>

#include "base/limits.h"
#include "grubcfg/freebsd_environment.h"
#include "grubcfg/freebsd_menu.h"
#include "grubcfg/freebsd_settings.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

struct Fixture {
  MemoryDevices devices;
  test::MemoryFileSystem& root = devices.add("hd0,gpt2");
  GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;

  MenuContext context() { return {&devices, settings, budget, diagnostics}; }
  FreebsdSettings read() {
    auto read = read_freebsd_settings(context(), "hd0,gpt2");
    REQUIRE(read.has_value());
    return *read;
  }
};

}  // namespace

TEST_CASE("Boot flags become the variables that FreeBSD's kernel reads them from", "[freebsd]") {
  FreebsdSettings settings;
  apply_freebsd_boot_options("1:ad(0,a)/boot/loader -aCdDg\n-hmprsv -P -Sv hw.x=1 =2 -n", settings);
  CHECK(settings.variables == std::map<std::string, std::string>{{"boot_askname", "YES"},
                                                                 {"boot_cdrom", "YES"},
                                                                 {"boot_ddb", "YES"},
                                                                 {"boot_dfltroot", "YES"},
                                                                 {"boot_gdb", "YES"},
                                                                 {"boot_multicons", "YES"},
                                                                 {"boot_mute", "YES"},
                                                                 {"boot_pause", "YES"},
                                                                 {"boot_serial", "YES"},
                                                                 {"boot_single", "YES"},
                                                                 {"boot_verbose", "YES"},
                                                                 {"hw.x", "1"}});
  FreebsdSettings none;
  apply_freebsd_boot_options("", none);
  apply_freebsd_boot_options("-", none);
  CHECK(none.variables.empty());
}

TEST_CASE("The kernel's environment stays within its page, and what boots comes first", "[freebsd]") {
  FreebsdSettings settings;
  for (int i = 0; i < 100; ++i) settings.variables["a.v" + std::to_string(i)] = std::string(100, 'x');
  settings.variables["z.long"] = std::string(300, 'x');
  settings.variables["boot_verbose"] = "YES";
  settings.variables["vfs.root.mountfrom"] = "ufs:/dev/ada0p2";
  const FreebsdCommandLine line = freebsd_command_line(settings);
  CHECK(line.text.starts_with("vfs.root.mountfrom=ufs:/dev/ada0p2,boot_verbose=YES,a.v0="));
  CHECK(line.text.size() < limits::kFreebsdEnvironmentBytes);
  CHECK(line.text.size() > limits::kFreebsdEnvironmentBytes - 256);
  REQUIRE(line.notices.size() == 1);
  CHECK(line.notices.front().find("too long for the kernel's first environment") == 0);
  CHECK(line.notices.front().find("more") != std::string::npos);
}

TEST_CASE("fstab gives the root only where loader.conf does not, and lines of too few fields are none",
          "[freebsd]") {
  Fixture fixture;
  fixture.root.add("/etc/fstab",
                   "#/dev/a / ufs rw 1 1\n/dev/b / ufs\n /dev/c / ufs rw\n/dev/d /usr ufs rw\n\n"
                   "/dev/e\t/\tzfs\tnoatime,ro\t0 0\n/dev/f / ufs rw 1 1\n");
  FreebsdSettings settings = fixture.read();
  CHECK(settings.get("vfs.root.mountfrom") == "zfs:/dev/e");
  CHECK(freebsd_command_line(settings).text.starts_with(
      "vfs.root.mountfrom=zfs:/dev/e,vfs.root.mountfrom.options=ro"));
  fixture.root.add("/boot/loader.conf", "vfs.root.mountfrom=\"ufs:/dev/g\"\n");
  settings = fixture.read();
  CHECK(settings.get("vfs.root.mountfrom") == "ufs:/dev/g");
  CHECK_FALSE(settings.has("vfs.root.mountfrom.options"));
}

TEST_CASE("Settings that feed on themselves end within the limits", "[freebsd]") {
  Fixture fixture;
  std::string text = "a=\"xxxxxxxxxxxxxxxx\"\n";
  for (int i = 0; i < 30; ++i) text += "a=\"$a$a\"\n";
  for (int i = 0; i < 5000; ++i) text += "v" + std::to_string(i) + "=\"$a\"\n";
  fixture.root.add("/boot/loader.conf", text);
  const FreebsdSettings settings = fixture.read();
  CHECK(settings.get("a").size() == limits::kFreebsdEnvironmentBytes);
  CHECK(settings.variables.size() == limits::kFreebsdVariables);
  CHECK(fixture.diagnostics.has_notice("a value of more than 4096 bytes"));
  CHECK(fixture.diagnostics.has_notice("more than 4096 variables"));
}

TEST_CASE("Files that name one another are read once each, and more than a limit of them is one",
          "[freebsd]") {
  Fixture fixture;
  fixture.root.add("/boot/loader.conf", "loader_conf_files=\"/boot/loader.conf /a /a /b\"\nx=1\n")
      .add("/a", "loader_conf_files=\"/b /boot/loader.conf\"\ny=\"${x}a\"\n")
      .add("/b", "y=\"${y}b\"\n");
  CHECK(fixture.read().get("y") == "1ab");
  std::string many = "loader_conf_files=\"";
  for (int i = 0; i < 300; ++i) many += "/n" + std::to_string(i) + " ";
  fixture.root.add("/b", many + "\"\n");
  const auto read = read_freebsd_settings(fixture.context(), "hd0,gpt2");
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == ErrorCode::kLimit);
}

TEST_CASE("A file of settings that is too large is left out with a notice", "[freebsd]") {
  Fixture fixture;
  fixture.root.add("/boot/loader.conf", std::string(limits::kLoaderFileBytes + 1, '#'));
  CHECK(fixture.read().has("kernels_autodetect"));
  CHECK(fixture.diagnostics.has_notice("(hd0,gpt2)/boot/loader.conf: it has"));
}

TEST_CASE("Names and values longer than the kernel's environment takes are left out", "[freebsd]") {
  Fixture fixture;
  fixture.root.add("/boot/loader.conf", std::string(129, 'n') + "=1\n" + std::string(128, 'm') + "=1\n" +
                                            "long_load=\"" + std::string(4097, 'x') + "\"\n");
  const FreebsdSettings settings = fixture.read();
  CHECK_FALSE(settings.has(std::string(129, 'n')));
  CHECK(settings.has(std::string(128, 'm')));
  CHECK(settings.modules.empty());
  CHECK(fixture.diagnostics.has_notice("loader.conf:1: a name of more than 128 bytes"));
  CHECK(fixture.diagnostics.has_notice("loader.conf:3: a value of more than 4096 bytes"));
}

TEST_CASE("A thousand kernels make a menu within the limit, at once", "[freebsd]") {
  Fixture fixture;
  fixture.root.add("/boot/kernel/kernel");
  for (int i = 0; i < 1000; ++i) fixture.root.add("/boot/k" + std::to_string(i) + "/kernel");
  const auto menu = load_freebsd_menu(fixture.context(), {"freebsd", "hd0,gpt2", "/boot/loader.conf"});
  REQUIRE(menu.has_value());
  CHECK((*menu)->entries().size() == limits::kFreebsdKernels + 1);
}
