// SPDX-License-Identifier: LGPL-2.1-or-later
// bootctl lists boot entries, random and real ones, as we do. It wants a file system's root, so each set is
// put on a tmpfs in a mount namespace of its own, for which root is needed.
#include <unistd.h>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "grubcfg/systemd_boot.h"
#include "tests/bootimage/pe_writer.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;

namespace {

namespace filesystem = std::filesystem;

/// What one of the two says of a menu: a line for each entry.
using Listing = std::vector<std::string>;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  /// A file system's files by path. Ids are in lower case and without '~', machine ids short, loaders there
  /// and values unquoted: where they are not, bootctl shows another menu than systemd-boot itself.
  std::map<std::string, std::string> files() {
    std::map<std::string, std::string> files = {{"/k", "kernel"}, {"/i", "initrd"}};
    for (std::size_t count = 1 + below(8); count > 0; --count)
      files["/loader/entries/" + name(".conf")] = type1();
    for (std::size_t count = below(3); count > 0; --count) files["/EFI/Linux/" + name(".efi")] = type2();
    files["/loader/loader.conf"] =
        "timeout 3\n" + maybe("default " + pick({"a*", "*2*", "b-1.conf", "*.efi"}));
    return files;
  }

 private:
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_()) % count; }
  std::string pick(const std::vector<std::string>& words) { return words[below(words.size())]; }
  std::string maybe(const std::string& text) { return below(2) == 0 ? "" : text + "\n"; }

  /// A name that was not used yet, whatever its counter: between the same with and without one there is no
  /// order.
  std::string name(const std::string& suffix) {
    while (true) {
      const std::string base =
          pick({"a", "b", "fedora"}) + pick({"", "-1", "-2", "-10", "-2rc1", ".1", "_x", "-1.2"});
      if (used_.insert(base + suffix).second) return base + pick({"", "", "", "+3", "+0-3", "+1-2"}) + suffix;
    }
  }
  std::string version() { return pick({"1", "2", "10", "6.1.0-13", "6.1.0-9", "6.2~rc1", "6.2"}); }
  std::string type1() {
    return maybe("title " + pick({"Some OS", "Other OS"})) + maybe("sort-key " + pick({"a", "b", "B"})) +
           maybe("machine-id " + pick({"01", "02"})) + maybe("version " + version()) + maybe("# comment") +
           "linux /k\n" + maybe("initrd /i") + maybe("options root=x  ro") + maybe("options quiet a=\"b c\"");
  }
  std::string type2() {
    test::PeWriter writer;
    return writer
        .add(".osrel", "NAME=" + pick({"Some", "Other"}) + "\nID=" + pick({"a", "b"}) + "\nPRETTY_NAME=\"" +
                           pick({"Some OS", "Other OS"}) + "\"\nVERSION_ID=" + version() + "\n" +
                           maybe("IMAGE_ID=image") + maybe("IMAGE_VERSION=" + version()))
        .add(".cmdline", pick({"root=y ro", "root=y\n", "  root=z "}))
        .add(".linux", "kernel")
        .build();
  }

  std::mt19937 random_;
  std::set<std::string> used_;
};

/// A real system's directory; empty where it is not here.
std::map<std::string, std::string> real_files() {
  const filesystem::path root =
      filesystem::path(PVHGRUB_SHARED) / "corpus/public/u-root+u-root/pkg/boot/bls/testdata/fedora_32";
  std::map<std::string, std::string> files;
  if (!filesystem::is_directory(root)) return files;
  for (const auto& entry : filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files["/" + filesystem::relative(entry.path(), root).string()] = {std::istreambuf_iterator<char>(stream),
                                                                      std::istreambuf_iterator<char>()};
  }
  return files;
}

std::string describe(const std::string& id, const std::string& title, const std::string& options,
                     bool is_default) {
  return id + " | " + title + " | " + options + (is_default ? " | default" : "");
}

