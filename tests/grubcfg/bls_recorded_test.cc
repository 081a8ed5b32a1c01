// SPDX-License-Identifier: LGPL-2.1-or-later
// Directories of entries against what others made of them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>

#include "grubcfg/configuration.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// A file of tests/data/grubcfg/bls: "=== NAME" lines with what belongs to each.
struct RecordedCase {
  std::string script;
  std::vector<std::pair<std::string, std::string>> files;
  std::string expected;
};

RecordedCase read_case(const std::filesystem::path& path) {
  constexpr std::string_view kMark = "=== ";
  RecordedCase recorded;
  const std::string text = test::read_file(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find("\n" + std::string(kMark), begin), text.size() - 1);
    const std::string part = text.substr(begin + kMark.size(), end - begin - kMark.size());
    const std::string head = part.substr(0, part.find('\n'));
    const std::string body = part.substr(std::min(head.size() + 1, part.size()));
    if (head == "script") recorded.script = body + "\n";
    if (head == "expected") recorded.expected = body + "\n";
    if (head.starts_with("file ")) recorded.files.emplace_back(head.substr(5), body);
    begin = end + 1;
  }
  return recorded;
}

/// GRUB's editor, from whose screen the bodies were taken, shows a tab as blanks and none at a line's end.
std::string with_single_blanks(std::string_view line) {
  std::string text;
  for (const char c : line) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) text += c;
    if (blank && !text.empty() && text.back() != ' ') text += ' ';
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string describe(const Menu& menu) {
  std::string text;
  for (std::size_t i = 0; i < menu.entries().size(); ++i) {
    text += "entry " + with_single_blanks(menu.entries()[i].title) + "\n";
    std::string_view body = menu.entry_source(i);
    while (!body.empty()) {
      const std::size_t end = std::min(body.find('\n'), body.size());
      if (const std::string line = with_single_blanks(body.substr(0, end)); !line.empty())
        text += "  " + line + "\n";
      body.remove_prefix(std::min(end + 1, body.size()));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("Random directories of entries make the menus that GRUB 2.14 makes of them") {
  std::size_t cases = 0;
  for (const std::filesystem::path& path : test::data_files("bls", ".txt")) {
    INFO(path.filename().string());
    const RecordedCase recorded = read_case(path);
    MemoryDevices devices;
    test::MemoryFileSystem& disk = devices.add("hd0");
    disk.add("/grub/grub.cfg", recorded.script);
    for (const auto& [name, contents] : recorded.files) disk.add("/loader/entries/" + name, contents);
    Budget budget = Budget::standard();
    RecordedDiagnostics diagnostics;
    const auto menu =
        load_configuration(devices, {"grub2", "hd0", "/grub/grub.cfg"}, {}, budget, diagnostics);
    REQUIRE(menu.has_value());
    CHECK(describe(**menu) == recorded.expected);
    ++cases;
  }
  CHECK(cases == 12);
}

TEST_CASE("A real directory of Fedora's is read as Fedora's GRUB reads it") {
  const std::filesystem::path fedora = std::filesystem::path(PVHGRUB_SHARED) / "corpus" / "public" /
                                       "u-root+u-root" / "pkg" / "boot" / "bls" / "testdata" / "fedora_32";
  if (!std::filesystem::exists(fedora)) {
    std::cout << "skipped: the folder of public configurations is not there\n";
    return;
  }
  MemoryDevices devices;
  test::MemoryFileSystem& disk = devices.add("hd0");
  disk.add("/grub2/grub.cfg", "function load_video { true; }\nset default=0\nblscfg\n");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(fedora))
    if (entry.is_regular_file())
      disk.add("/" + std::filesystem::relative(entry.path(), fedora).string(), test::read_file(entry.path()));
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  const auto menu = load_configuration(devices, {"grub2", "hd0", "/grub2/grub.cfg"}, {}, budget, diagnostics);
  REQUIRE(menu.has_value());
  REQUIRE((*menu)->entries().size() == 2);
  CHECK((*menu)->entries()[0].id == "de8380606ce44a2dabad127eb049acbe-5.6.6-300.fc32.x86_64");
  CHECK((*menu)->entries()[1].title == "Fedora 32 (Server Edition) - Rescue Image");
  const auto entry = (*menu)->evaluate(0);
  REQUIRE(entry.has_value());
  CHECK(entry->bootable());
  CHECK(entry->command_line ==
        "BOOT_IMAGE=(hd0)/de8380606ce44a2dabad127eb049acbe/5_6_6_300_fc32_x86_64/linux "
        "root=UUID=b0b50629-c323-40de-9b01-05632be6dbd4 ro resume=UUID=abf0a2b5-f8db-411b-b534-1a431c63fbc0 "
        "console=ttyS0");
  CHECK(diagnostics.notices.empty());
}
