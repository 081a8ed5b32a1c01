// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/output_files.h"

#include <sys/stat.h>

#include "tests/src/broker/temporary_directory.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;

TEST_CASE("an output is a new private file that goes away unless it is kept") {
  const TemporaryDirectory folder;
  auto directory = OutputDirectory::open(folder.path() + "//");
  REQUIRE(directory);
  std::string kept;
  {
    auto lost = OutputFile::create(*directory, "boot_kernel.");
    auto kept_file = OutputFile::create(*directory, "boot_kernel.");
    REQUIRE((lost && kept_file));
    CHECK(lost->path() != kept_file->path());
    struct stat status = {};
    REQUIRE(fstat(lost->fd(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    kept_file->keep();
    kept = kept_file->path();
    CHECK(folder.entries() == 2);
  }
  CHECK(folder.entries() == 1);
  CHECK(std::filesystem::exists(kept));
}

TEST_CASE("an output that was moved away from is removed once, by its last owner") {
  const TemporaryDirectory folder;
  auto directory = OutputDirectory::open(folder.path());
  REQUIRE(directory);
  auto first = OutputFile::create(*directory, "a.");
  auto second = OutputFile::create(*directory, "b.");
  REQUIRE((first && second));
  *first = std::move(*second);
  CHECK(folder.entries() == 1);
  CHECK(std::filesystem::exists(first->path()));
}

TEST_CASE("a directory that is not there is an error that names it") {
  const auto directory = OutputDirectory::open("/nowhere/at/all");
  REQUIRE_FALSE(directory);
  CHECK(directory.error().describe().find("/nowhere/at/all") != std::string::npos);
}

TEST_CASE("the result replaces what its file held, and a failure leaves it empty") {
  const TemporaryDirectory folder;
  const std::string path = folder.write("result", "something longer than the record");
  auto file = ResultFile::open(path);
  REQUIRE(file);
  REQUIRE(file->write("record"));
  CHECK(TemporaryDirectory::read(path) == "record");
  file->clear();
  CHECK(TemporaryDirectory::read(path).empty());
}
