// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/extent_copier.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/src/broker/temporary_directory.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;
using protocol::OutputKind;
using protocol::Piece;

namespace {

Piece extent_piece(std::uint64_t position, protocol::ExtentMessage extent) {
  Piece piece;
  piece.kind = Piece::Kind::kExtent;
  piece.position = position;
  piece.length = extent.length;
  piece.extent = extent;
  return piece;
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& character : text) {
    state = state * 1664525U + 1013904223U;
    character = static_cast<char>(state >> 24U);
  }
  return text;
}

class Copying {
 public:
  Copying() : directory(*OutputDirectory::open(folder.path())), contents(pattern(20'000'003)) {
    disk.reset(open(source.write("disk", contents).c_str(), O_RDONLY));
    REQUIRE(disk.valid());
  }
  Result<void> drain(ExtentCopier& copier) const {
    while (copier.pending()) PVHGRUB_TRY(copier.step());
    return copier.finish();
  }
  TemporaryDirectory folder;
  TemporaryDirectory source;
  std::shared_ptr<OutputDirectory> directory;
  std::string contents;
  UniqueFd disk;
};

}  // namespace

TEST_CASE("extents, bytes and holes land at their places, in whatever order") {
  Copying setup;
  ExtentCopier copier({setup.disk.get()}, setup.directory);
  REQUIRE(copier.begin(OutputKind::kRamdisk, 20'000'110));
  REQUIRE(copier.add(OutputKind::kRamdisk, extent_piece(0, {0, 1, 20'000'002})));
  Piece bytes;
  bytes.kind = Piece::Kind::kBytes;
  bytes.position = 20'000'002;
  bytes.bytes = as_bytes("12345678");
  REQUIRE(copier.add(OutputKind::kRamdisk, bytes));
  CHECK(copier.pending());
  REQUIRE(setup.drain(copier));
  const std::string expected = setup.contents.substr(1) + "12345678" + std::string(100, '\0');
  CHECK(TemporaryDirectory::read(*copier.path(OutputKind::kRamdisk)) == expected);
  CHECK_FALSE(copier.path(OutputKind::kKernel));
}

TEST_CASE("one step copies a bounded piece") {
  Copying setup;
  ExtentCopier copier({setup.disk.get()}, setup.directory);
  REQUIRE(copier.begin(OutputKind::kKernel, 20'000'003));
  REQUIRE(copier.add(OutputKind::kKernel, extent_piece(0, {0, 0, 20'000'003})));
  std::size_t steps = 0;
  for (; copier.pending(); ++steps) REQUIRE(copier.step());
  CHECK(steps >= 3);
}

TEST_CASE("a disk that shrank is an error that tells the offset") {
  Copying setup;
  ExtentCopier copier({setup.disk.get()}, setup.directory);
  REQUIRE(copier.begin(OutputKind::kKernel, 5));
  REQUIRE(copier.add(OutputKind::kKernel, extent_piece(0, {0, 20'000'000, 5})));
  REQUIRE(copier.step());
  const auto past_end = copier.step();
  REQUIRE_FALSE(past_end);
  CHECK(past_end.error().message.find("20000003") != std::string::npos);
}

TEST_CASE("a disk that shrank is an error also where source and target lie differently in their pages") {
  Copying setup;
  ExtentCopier copier({setup.disk.get()}, setup.directory);
  REQUIRE(copier.begin(OutputKind::kKernel, 200'000));
  REQUIRE(copier.add(OutputKind::kKernel, extent_piece(0, {0, 19'900'001, 200'000})));
  Result<void> result;
  for (int turn = 0; turn < 10 && result; ++turn) result = copier.step();
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("20000003") != std::string::npos);
}

TEST_CASE("a source that only read and write serve is copied all the same") {
  Copying setup;
  const UniqueFd memory(memfd_create("disk", 0));
  REQUIRE(write(memory.get(), setup.contents.data(), setup.contents.size()) > 0);
  ExtentCopier copier({memory.get()}, setup.directory);
  REQUIRE(copier.begin(OutputKind::kKernel, 20'000'003));
  REQUIRE(copier.add(OutputKind::kKernel, extent_piece(0, {0, 0, 20'000'003})));
  REQUIRE(setup.drain(copier));
  CHECK(TemporaryDirectory::read(*copier.path(OutputKind::kKernel)) == setup.contents);
}

TEST_CASE("outputs go away with the copier unless they are kept") {
  Copying setup;
  {
    ExtentCopier copier({setup.disk.get()}, setup.directory);
    REQUIRE(copier.begin(OutputKind::kKernel, 5));
    CHECK(setup.folder.entries() == 1);
  }
  CHECK(setup.folder.entries() == 0);
  ExtentCopier copier({setup.disk.get()}, setup.directory);
  REQUIRE(copier.begin(OutputKind::kKernel, 5));
  copier.keep();
  CHECK(setup.folder.entries() == 1);
}
