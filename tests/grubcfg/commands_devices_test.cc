// SPDX-License-Identifier: LGPL-2.1-or-later
// loopback, cryptomount, gptprio.next, and searches of partitions.
#include <catch2/catch.hpp>

#include "base/limits.h"
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
    root = &devices.add("hd0,gpt2", "1111", "root");
    root->add("/boot/grub/grub.cfg").add("/one.img").add("/two.img").add("/small.gz", "\x1f\x8bzzzz");
    devices.add_image("hd0,gpt2", "/one.img", "", "ONE").add("/vmlinuz", "first").add("/deep.img");
    devices.add_image("hd0,gpt2", "/two.img", "gpt1", "TWO").add("/vmlinuz", "second");
    devices.add_image("loop0", "/deep.img", "", "DEEP").add("/vmlinuz", "third");
  }
  std::string run(const std::string& script) {
    diagnostics.output.clear();
    const auto status = evaluate_script(script, "s", &devices, {}, budget, diagnostics);
    REQUIRE(status.has_value());
    return diagnostics.output;
  }
  MemoryDevices devices;
  test::MemoryFileSystem* root = nullptr;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
};

}  // namespace

TEST_CASE("loopback makes a file a disk, and takes it away again") {
  Guest guest;
  CHECK(guest.run("loopback loop0 /one.img; echo $?; cat (loop0)/vmlinuz\n") == "0\nfirst\n");
  CHECK(
      guest.run("loopback loop0 /two.img; cat (loop0,gpt1)/vmlinuz; probe --partmap (loop0,gpt1); echo\n") ==
      "second\ngpt\n");
  CHECK(guest.run("loopback loop0 /one.img; loopback loop1 (loop0)/deep.img; cat (loop1)/vmlinuz\n") ==
        "third\n");
  CHECK(guest.run("loopback loop0 /one.img; loopback -d loop0; echo $?; cat (loop0)/vmlinuz; echo $?\n") ==
        "0\n12\n");
  CHECK(guest.run("loopback l /one.img; set root=l; cat /vmlinuz; loopback --delete l; cat /vmlinuz\n") ==
        "first\n");
}

TEST_CASE("loopback fails as GRUB's does") {
  Guest guest;
  CHECK(guest.run(
            "loopback; echo $?\nloopback a; echo $?\nloopback a /nosuch; echo $?\nloopback -d a; echo $?\n"
            "loopback a /boot; echo $?\nloopback a /one.img; loopback a /two.img; echo $?\n"
            "loopback a (hd7)/x; echo $?\n") == "18\n18\n5\n13\n4\n18\n18\n");
  CHECK(guest.run("loopback -D a /small.gz; echo $?; loopback a /small.gz; echo $?\n") == "24\n0\n");
  CHECK(guest.diagnostics.has_notice("(hd0,gpt2)/small.gz is compressed; decompress it in the guest"));
}

TEST_CASE("A disk of loopback's is found first, the newest before all") {
  Guest guest;
  CHECK(guest.run("loopback a /one.img; loopback b /two.img; ls; search --file /vmlinuz; echo\n"
                  "search --label --set=x ONE; echo $x; search -f -s y --hint b, /vmlinuz; echo $y\n") ==
        "(b) (b,gpt1) (a) (hd0) (hd0,gpt2) \n b,gpt1 a\na\nb,gpt1\n");
  CHECK(guest.run("loopback hd0,x /one.img; loopback hd0 /one.img; cat (hd0)/vmlinuz\nloopback -d hd0\n"
                  "cat (hd0,gpt2)/one.img\n") == "first\nx\n");
}

TEST_CASE("Two entries may call two files by one name") {
  Guest guest;
  guest.root->add("/boot/grub/grub.cfg",
                  "menuentry one { loopback loop0 /one.img; linux (loop0)/vmlinuz; }\n"
                  "menuentry two { loopback loop0 /two.img; set root=loop0,1; linux /vmlinuz; }\n"
                  "menuentry neither { linux (loop0)/vmlinuz; }\n"
                  "submenu more { loopback m /one.img; menuentry deep { linux (m)/vmlinuz; } }\n");
  const auto menu = load_configuration(guest.devices, {"grub2", "hd0,gpt2", "/boot/grub/grub.cfg"}, {},
                                       guest.budget, guest.diagnostics);
  REQUIRE(menu.has_value());
  const auto contents = [&](const BootEntry& entry) {
    const auto file = guest.devices.file_system(entry.kernel.device).value()->open(entry.kernel.path);
    return fs::read_whole_file(**file, "kernel", 100, guest.budget).value();
  };
  for (int round = 0; round < 2; ++round) {
    const auto one = (*menu)->evaluate(0);
    const auto two = (*menu)->evaluate(1);
    CHECK(contents(*one) == "first");
    CHECK(contents(*two) == "second");
    CHECK(one->kernel.device != two->kernel.device);
    CHECK((*menu)->evaluate(2)->error == "disk `loop0' not found");
  }
  const auto submenu = (*menu)->submenu(3);
  REQUIRE(submenu.has_value());
  CHECK(contents(*(*submenu)->evaluate(0)) == "first");
}

