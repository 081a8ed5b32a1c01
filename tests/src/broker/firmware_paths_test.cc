// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/firmware_paths.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/src/broker/temporary_directory.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;
using Catch::Matchers::Contains;

namespace {

HostConfiguration with_firmware(std::string name, std::vector<std::string> paths) {
  HostConfiguration configuration;
  configuration.firmware.push_back({.name = std::move(name), .paths = std::move(paths), .line = 1});
  return configuration;
}

}  // namespace

TEST_CASE("names that mean another firmware on each host are refused with the ones to take instead") {
  for (const char* name : {"uefi", "bios", "UEFI", "Bios"}) {
    const auto checked = check_firmware_choice(name);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::kUsage);
    CHECK_THAT(checked.error().message, Contains("ovmf"));
    CHECK(find_firmware({}, name).error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("HVM's firmware is refused by name and by path, whatever stands behind its name") {
  for (const char* choice :
       {"hvmloader", "seabios", "rombios", "hvmloader.bin", "/usr/lib/xen/boot/hvmloader", "/a/SeaBIOS.bin",
        "./rombios", "/a/hvmloader-debug", "/a/seabios_256.bin.gz", "/usr/share/seabios/bios-256k.bin"}) {
    CAPTURE(choice);
    const auto checked = check_firmware_choice(choice);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::kUsage);
    CHECK_THAT(checked.error().message, Contains("no PVH entry"));
  }
}

TEST_CASE("other names and paths are taken") {
  for (const char* choice : {"ovmf", "pvgrub", "uboot", "mine", "/a/uefi.bin", "./bios",
                             "/hvmloader/ovmf.bin", "/a/seabiosless.bin"})
    CHECK(check_firmware_choice(choice));
}

TEST_CASE("a configured name's files come before the built-in ones of the same name") {
  const auto configuration = with_firmware("ovmf", {"/my/a", "/my/b"});
  const auto built_in = firmware_search_list({}, "ovmf", Architecture::kX86);
  REQUIRE(built_in.size() > 2);
  std::vector<std::string> expected = {"/my/a", "/my/b"};
  expected.insert(expected.end(), built_in.begin(), built_in.end());
  CHECK(firmware_search_list(configuration, "ovmf", Architecture::kX86) == expected);
  CHECK(firmware_search_list(configuration, "other", Architecture::kX86).empty());
}

TEST_CASE("built-in names are those of the architecture, each path absolute and once in its list") {
  CHECK_FALSE(firmware_search_list({}, "pvgrub", Architecture::kX86).empty());
  CHECK(firmware_search_list({}, "pvgrub", Architecture::kArm64).empty());
  CHECK_FALSE(firmware_search_list({}, "ovmf", Architecture::kArm64).empty());
  CHECK(firmware_search_list({}, "ovmf", Architecture::kOther).empty());
  for (const Architecture architecture : {Architecture::kX86, Architecture::kArm64})
    for (const char* name : {"ovmf", "pvgrub", "uboot"}) {
      auto paths = firmware_search_list({}, name, architecture);
      CHECK(std::ranges::all_of(paths, [](const std::string& path) {
        return path.starts_with('/') && check_firmware_choice(path);
      }));
      std::ranges::sort(paths);
      CHECK(std::ranges::adjacent_find(paths) == paths.end());
    }
}

TEST_CASE("files for PVH alone are looked at before Xen's ovmf.bin, which may be HVM's") {
  const auto paths = firmware_search_list({}, "ovmf", Architecture::kX86);
  const auto place = [&](std::string_view path) { return std::ranges::find(paths, path) - paths.begin(); };
  CHECK(place("/usr/share/edk2/xen/OVMF.fd") < place("/usr/lib/xen/boot/ovmf.bin"));
  CHECK(place("/usr/share/qemu/ovmf-x86_64-xen-4m.bin") < place("/usr/lib/xen/boot/ovmf.bin"));
}

TEST_CASE("the first file that is there is opened") {
  const TemporaryDirectory folder;
  const std::string second = folder.write("second", "firmware");
  const std::string third = folder.write("third", "other");
  const auto configuration = with_firmware("mine", {folder.path() + "/first", second, third});
  const auto found = find_firmware(configuration, "mine");
  REQUIRE(found);
  CHECK(found->name == "mine");
  CHECK(found->path == second);
  CHECK(found->size == 8);
  char text[8] = {};
  CHECK(read(found->fd.get(), text, sizeof text) == 8);
  CHECK(std::string(text, 8) == "firmware");
}

TEST_CASE("what is no file with contents is passed over, and nothing waits for a pipe") {
  const TemporaryDirectory folder;
  const std::string pipe = folder.path() + "/pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const std::string empty = folder.write("empty", "");
  const std::string file = folder.write("file", "x");
  const auto found = find_firmware(with_firmware("mine", {pipe, folder.path(), empty, file}), "mine");
  REQUIRE(found);
  CHECK(found->path == file);
}

TEST_CASE("where nothing is there, every path is told with its reason") {
  const TemporaryDirectory folder;
  const std::string missing = folder.path() + "/missing";
  const std::string empty = folder.write("empty", "");
  const auto found = find_firmware(with_firmware("mine", {missing, folder.path(), empty}), "mine");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kNotFound);
  CHECK_THAT(found.error().message, Contains(missing + " (No such file or directory)"));
  CHECK_THAT(found.error().message, Contains(folder.path() + " (not a regular file)"));
  CHECK_THAT(found.error().message, Contains(empty + " (an empty file)"));
}

TEST_CASE("a built-in name is found at one of its places, or the error tells them all and what to install") {
  for (const char* name : {"ovmf", "pvgrub"}) {
    const auto paths = firmware_search_list({}, name, Architecture::kX86);
    const auto found = find_firmware({}, name, Architecture::kX86);
    if (found) {
      CHECK(std::ranges::find(paths, found->path) != paths.end());
      continue;
    }
    CHECK(found.error().code == ErrorCode::kNotFound);
    for (const std::string& path : paths) CHECK_THAT(found.error().message, Contains(path + " ("));
    CHECK_THAT(found.error().message, Contains("install "));
  }
}

TEST_CASE("U-Boot has no common place on arm64, which the error says with what to build") {
  const auto found = find_firmware({}, "uboot", Architecture::kArm64);
  REQUIRE_FALSE(found);
  CHECK_THAT(found.error().message, Contains("xenguest_arm64_defconfig"));
  CHECK_THAT(found.error().message, Contains("[firmware] uboot"));
}

TEST_CASE("an unknown name is a usage error that tells the known ones") {
  const auto found = find_firmware(with_firmware("mine", {"/a"}), "other", Architecture::kX86);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kUsage);
  CHECK_THAT(found.error().message, Contains("ovmf, pvgrub, mine"));
  CHECK(find_firmware({}, "").error().code == ErrorCode::kUsage);
}

TEST_CASE("a path is taken as it is") {
  const TemporaryDirectory folder;
  const std::string file = folder.write("firmware.bin", "x");
  REQUIRE(find_firmware({}, file));
  CHECK(find_firmware({}, file)->path == file);
  const auto missing = find_firmware({}, file + ".old");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().where == file + ".old");
  CHECK(find_firmware({}, folder.path() + "/").error().code == ErrorCode::kNotFound);
}
