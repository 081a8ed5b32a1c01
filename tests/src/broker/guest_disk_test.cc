// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/guest_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/limits.h"
#include "tests/src/broker/temporary_directory.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;

TEST_CASE("an image file is opened for reading only") {
  const TemporaryDirectory folder;
  const auto disk = open_guest_disk(folder.write("disk", std::string(1000, 'x')));
  REQUIRE(disk);
  CHECK(disk->facts.size == 1000);
  CHECK_FALSE(disk->facts.block_device);
  CHECK((fcntl(disk->fd.get(), F_GETFL) & O_ACCMODE) == O_RDONLY);
}

TEST_CASE("a pipe, a directory, a character device and an empty file are refused, and nothing waits") {
  const TemporaryDirectory folder;
  const std::string pipe = folder.path() + "/pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(open_guest_disk(pipe).error().code == ErrorCode::kUsage);
  CHECK(open_guest_disk(folder.path()).error().code == ErrorCode::kUsage);
  CHECK(open_guest_disk("/dev/null").error().code == ErrorCode::kUsage);
  CHECK(open_guest_disk(folder.write("empty", "")).error().code == ErrorCode::kDamaged);
}

TEST_CASE("a script is held in memory where nobody can change it") {
  const TemporaryDirectory folder;
  const auto script = load_script(folder.write("script", "echo hello"));
  REQUIRE(script);
  std::array<char, 100> text{};
  CHECK(pread(script->get(), text.data(), text.size(), 0) == 10);
  CHECK(pwrite(script->get(), "x", 1, 0) == -1);
  CHECK(ftruncate(script->get(), 0) == -1);
}

TEST_CASE("a script that is too large is a limit") {
  const TemporaryDirectory folder;
  const auto script = load_script(folder.write("script", std::string(limits::kScriptBytes + 1, 'x')));
  REQUIRE_FALSE(script);
  CHECK(script.error().code == ErrorCode::kLimit);
}
