// SPDX-License-Identifier: LGPL-2.1-or-later
// Whose GRUB a guest has, and what differs by it.
#include "grubcfg/grub_flavour.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// What becomes of \xHH in a kernel's arguments, and which entry `default=1` means where one is called so.
struct Outcome {
  std::string line;
  std::size_t default_index = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

const Outcome kUpstream{"x20b a\\\\x20b c*d", 1};
const Outcome kRedHat{"\\x20b a\\x20b c*d", 2};
const Outcome kAzure{"\\x20b a\\x20b c*d", 1};

Outcome outcome(const std::string& path, const std::string& os_release, const std::string& more = {},
                const std::string& arguments = {}) {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  MemoryDevices devices;
  test::MemoryFileSystem& files = devices.add("hd0,gpt2");
  files.add("/vmlinuz")
      .add(path, more + "default=1\nmenuentry kernel {\nlinux /vmlinuz \\x20b 'a\\x20b' c\\*d" + arguments +
                     "\n}\nmenuentry zero { true; }\nmenuentry one --id 1 { true; }\n");
  if (!os_release.empty()) files.add("/etc/os-release", os_release);
  const auto menu = load_configuration(devices, {"grub2", "hd0,gpt2", path}, {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  const auto kernel = std::ranges::find((*menu)->entries(), "kernel", &MenuEntry::title);
  const auto entry = (*menu)->evaluate(static_cast<std::size_t>(kernel - (*menu)->entries().begin()));
  REQUIRE(entry.has_value());
  const std::string prefix = "BOOT_IMAGE=/vmlinuz ";
  REQUIRE(entry->command_line.starts_with(prefix));
  std::string line = entry->command_line.substr(prefix.size());
  return {line.substr(0, line.size() - arguments.size()), (*menu)->default_index()};
}

constexpr const char* kPlainPath = "/boot/grub/grub.cfg";
constexpr const char* kGrub2Path = "/boot/grub2/grub.cfg";

}  // namespace

TEST_CASE("os-release tells whose GRUB it is, whatever the path") {
  CHECK(outcome(kPlainPath, "NAME=Debian\nID=debian\n") == kUpstream);
  CHECK(outcome(kGrub2Path, "ID=debian\n") == kUpstream);
  CHECK(outcome(kPlainPath, "NAME=Fedora\nID=fedora\n") == kRedHat);
  CHECK(outcome(kGrub2Path, "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n") == kUpstream);
  CHECK(outcome(kPlainPath, "ID='myspin'\nID_LIKE='nosuch centos rhel fedora'\n") == kRedHat);
  CHECK(outcome(kPlainPath, "ID=\"amzn\"\nID_LIKE=\"fedora\"\n") == kRedHat);
  CHECK(outcome(kGrub2Path, "ID=azurelinux\n") == kAzure);
  CHECK(outcome(kGrub2Path, "ID=void\n") == kUpstream);
  CHECK(outcome(kGrub2Path, "garbage without any key\n") == kUpstream);
}

TEST_CASE("On a file system of its own /boot tells by its directory") {
  CHECK(outcome("/grub2/grub.cfg", "") == kRedHat);
  CHECK(outcome("/grub/grub.cfg", "") == kUpstream);
  CHECK(outcome(kPlainPath, "") == kUpstream);
}

TEST_CASE("On the EFI system partition the vendor tells") {
  CHECK(outcome("/EFI/fedora/grub.cfg", "") == kRedHat);
  CHECK(outcome("/efi/CentOS/grub.cfg", "") == kRedHat);
  CHECK(outcome("/EFI/debian/grub.cfg", "") == kUpstream);
  CHECK(outcome("/EFI/opensuse/grub.cfg", "") == kUpstream);
  CHECK(outcome("/EFI/BOOT/grub.cfg", "") == kUpstream);
}

TEST_CASE("Commands that only one GRUB has tell") {
  CHECK(outcome(kPlainPath, "", "set n=1\nincrement n\n") == kRedHat);
  CHECK(outcome("/grub2/grub.cfg", "", "hiddenentry x { true; }\n").line == kUpstream.line);
  CHECK(outcome(kPlainPath, "ID=debian\n", "set n=1\nincrement n\n") == kUpstream);
}

TEST_CASE("Arguments of Red Hat's media tell") {
  CHECK(outcome("/EFI/BOOT/grub.cfg", "", "", " inst.stage2=hd:LABEL=X").line == kRedHat.line);
  CHECK(outcome("/boot/grub/grub.cfg", "", "", " root=live:CDLABEL=X rd.live.image").line == kRedHat.line);
  CHECK(outcome("/boot/grub/grub.cfg", "", "", " boot=casper").line == kUpstream.line);
}

TEST_CASE("Escapes are nothing but text to commands that load no kernel") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  MemoryDevices devices;
  devices.add("hd0").add("/grub2/grub.cfg");
  REQUIRE(evaluate_script("echo \\x20 '\\x20' \"\\x20\"\n", "s", &devices, {}, budget, diagnostics));
  CHECK(diagnostics.output == "x20 \\x20 \\x20\n");
}
