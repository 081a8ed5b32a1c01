// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/environment_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "tests/src/broker/temporary_directory.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;
using protocol::EnvironmentMessage;
using protocol::ExtentMessage;

namespace {

constexpr std::uint64_t kShortWait = 100;

std::string block_of(const std::string& lines, std::size_t size = 1024) {
  std::string block = "# GRUB Environment Block\n" + lines;
  block.resize(size, '#');
  return block;
}

const std::string kOld = block_of("saved_entry=a\nnext_entry=b\n");
const std::string kNew = block_of("saved_entry=a\nnext_entry=\n");

/// A disk of 64 KiB with kOld at `place`.
struct Fixture {
  explicit Fixture(std::size_t place = 4096) : contents(64 * 1024, 'x') {
    contents.replace(place, kOld.size(), kOld);
    path = folder.write("disk", contents);
  }
  EnvironmentWriter open() {
    auto disk = open_guest_disk(path);
    REQUIRE(disk);
    auto writer = EnvironmentWriter::open(path, *disk);
    REQUIRE(writer);
    return std::move(*writer);
  }
  [[nodiscard]] std::string on_disk() const { return TemporaryDirectory::read(path); }
  TemporaryDirectory folder;
  std::string contents;
  std::string path;
};

EnvironmentMessage change_at(std::vector<ExtentMessage> extents, bool answers_request) {
  return {"(hd0)/grubenv", answers_request, std::move(extents), kOld, kNew};
}

std::string with(std::string disk, std::size_t place, const std::string& bytes) {
  return disk.replace(place, bytes.size(), bytes);
}

}  // namespace

TEST_CASE("a block is written where it lies, and nothing else of the disk changes") {
  for (const std::size_t place :
       {std::size_t{4096}, std::size_t{0}, std::size_t{63 * 1024}, std::size_t{3333}}) {
    Fixture fixture(place);
    CHECK(fixture.open().write({change_at({{0, place, 1024}}, true)}, nullptr, kShortWait).value().empty());
    CHECK(fixture.on_disk() == with(fixture.contents, place, kNew));
  }
  Fixture untouched;
  CHECK(untouched.open().write({}, nullptr, kShortWait).value().empty());
  CHECK(untouched.on_disk() == untouched.contents);
}

TEST_CASE("a block in several runs is written in all of them") {
  Fixture fixture;
  std::string disk(64 * 1024, 'x');
  disk =
      with(with(with(disk, 9216, kOld.substr(0, 512)), 512, kOld.substr(512, 256)), 32768, kOld.substr(768));
  fixture.path = fixture.folder.write("disk", disk);
  const EnvironmentMessage change = change_at({{0, 9216, 512}, {0, 512, 256}, {0, 32768, 256}}, false);
  CHECK(fixture.open().write({change}, nullptr, kShortWait).value().empty());
  CHECK(fixture.on_disk() == with(with(with(disk, 9216, kNew.substr(0, 512)), 512, kNew.substr(512, 256)),
                                  32768, kNew.substr(768)));
}

TEST_CASE("a block that the disk does not hold any more is left alone") {
  for (const auto& [place, bytes] : {std::pair<std::size_t, std::string>{4096 + 1023, "x"},
                                     {4096, "x"},
                                     {4096, kNew},
                                     {4096, block_of("saved_entry=b\nnext_entry=b\n")},
                                     {4096, std::string(1024, '\0')}}) {
    Fixture fixture;
    EnvironmentWriter writer = fixture.open();
    const std::string changed = with(fixture.contents, place, bytes);
    fixture.folder.write("disk", changed);
    const auto refused = writer.write({change_at({{0, 4096, 1024}}, false)}, nullptr, kShortWait);
    REQUIRE(refused);
    REQUIRE(refused->size() == 1);
    CHECK(refused->front().name == "(hd0)/grubenv");
    CHECK(refused->front().error.message.find("has changed since it was read") != std::string::npos);
    CHECK(fixture.on_disk() == changed);
    const auto failed = writer.write({change_at({{0, 4096, 1024}}, true)}, nullptr, kShortWait);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::kIo);
    CHECK(failed.error().message.find("nothing is booted") != std::string::npos);
    CHECK(fixture.on_disk() == changed);
  }
}

TEST_CASE("where a block that must be written cannot be, no other is") {
  Fixture fixture;
  const std::string disk = with(fixture.contents, 8192, kOld);
  fixture.folder.write("disk", disk);
  CHECK_FALSE(fixture.open().write({change_at({{0, 8192, 1024}}, false), change_at({{0, 12288, 1024}}, true)},
                                   nullptr, kShortWait));
  CHECK(fixture.on_disk() == disk);
  CHECK(fixture.open()
            .write({change_at({{0, 12288, 1024}}, false), change_at({{0, 8192, 1024}}, true)}, nullptr,
                   kShortWait)
            .value()
            .size() == 1);
  CHECK(fixture.on_disk() == with(disk, 8192, kNew));
}