Listing our_listing(const std::map<std::string, std::string>& files) {
  test::MemoryDevices devices;
  test::MemoryFileSystem& esp = devices.add("hd0,gpt1");
  for (const auto& [path, contents] : files) esp.add(path, contents);
  Budget budget = Budget::standard();
  test::RecordedDiagnostics diagnostics;
  const GrubSettings settings;
  const auto menu = load_systemd_boot_menu({&devices, settings, budget, diagnostics},
                                           {"bls", "hd0,gpt1", "/loader/entries"});
  REQUIRE(menu.has_value());
  Listing listing;
  for (std::size_t i = 0; i < (*menu)->entries().size(); ++i) {
    const auto boot = (*menu)->evaluate(i);
    REQUIRE(boot.has_value());
    CHECK(boot->bootable());
    const MenuEntry& shown = (*menu)->entries()[i];
    listing.push_back(describe(shown.id, shown.title, boot->command_line, i == (*menu)->default_index()));
  }
  return listing;
}

/// `json` and `text`: what `bootctl list` prints with and without --json.
Listing bootctl_listing(const filesystem::path& json, const filesystem::path& text) {
  std::ifstream text_stream(text);
  std::string default_id;
  bool is_default = false;
  for (std::string line; std::getline(text_stream, line);) {
    if (line.starts_with("        title: ")) is_default = line.find(" (default)") != std::string::npos;
    if (is_default && line.starts_with("           id: ")) default_id = line.substr(15);
  }
  std::ifstream stream(json);
  std::vector<nlohmann::json> entries;
  for (std::string line; std::getline(stream, line);) {
    const nlohmann::json parsed = nlohmann::json::parse(line);
    if (parsed.is_array()) {
      entries.insert(entries.end(), parsed.begin(), parsed.end());
    } else {
      entries.push_back(parsed);
    }
  }
  Listing listing;
  for (const nlohmann::json& entry : entries)
    listing.push_back(describe(entry.at("id"), entry.at("showTitle"), entry.value("options", ""),
                               entry.at("id") == default_id));
  return listing;
}

}  // namespace

TEST_CASE("bootctl lists boot entries alike", "[bootctl]") {
  const filesystem::path directory =
      filesystem::temp_directory_path() / ("pvhgrub-bootctl-test-" + std::to_string(::getpid()));
  filesystem::remove_all(directory);
  std::vector<std::map<std::string, std::string>> sets;
  for (unsigned seed = 0; seed < 40; ++seed) sets.push_back(Generator(seed).files());
  if (auto files = real_files(); !files.empty()) sets.push_back(std::move(files));
  for (std::size_t number = 0; number < sets.size(); ++number) {
    const filesystem::path root = directory / std::to_string(number);
    filesystem::create_directories(root / "EFI/Linux");
    for (const auto& [path, contents] : sets[number]) {
      filesystem::create_directories(filesystem::path(root.string() + path).parent_path());
      std::ofstream(root.string() + path, std::ios::binary) << contents;
    }
  }
  filesystem::create_directories(directory / "mount");
  std::ofstream(directory / "script") << "set -e\ncd " << directory.string() << "\n"
                                      << "export SYSTEMD_RELAX_ESP_CHECKS=1\n"
                                      << "for number in $(seq 0 " << sets.size() - 1 << "); do\n"
                                      << "  mount -t tmpfs none mount\n  cp -r $number/. mount/\n"
                                      << "  bootctl list --json=short --esp-path=$PWD/mount > $number.json\n"
                                      << "  bootctl list --no-pager --esp-path=$PWD/mount > $number.text\n"
                                      << "  umount mount\ndone\n";
  const std::string command = "unshare -m sh " + (directory / "script").string() + " >/dev/null 2>&1";
  if (std::system("bootctl --version >/dev/null 2>&1") != 0 || std::system(command.c_str()) != 0) {
    filesystem::remove_all(directory);
    WARN("skipped: needs root, and bootctl (systemd-boot)");
    return;
  }
  for (std::size_t number = 0; number < sets.size(); ++number) {
    INFO("set " << number);
    CHECK(our_listing(sets[number]) == bootctl_listing(directory / (std::to_string(number) + ".json"),
                                                       directory / (std::to_string(number) + ".text")));
  }
  filesystem::remove_all(directory);
}
