// SPDX-License-Identifier: LGPL-2.1-or-later
// What `ls` prints. Where grub-emu 2.06 says more (a file system's last change, a partition's start), that is
// left out here.
#include "grubcfg/directory_listing.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

struct Guest {
  Guest() {
    devices.add_without_file_system("hd0");
    test::MemoryFileSystem& root = devices.add("hd0,gpt1", "aaaa-bbbb", "ROOT");
    devices.add_without_file_system("hd0,gpt2");
    devices.add_without_file_system("hd0,gpt3", ErrorCode::kDamaged);
    root.add("/boot/grub/grub.cfg", "true\n", 1'600'000'000);
    root.add("/boot/vmlinuz", std::string(12'345, 'x'), 1'600'000'000);
    root.add("/boot/.hidden", "h", 1'600'000'000)
        .add("/boot/it is", std::string(1024, 'x'), -1)
        .add_link("/boot/link");
    devices.device_named("hd0,gpt1").size = 8U << 20U;
  }
  std::string run(const std::string& script) {
    diagnostics.output.clear();
    REQUIRE(evaluate_script(script, "s", &devices, {}, budget, diagnostics).has_value());
    return diagnostics.output;
  }
  MemoryDevices devices;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
};

}  // namespace

TEST_CASE("ls lists devices, and tells what is on them", "[ls]") {
  Guest guest;
  CHECK(guest.run("ls") == "(hd0) (hd0,gpt3) (hd0,gpt2) (hd0,gpt1) \n");
  const std::string root =
      "\tPartition hd0,gpt1: Filesystem type ext* - Label `ROOT' - UUID aaaa-bbbb - Total size 8192KiB\n";
  CHECK(guest.run("ls (hd0,gpt1)") == root);
  CHECK(guest.run("ls (hd0,gpt2)") ==
        "\tPartition hd0,gpt2: No known filesystem detected - Total size 0KiB\n");
  CHECK(guest.run("ls -l") ==
        "Device hd0: No known filesystem detected - Total size 0KiB\n"
        "\tPartition hd0,gpt3: Filesystem cannot be read - Total size 0KiB\n"
        "\tPartition hd0,gpt2: No known filesystem detected - Total size 0KiB\n" +
            root);
  CHECK(guest.run("ls (hd9)").empty());
  CHECK(guest.diagnostics.has_notice("disk `hd9' not found"));
}

TEST_CASE("ls lists a directory as grub-emu does", "[ls]") {
  Guest guest;
  CHECK(guest.run("ls /") == "boot/ \n");
  CHECK(guest.run("ls /boot") == "it is vmlinuz grub/ link \n");
  CHECK(guest.run("ls -a (hd0,gpt1)/boot/") == ".hidden it is vmlinuz grub/ link \n");
  CHECK(guest.run("ls /boot/vmlinuz") == "vmlinuz \n");
  CHECK(guest.run("ls / /boot/vmlinuz") == "boot/ \nvmlinuz \n");
  CHECK(guest.run("ls -l /boot") ==
        "1024         19691231235959 it is\n12345        20200913122640 vmlinuz\nDIR          19700101000000 "
        "grub/\n\n");
  CHECK(guest.run("ls -lh /boot/vmlinuz") == "12.06K       2020-09-13 12:26:40 Sunday      vmlinuz\n");
  CHECK(guest.run("ls -lh '/boot/it is'") == "1K           1969-12-31 23:59:59 Wednesday   it is\n");
}

TEST_CASE("ls tells what is not there", "[ls]") {
  Guest guest;
  CHECK(guest.run("ls /nosuch; echo $?") == "5\n");
  CHECK(guest.diagnostics.has_notice("error: file `/nosuch' not found."));
  CHECK(guest.run("ls boot; echo $?") == "7\n");
  CHECK(guest.diagnostics.has_notice("error: invalid file name `boot'."));
  CHECK(guest.run("ls (hd0,gpt2)/; echo $?") == "8\n");
}

TEST_CASE("Sizes and dates of hostile files are no trouble", "[ls]") {
  Guest guest;
  test::MemoryFileSystem& other = guest.devices.add("hd1");
  other.add("/late", "x", std::numeric_limits<std::int64_t>::max());
  other.add("/early", "x", std::numeric_limits<std::int64_t>::min());
  other.add("/last", "x", 253'402'300'799);
  CHECK(guest.run("ls -l (hd1)/") ==
        "1                           early\n1            99991231235959 last\n1                           "
        "late\n\n");
}

TEST_CASE("Of a directory of 100,000 files the sizes of the first are told", "[ls]") {
  Guest guest;
  test::MemoryFileSystem& other = guest.devices.add("hd1");
  for (int i = 0; i < 100'000; ++i) other.add("/f" + std::to_string(i));
  const std::string text = guest.run("ls -l (hd1)/");
  CHECK(std::ranges::count(text, '\n') == 1002);
  CHECK(text.find("... 99000 more") != std::string::npos);
  CHECK(guest.run("ls (hd1)/").size() > 600'000);
}