TEST_CASE("what is no environment block is never written, nor written over") {
  Fixture fixture;
  EnvironmentMessage bad = change_at({{0, 4096, 1024}}, false);
  bad.contents = std::string(1024, 'y');
  CHECK(fixture.open().write({bad}, nullptr, kShortWait)->front().error.code == ErrorCode::kProtocol);
  bad.contents = kNew.substr(0, 1000);
  CHECK(fixture.open().write({bad}, nullptr, kShortWait)->front().error.code == ErrorCode::kProtocol);
  bad.old_contents = fixture.contents.substr(0, 1024);
  bad.contents = kNew;
  bad.extents = {{0, 0, 1024}};
  CHECK(fixture.open().write({bad}, nullptr, kShortWait)->front().error.code == ErrorCode::kProtocol);
  bad = change_at({{1, 4096, 1024}}, true);
  CHECK(fixture.open().write({bad}, nullptr, kShortWait).error().code == ErrorCode::kInternal);
  CHECK(fixture.on_disk() == fixture.contents);
}

TEST_CASE("a disk that became shorter is an error of its own") {
  Fixture fixture;
  EnvironmentWriter writer = fixture.open();
  REQUIRE(truncate(fixture.path.c_str(), 4096) == 0);
  const auto refused = writer.write({change_at({{0, 4096, 1024}}, false)}, nullptr, kShortWait);
  REQUIRE(refused);
  CHECK(refused->front().error.message.find("shorter") != std::string::npos);
  CHECK(std::filesystem::file_size(fixture.path) == 4096);
}

TEST_CASE("a block is written to the disk that its extents name") {
  Fixture first(8192);
  Fixture second;
  EnvironmentWriter writer = first.open();
  const auto refused = writer.write({change_at({{1, 4096, 1024}}, false)}, nullptr, kShortWait);
  REQUIRE(refused);
  CHECK(refused->size() == 1);
  const auto disk = open_guest_disk(second.path);
  REQUIRE(disk);
  REQUIRE(writer.add_disk(second.path, *disk));
  // Another program's lock on the first disk does not matter.
  const int other = open(first.path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(flock(other, LOCK_EX) == 0);
  CHECK(writer.write({change_at({{1, 4096, 1024}}, true)}, nullptr, kShortWait).value().empty());
  close(other);
  CHECK(second.on_disk() == with(second.contents, 4096, kNew));
  CHECK(first.on_disk() == first.contents);
  CHECK(writer.write({change_at({{0, 8192, 1024}}, true)}, nullptr, kShortWait).value().empty());
  CHECK(first.on_disk() == with(first.contents, 8192, kNew));
}

TEST_CASE("others that lock the disk are waited for, but not for ever") {
  Fixture fixture;
  EnvironmentWriter writer = fixture.open();
  const int other = open(fixture.path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(flock(other, LOCK_SH) == 0);
  const auto refused = writer.write({change_at({{0, 4096, 1024}}, false)}, nullptr, kShortWait);
  REQUIRE(refused);
  CHECK(refused->front().error.message.find("lock") != std::string::npos);
  CHECK_FALSE(writer.write({change_at({{0, 4096, 1024}}, true)}, nullptr, kShortWait));
  CHECK(fixture.on_disk() == fixture.contents);
  std::thread release([other] {
    usleep(200'000);
    close(other);
  });
  CHECK(writer.write({change_at({{0, 4096, 1024}}, true)}, nullptr, 10'000).value().empty());
  release.join();
  CHECK(fixture.on_disk() == with(fixture.contents, 4096, kNew));
  // The lock is given back with the writer still there.
  const int later = open(fixture.path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(flock(later, LOCK_EX | LOCK_NB) == 0);
  close(later);
}

TEST_CASE("of two that read the same block only one writes") {
  Fixture fixture;
  EnvironmentWriter first = fixture.open();
  EnvironmentWriter second = fixture.open();
  CHECK(first.write({change_at({{0, 4096, 1024}}, true)}, nullptr, kShortWait));
  CHECK_FALSE(second.write({change_at({{0, 4096, 1024}}, true)}, nullptr, kShortWait));
}

TEST_CASE("a disk that nobody may write, or that is another by now, is not opened for writing") {
  const Fixture fixture;
  const auto disk = open_guest_disk(fixture.path);
  REQUIRE(disk);
  REQUIRE(chmod(fixture.path.c_str(), 0444) == 0);
  CHECK_FALSE(EnvironmentWriter::open(fixture.path, *disk));
  REQUIRE(chmod(fixture.path.c_str(), 0600) == 0);
  CHECK(EnvironmentWriter::open(fixture.path, *disk));
  const std::string twin = fixture.folder.write("twin", fixture.contents);
  REQUIRE(rename(twin.c_str(), fixture.path.c_str()) == 0);
  const auto swapped = EnvironmentWriter::open(fixture.path, *disk);
  REQUIRE_FALSE(swapped);
  CHECK(swapped.error().message.find("another file") != std::string::npos);
  CHECK_FALSE(EnvironmentWriter::open(fixture.path + "-gone", *disk));
}

TEST_CASE("the descriptor for writing is closed in every program that is started") {
  const Fixture fixture;
  const auto disk = open_guest_disk(fixture.path);
  REQUIRE(disk);
  const int next = dup(0);
  close(next);
  const auto writer = EnvironmentWriter::open(fixture.path, *disk);
  REQUIRE(writer);
  CHECK((fcntl(next, F_GETFL) & O_ACCMODE) == O_RDWR);
  CHECK((fcntl(next, F_GETFD) & FD_CLOEXEC) != 0);
}