TEST_CASE("Without a disk a file is taken for one") {
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu = load_bare_configuration(
      "menuentry a { loopback loop0 /x.iso; linux (loop0)/v; initrd /i; }\n", "c", {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  const auto entry = (*menu)->evaluate(0);
  CHECK(entry->kernel == FileReference{"loop0", "/v"});
}

TEST_CASE("The number of disks made of files has an end") {
  Guest guest;
  std::string script;
  for (std::size_t i = 0; i <= limits::kLoopbackDisks; ++i)
    script += "loopback l" + std::to_string(i) + " /one.img\n";
  CHECK(guest.run(script + "echo $?\n") == "11\n");
}

TEST_CASE("cryptomount says what it does not do and why") {
  Guest guest;
  CHECK(guest.run("x=1; cryptomount -u 1234-5678; echo $? $x\ncryptomount (hd0,gpt2); echo $?\n"
                  "cryptomount -a; echo $?\ncryptomount -b -p secret; echo $?\ncryptomount; echo $?\n"
                  "cryptomount -k /key -P tpm2 hd0; echo $?\ncryptomount --nosuch; echo $?\n") ==
        "30 1\n30\n30\n30\n18\n30\n18\n");
  CHECK(guest.diagnostics.has_notice("s:1: the encrypted disk with the UUID 1234-5678 cannot be opened"));
  CHECK(guest.diagnostics.has_notice("put /boot on a partition that is not encrypted"));
}

TEST_CASE("Partitions are found by name, by UUID, and disks by theirs") {
  Guest guest;
  guest.devices.device_named("hd0,gpt2").partition_label = "OEM";
  guest.devices.device_named("hd0").disk_uuid = "00000000-0000-0000-0000-000000000001";
  CHECK(guest.run("search --no-floppy --set oem --part-label OEM --hint hd0,gpt1; echo $oem\n"
                  "search --part-uuid --set p PART-hd0,gpt2; echo $p\n"
                  "search --set r --disk-uuid 00000000-0000-0000-0000-000000000001; echo $r\n"
                  "search --set s --part-label oem; echo $? $s\nsearch.part_label OEM t; echo $t\n"
                  "search.part_uuid part-hd0,gpt2 u; echo $u; search.disk_uuid nosuch v; echo $?\n"
                  "search --cryptodisk-only --fs-uuid --set=w 1111; echo $?\n") ==
        "hd0,gpt2\nhd0,gpt2\nhd0\n5\nhd0,gpt2\nhd0,gpt2\n5\n5\n");
}

TEST_CASE("gptprio.next takes the copy of the system with the highest priority that may be tried") {
  constexpr const char* kUsr = "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6";
  const auto attributes = [](std::uint64_t priority, std::uint64_t tries, std::uint64_t successful) {
    return priority << 48 | tries << 52 | successful << 56;
  };
  struct Case {
    std::uint64_t a;
    std::uint64_t b;
    std::string expected;
    bool on_trial;
  };
  for (const Case& tried :
       {Case{attributes(1, 0, 1), attributes(2, 1, 0), "0 hd0,gpt4 part-hd0,gpt4\n", true},
        Case{attributes(1, 0, 1), attributes(2, 0, 0), "0 hd0,gpt3 part-hd0,gpt3\n", false},
        Case{attributes(1, 0, 1), attributes(1, 0, 1), "0 hd0,gpt3 part-hd0,gpt3\n", false},
        Case{attributes(0, 1, 1), attributes(15, 15, 1), "0 hd0,gpt4 part-hd0,gpt4\n", true},
        Case{attributes(3, 0, 0), attributes(0, 5, 1), "12\n", false}}) {
    Guest guest;
    guest.devices.add_without_file_system("hd0,gpt3");
    guest.devices.add_without_file_system("hd0,gpt4");
    for (const auto& [name, bits] : {std::pair{"hd0,gpt3", tried.a}, {"hd0,gpt4", tried.b}}) {
      fs::Device& device = guest.devices.device_named(name);
      device.partition_type = kUsr;
      device.partition_attributes = bits;
    }
    guest.devices.device_named("hd0,gpt2").partition_attributes = attributes(15, 1, 1);
    CHECK(guest.run("gptprio.next -d usr -u usr_uuid; echo $? $usr $usr_uuid\n") == tried.expected);
    CHECK(guest.diagnostics.has_notice("is on trial") == tried.on_trial);
  }
  Guest guest;
  CHECK(guest.run("gptprio.next; echo $?\ngptprio.next -d a -u b x y; echo $?\ngptprio.next -d a -u b hd9; "
                  "echo $?\n") == "17\n18\n12\n");
}
