// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole systems that are not Linux: the files of a guest, and the menu that they come to. A case file is a
// list of files, each after a line "=== PATH" or "=== (DEVICE)PATH"; after "=== expected" follows the menu.
#include <array>
#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "grubcfg/configuration_search.h"
#include "tests/grubcfg/data_files.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

/// The devices that a case may use; paths without a device are on the first.
constexpr std::array<const char*, 4> kDevices = {"hd0,msdos1", "hd0,gpt2", "hd1,msdos1", "hd1,msdos2"};

class Guest {
 public:
  explicit Guest(std::string_view text) {
    std::map<std::string, test::MemoryFileSystem*> file_systems;
    for (const char* name : kDevices) file_systems[name] = &devices.add(name);
    devices.device_named("hd0,gpt2").partition_label = "netbsd-root";
    std::string* contents = &expected;
    std::map<std::string, std::string> files;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end);
      if (line == "=== expected\n") {
        contents = &expected;
      } else if (line.starts_with("=== ")) {
        contents = &files[std::string(line.substr(4, line.size() - 5))];
      } else {
        *contents += line;
      }
    }
    for (const auto& [name, bytes] : files) {
      const std::size_t close = name.starts_with('(') ? name.find(')') : std::string::npos;
      const bool on_first = close == std::string::npos;
      file_systems.at(on_first ? kDevices[0] : name.substr(1, close - 1))
          ->add(on_first ? name : name.substr(close + 1), bytes);
    }
  }

  /// The first configuration's menu, in words.
  std::string menu() {
    const auto found = find_configurations(devices, budget, diagnostics);
    REQUIRE(found.has_value());
    if (found->empty()) return "no configuration\n";
    const ConfigurationSource& source = found->front();
    std::string text = source.kind + " " + FileReference{source.device, source.path}.to_string();
    const auto menu = load_configuration(devices, source, settings, budget, diagnostics);
    if (!menu) return text + "\nerror: " + menu.error().message + "\n" + notices();
    text += ", default " + std::to_string((*menu)->default_index()) + ", timeout " +
            ((*menu)->timeout() ? std::to_string(*(*menu)->timeout()) : "none") + "\n";
    for (std::size_t i = 0; i < (*menu)->entries().size(); ++i) {
      const auto entry = (*menu)->evaluate(i);
      REQUIRE(entry.has_value());
      const MenuEntry& shown = (*menu)->entries()[i];
      text += std::to_string(i) + " " + shown.title + " [" + shown.id + "]" +
              (shown.restricted ? " restricted" : "") + "\n";
      if (entry->error.empty()) {
        CHECK(entry->bootable());
        text += "  " + entry->kernel.to_string() + "\n  \"" + entry->command_line + "\"\n";
      } else {
        text += "  error: " + entry->error + "\n";
      }
    }
    return text + notices();
  }

  MemoryDevices devices;
  std::string expected;

 private:
  std::string notices() {
    std::string text;
    for (const std::string& notice : diagnostics.notices) text += "notice: " + notice + "\n";
    return text;
  }

  GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
};

void check_folder(const std::string& folder) {
  const auto cases = test::data_files(folder, ".case");
  REQUIRE(cases.size() > 3);
  for (const auto& path : cases) {
    CAPTURE(path);
    Guest guest(test::read_file(path));
    CHECK(guest.menu() == guest.expected);
  }
}

}  // namespace

TEST_CASE("FreeBSD's files come to the menu and the environment that its loader would make", "[freebsd]") {
  check_folder("freebsd");
}

TEST_CASE("NetBSD's boot.cfg comes to the menu that its loader would show", "[netbsd]") {
  check_folder("netbsd");
}
