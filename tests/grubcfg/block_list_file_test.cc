// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/block_list_file.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "grubcfg/configuration.h"
#include "grubcfg/guest_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::MemorySource;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// Sectors 0 to `count` - 1, each full of its own letter.
std::string sectors(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += std::string(512, static_cast<char>('a' + i));
  return bytes;
}

/// The list's contents with each run of one letter as that letter and its length, or what is wrong with the
/// list.
std::string contents(const std::string& list) {
  MemorySource source(sectors(8));
  Budget budget = Budget::standard();
  const auto file = open_block_list(source, list, budget);
  if (!file) {
    CHECK(file.error().code == ErrorCode::kSyntax);
    return file.error().message;
  }
  const std::string bytes = fs::read_whole_file(**file, list, 1U << 20U, budget).value();
  std::string summary;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t end = std::min(bytes.find_first_not_of(bytes[i], i), bytes.size());
    summary += bytes[i] + std::to_string(end - i);
    i = end;
  }
  return summary;
}

}  // namespace

// What grub-emu 2.06 makes of the same names; "N+" is of later versions.
TEST_CASE("Lists of blocks are read as GRUB reads them") {
  CHECK(contents("0+1") == "a512");
  CHECK(contents("+1") == "a512");
  CHECK(contents("1+1,0+1") == "b512a512");
  CHECK(contents("1+1,+1") == "b512a512");
  CHECK(contents("0+2") == "a512b512");
  CHECK(contents("0+1 x") == "a512");
  CHECK(contents(" 0+0x1") == "a512");
  CHECK(contents("0x1+1") == "b512");
  CHECK(contents("01+1") == "b512");
  CHECK(contents("7+1") == "h512");
  CHECK(contents("6+") == "g512h512");
  CHECK(contents("1+1,1+1") == "b1024");
}

TEST_CASE("What is no list of blocks, or passes the device's end, is refused in GRUB's words") {
  for (const char* list : {"", "vmlinuz", "0+1 x,1+1", "0+1x", "1+0", "0+1,", "0+1,,1+1", "0 +1", "0+1,1",
                           "-1+1", "0+-1", "0++1", " +1", "8+"})
    CHECK(contents(list) == "invalid file name `" + std::string(list) + "'");
  for (const char* list : {"7+2", "8+1", "99999999+1", "18446744073709551615+1", "18446744073709551615+2",
                           "0+18446744073709551615"})
    CHECK(contents(list) == "beyond the total sectors");
  CHECK(contents("99999999999999999999+1") == "invalid file name `99999999999999999999+1'");
}

TEST_CASE("A list of blocks is sent as extents, and read from any place") {
  MemorySource source(sectors(8));
  Budget budget = Budget::standard();
  const auto file = open_block_list(source, "4+2,1+1", budget);
  REQUIRE(file);
  CHECK((*file)->size() == 1536);
  std::string part(600, '\0');
  CHECK((*file)->read(1000, std::as_writable_bytes(std::span(part))).value() == 536);
  CHECK(part.substr(0, 536) == std::string(24, 'f') + std::string(512, 'b'));
  CHECK((*file)->read(1536, std::as_writable_bytes(std::span(part))).value() == 0);
  CHECK((*file)->overwritable_extents().value() ==
        std::vector<fs::DiskExtent>{{0, 2048, 1024}, {0, 512, 512}});
}

TEST_CASE("A list that names a block twice, or very many, cannot be overwritten") {
  MemorySource source(sectors(8));
  Budget budget = Budget::standard();
  CHECK(open_block_list(source, "0+2,1+1", budget).value()->overwritable_extents().error().code ==
        ErrorCode::kUnsupported);
  MemorySource large(std::string(512 * (limits::kEnvironmentExtents + 1), 'x'));
  std::string list;
  for (std::size_t i = 0; i <= limits::kEnvironmentExtents; ++i)
    list += (i == 0 ? "" : ",") + std::to_string(i) + "+1";
  CHECK(open_block_list(large, list, budget).value()->overwritable_extents().error().code ==
        ErrorCode::kUnsupported);
}

TEST_CASE("A list of very many blocks ends within the budget") {
  MemorySource source(sectors(8));
  Budget budget(1000, 1U << 20U);
  std::string list = "0+1";
  for (int i = 0; i < 2000; ++i) list += ",0+1";
  CHECK(open_block_list(source, list, budget).error().code == ErrorCode::kLimit);
}

TEST_CASE("Commands read lists of blocks as files, on any device") {
  MemoryDevices devices;
  devices.add("hd0").add("/k");
  devices.set_contents("hd0", sectors(8));
  devices.set_contents("hd0,gpt1", "set from=blocks\n" + std::string(495, '#') + "\n" + sectors(1));
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(
      evaluate_script("set root=hd0,gpt1\nconfigfile +1\nsource 0+1\necho $from\n"
                      "if [ -s (hd0)0+1 ]; then echo has; fi\nif [ -s (hd1)0+1 ]; then echo no; fi\n"
                      "cat (hd0)9+1; echo $?\ncat (hd1)0+1; echo $?\nchainloader +1; echo $?\n",
                      "s", &devices, {}, budget, diagnostics));
  CHECK(diagnostics.output == "blocks\nhas\n7\n12\n0\n");
  CHECK(diagnostics.has_notice("error: beyond the total sectors."));
  CHECK(diagnostics.has_notice("error: disk `hd1' not found."));
}

TEST_CASE("A kernel may be a list of blocks") {
  MemoryDevices devices;
  devices.add("hd0").add("/boot/grub/grub.cfg", "menuentry a { linux 2+3 quiet\ninitrd (hd0)0+1 }\n");
  devices.set_contents("hd0", sectors(8));
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu =
      load_configuration(devices, {"grub2", "hd0", "/boot/grub/grub.cfg"}, {}, budget, diagnostics);
  REQUIRE(menu);
  const BootEntry entry = (*menu)->evaluate(0).value();
  CHECK(entry.bootable());
  CHECK(entry.kernel.to_string() == "(hd0)2+3");
  CHECK(entry.command_line == "BOOT_IMAGE=2+3 quiet");
  GuestFiles files(&devices, budget);
  CHECK(files.open(entry.kernel).value()->size() == 1536);
  std::string why;
  CHECK(files.open({"hd0", "9+1"}, &why).value() == nullptr);
  CHECK(why == "beyond the total sectors");
  CHECK(files.open({"hd7", "0+1"}, &why).value() == nullptr);
}
