// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bare_kernel.h"

#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "grubcfg/configuration_search.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

void put(std::string& bytes, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i));
}

/// A disk of that many bytes, which begins with an ELF64 image for x86-64 of one segment, [0x1000, 0x1000 +
/// `segment`), and two sections: one of the 100 bytes behind the segment, one without bytes in the image.
std::string elf_disk(std::size_t disk_size, std::uint64_t segment) {
  std::string disk(disk_size, '\0');
  disk.replace(0, 7,
               "\x7f"
               "ELF\x02\x01\x01");
  put(disk, 16, 2, 2);         // executable
  put(disk, 18, 62, 2);        // x86-64
  put(disk, 20, 1, 4);         // version
  put(disk, 24, 0x100000, 8);  // entry
  put(disk, 32, 64, 8);        // program headers
  put(disk, 40, 256, 8);       // section headers
  put(disk, 52, 64, 2);
  put(disk, 54, 56, 2);
  put(disk, 56, 1, 2);
  put(disk, 58, 64, 2);
  put(disk, 60, 3, 2);
  put(disk, 64, 1, 4);  // to load
  put(disk, 72, 0x1000, 8);
  put(disk, 80, 0x100000, 8);
  put(disk, 88, 0x100000, 8);
  put(disk, 96, segment, 8);
  put(disk, 104, segment, 8);
  put(disk, 256 + 64 + 4, 2, 4);  // a table of symbols
  put(disk, 256 + 64 + 24, 0x1000 + segment, 8);
  put(disk, 256 + 64 + 32, 100, 8);
  put(disk, 256 + 128 + 4, 8, 4);  // no bits
  put(disk, 256 + 128 + 24, 0x1000 + segment, 8);
  put(disk, 256 + 128 + 32, disk_size / 2, 8);
  return disk;
}

struct Fixture {
  MemoryDevices devices;
  GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;

  std::vector<ConfigurationSource> find() {
    auto found = find_configurations(devices, budget, diagnostics);
    REQUIRE(found.has_value());
    return *found;
  }
  BootEntry first_entry() {
    const std::vector<ConfigurationSource> found = find();
    REQUIRE_FALSE(found.empty());
    const auto menu = load_configuration(devices, found.front(), settings, budget, diagnostics);
    REQUIRE(menu.has_value());
    CHECK((*menu)->timeout() == 0U);
    auto entry = (*menu)->evaluate(0);
    REQUIRE(entry.has_value());
    return *entry;
  }
};

}  // namespace

TEST_CASE("An ELF image that a whole disk begins with is a kernel of the size that its headers tell",
          "[elf]") {
  Fixture fixture;
  fixture.devices.add_without_file_system("hd0");
  fixture.devices.set_contents("hd0", elf_disk(1U << 20U, 1000));
  // 0x1000 + 1000 + 100 bytes are 10.1 sectors.
  CHECK(fixture.find() == std::vector<ConfigurationSource>{{"elf", "hd0", "0+11"}});
  const BootEntry entry = fixture.first_entry();
  CHECK(entry.bootable());
  CHECK(entry.kernel == FileReference{"hd0", "0+11"});
  CHECK(entry.command_line.empty());
  const auto file = GuestFiles(&fixture.devices, fixture.budget).open(entry.kernel);
  REQUIRE(file.has_value());
  CHECK((*file)->size() == 11 * 512);
}

TEST_CASE("A disk with partitions or another beginning, or too small for a sector, is no kernel", "[elf]") {
  Fixture fixture;
  fixture.devices.add_without_file_system("hd0");
  fixture.devices.set_contents("hd0", elf_disk(65536, 1000));
  fixture.devices.add_without_file_system("hd0,msdos1");
  fixture.devices.add_without_file_system("hd1");
  fixture.devices.set_contents("hd1", std::string(4096, 'x'));
  fixture.devices.add_without_file_system("hd2");
  fixture.devices.set_contents("hd2",
                               "\x7f"
                               "ELF");
  CHECK(fixture.find().empty());
}

TEST_CASE("An ELF image that passes the disk's end is told and left out", "[elf]") {
  Fixture fixture;
  fixture.devices.add_without_file_system("hd0");
  std::string disk = elf_disk(8192, 1000);
  put(disk, 96, 1U << 30U, 8);
  fixture.devices.set_contents("hd0", disk);
  CHECK(fixture.find().empty());
  CHECK(fixture.diagnostics.has_notice("hd0: the disk begins with an ELF image that is no kernel"));
}

TEST_CASE("A damaged table of sections does not keep a kernel on a disk from being found", "[elf]") {
  Fixture fixture;
  fixture.devices.add_without_file_system("hd0");
  std::string disk = elf_disk(8192, 1000);
  put(disk, 256 + 64 + 32, std::uint64_t{1} << 62U, 8);
  fixture.devices.set_contents("hd0", disk);
  CHECK(fixture.find() == std::vector<ConfigurationSource>{{"elf", "hd0", "0+10"}});
}

TEST_CASE("Kernels that stand alone come after every configuration, in the documented order", "[elf]") {
  Fixture fixture;
  fixture.devices.add("hd0,gpt1")
      .add("/boot/xen/pvboot-i386.elf")
      .add("/boot/xen/pvboot-x86_64.elf")
      .add("/boot/grub/i386-xen_pvh/core.img")
      .add("/boot/kernel.elf")
      .add("/boot/grub/menu.lst")
      .add("/EFI/BOOT/BOOTX64.EFI");
  CHECK(fixture.find() ==
        std::vector<ConfigurationSource>{{"grub-legacy", "hd0,gpt1", "/boot/grub/menu.lst"},
                                         {"elf", "hd0,gpt1", "/boot/kernel.elf"},
                                         {"elf", "hd0,gpt1", "/boot/grub/i386-xen_pvh/core.img"},
                                         {"elf", "hd0,gpt1", "/boot/xen/pvboot-x86_64.elf"},
                                         {"elf", "hd0,gpt1", "/boot/xen/pvboot-i386.elf"},
                                         {"efi", "hd0,gpt1", "/EFI/BOOT/BOOTX64.EFI"}});
  std::vector<ConfigurationSource> sources = fixture.find();
  leave_out_stand_ins(sources);
  CHECK(sources == std::vector<ConfigurationSource>{{"grub-legacy", "hd0,gpt1", "/boot/grub/menu.lst"}});
  sources = {{"elf", "hd0", "0+11"}, {"efi", "hd1,gpt1", "/EFI/BOOT/BOOTX64.EFI"}};
  leave_out_stand_ins(sources);
  CHECK(sources.size() == 2);
  sources.clear();
  leave_out_stand_ins(sources);
  CHECK(sources.empty());
}
