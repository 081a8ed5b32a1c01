// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/ramdisk.h"

#include <catch2/catch.hpp>

#include "tests/src/worker/fake_file.h"

using namespace pvhgrub;
using namespace pvhgrub::worker;

namespace {

struct Member {
  std::string contents;
  std::optional<std::string> newc_name = std::nullopt;
};

std::string join(const std::vector<Member>& members) {
  std::vector<RamdiskFile> files;
  for (const Member& member : members)
    files.push_back({std::make_unique<FakeFile>(member.contents), member.newc_name});
  auto ramdisk = Ramdisk::join(std::move(files));
  REQUIRE(ramdisk);
  TextSink sink;
  REQUIRE(ramdisk->send(sink));
  CHECK(sink.text.size() == ramdisk->size());
  return sink.text;
}

}  // namespace

TEST_CASE("one initrd is handed over as it is, gzip or not") {
  CHECK(join({{"hello"}}) == "hello");
  CHECK(join({{"\x1f\x8bhello"}}) == "\x1f\x8bhello");
  CHECK(join({{""}}).empty());
}

TEST_CASE("several initrds begin at multiples of four bytes, the last is not padded") {
  CHECK(join({{"abcde"}, {"fg"}, {"h"}}) == std::string("abcde\0\0\0fg\0\0h", 13));
  CHECK(join({{"abcd"}, {"ef"}}) == "abcdef");
}

TEST_CASE("several of which the first is compressed with gzip get an empty archive in front") {
  const std::string ramdisk = join({{"\x1f\x8bxy"}, {"z"}});
  CHECK(ramdisk.size() == 4096 + 5);
  CHECK(ramdisk.starts_with("070701"));
  CHECK(ramdisk.substr(4096) == "\x1f\x8bxyz");
}

TEST_CASE("a run of newc files is one archive that ends before the next plain file") {
  const std::string ramdisk = join({{"hello", "a"}, {"you", "b"}, {"plain"}});
  CHECK(ramdisk.find("TRAILER!!!") == ramdisk.rfind("TRAILER!!!"));
  CHECK(ramdisk.find("TRAILER!!!") > ramdisk.find("you"));
  CHECK(ramdisk.ends_with("plain"));
  CHECK((ramdisk.size() - 5) % 4 == 0);
}

TEST_CASE("newc files at the end get their trailer") {
  const std::string ramdisk = join({{"plain"}, {"hello", "a"}});
  CHECK(ramdisk.starts_with(std::string("plain\0\0\0", 8) + "070701"));
  CHECK(ramdisk.find("TRAILER!!!") > ramdisk.find("hello"));
}
