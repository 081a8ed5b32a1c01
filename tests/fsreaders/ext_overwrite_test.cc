// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a file's contents may be overwritten in place, and where not. The images are made and changed by
// e2fsprogs, and judged by it after overwriting.
#include <ext2fs/ext2fs.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "fsreaders/ext_file_system.h"
#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {
namespace {

namespace stdfs = std::filesystem;

constexpr std::uint64_t kImageBytes = std::uint64_t{8} << 20U;

bool have_tools() {
  static const bool have = run_quietly("command -v mke2fs") && run_quietly("command -v debugfs") &&
                           run_quietly("command -v e2fsck");
  if (!have) WARN("skipped: mke2fs, debugfs or e2fsck is missing");
  return have;
}

// An image with one file, /env, of `size` bytes.
struct Fixture {
  explicit Fixture(const std::string& options = "-t ext4 -b 1024", std::size_t size = 1024)
      : contents(noise(size, 7)) {
    write_file(directory.path() / "tree/env", contents);
    REQUIRE(make_ext_image(image, kImageBytes, options, directory.path() / "tree"));
  }

  // Runs one command of debugfs on the image.
  Fixture& debugfs(const std::string& command) {
    REQUIRE(run_quietly("debugfs -w -R '" + command + "' " + image.string()));
    return *this;
  }

  Result<std::vector<DiskExtent>> extents(const std::string& path = "/env") {
    OpenedImage opened = open_image(image);
    REQUIRE(opened.file_system);
    const auto file = (*opened.file_system)->open(path);
    REQUIRE(file);
    return (*file)->overwritable_extents();
  }

  // Why not; empty where it can be overwritten.
  std::string refusal(const std::string& path = "/env") {
    const auto found = extents(path);
    if (found) return {};
    CHECK(found.error().code == ErrorCode::kUnsupported);
    return found.error().message;
  }

  TemporaryDirectory directory;
  stdfs::path image = directory.path() / "image";
  std::string contents;
};

}  // namespace

TEST_CASE("What is written over a file's extents is the file to e2fsprogs too") {
  if (!have_tools()) return;
  for (const char* options :
       {"-t ext4 -b 1024", "-t ext4 -b 4096", "-t ext2 -b 1024", "-t ext3 -b 2048",
        "-t ext4 -b 4096 -O bigalloc -C 16384", "-t ext2 -r 0 -b 1024", "-t ext4 -O metadata_csum,64bit"}) {
    for (const std::size_t size : {1U, 512U, 1024U, 1500U, 5000U, 16384U}) {
      INFO(options << ", " << size << " bytes");
      Fixture fixture(options, size);
      const auto extents = fixture.extents();
      REQUIRE(extents);
      const std::string fresh = noise(size, 8);
      std::fstream image(fixture.image, std::ios::in | std::ios::out | std::ios::binary);
      std::size_t done = 0;
      for (const DiskExtent& extent : *extents) {
        std::string old(static_cast<std::size_t>(extent.length), '\0');
        image.seekg(static_cast<std::streamoff>(extent.offset))
            .read(old.data(), static_cast<std::streamsize>(old.size()));
        CHECK(old == fixture.contents.substr(done, old.size()));
        image.seekp(static_cast<std::streamoff>(extent.offset))
            .write(fresh.data() + done, static_cast<std::streamsize>(extent.length));
        done += old.size();
      }
      CHECK(done == size);
      image.close();
      CHECK(run_quietly("e2fsck -fn " + fixture.image.string()));
      const stdfs::path dumped = fixture.directory.path() / "dumped";
      CHECK(run_quietly("debugfs -R 'dump /env " + dumped.string() + "' " + fixture.image.string()));
      std::ifstream stream(dumped, std::ios::binary);
      CHECK(std::string(std::istreambuf_iterator<char>(stream), {}) == fresh);
    }
  }
}

TEST_CASE("A file in pieces has its extents in order, and a hole between them refuses all") {
  if (!have_tools()) return;
  // An indirect block lies behind the first twelve.
  Fixture pieces("-t ext2 -b 1024", 16384);
  const auto extents = pieces.extents();
  REQUIRE(extents);
  REQUIRE(extents->size() == 2);
  CHECK(extents->at(0).length == 12 * 1024);
  CHECK(extents->at(1).length == 4 * 1024);
  Fixture holed("-t ext4 -b 1024", 4096);
  holed.debugfs("punch /env 1 2");
  CHECK(holed.refusal().find("no block of its own") != std::string::npos);
}

TEST_CASE("Contents that have no block of their own cannot be overwritten") {
  if (!have_tools()) return;
  Fixture sparse;
  sparse.debugfs("sif /env size 2048");
  CHECK(sparse.refusal().find("sparse") != std::string::npos);
  Fixture unwritten;
  unwritten.debugfs("write /dev/null /new").debugfs("fallocate /new 0 0").debugfs("sif /new size 1024");
  CHECK(unwritten.refusal("/new").find("never written") != std::string::npos);
  CHECK(unwritten.refusal().empty());
  Fixture empty;
  empty.debugfs("write /dev/null /new");
  CHECK(empty.refusal("/new") == "the file is empty");
  Fixture in_inode("-t ext4 -b 4096 -I 2048 -N 64 -O inline_data", 1024);
  CHECK(in_inode.refusal().find("inline_data") != std::string::npos);
}

TEST_CASE("Files that are marked as ones that must not change are left alone") {
  if (!have_tools()) return;
  for (const auto& [flag, word] :
       {std::pair{EXT2_IMMUTABLE_FL, "chattr"}, {EXT2_APPEND_FL, "chattr"}, {EXT4_VERITY_FL, "fs-verity"}}) {
    Fixture fixture;
    fixture.debugfs("sif /env flags " + std::to_string(EXT4_EXTENTS_FL | flag));
    CHECK(fixture.refusal().find(word) != std::string::npos);
  }
}

TEST_CASE("A file system that others use, or that needs e2fsck, is left alone") {
  if (!have_tools()) return;
  for (const auto& [command, word] :
       {std::pair{"feature +needs_recovery", "journal"}, std::pair{"ssv state 0", "in use"},
        std::pair{"ssv state 3", "damaged"}, std::pair{"feature +mmp", "mmp"}}) {
    INFO(command);
    Fixture fixture;
    fixture.debugfs(command);
    CHECK(fixture.refusal().find(word) != std::string::npos);
  }
}

TEST_CASE("Features that only readers may not know are refused, but those that leave contents alone") {
  if (!have_tools()) return;
  Fixture fixture;
  for (unsigned bit = 0; bit < 32; ++bit) {
    const std::uint32_t feature = std::uint32_t{1} << bit;
    constexpr std::uint32_t kHarmless =
        0xa77b;  // all that Linux knows up to verity, but shared_blocks and read-only
    if (feature == EXT4_FEATURE_RO_COMPAT_GDT_CSUM || feature == EXT4_FEATURE_RO_COMPAT_METADATA_CSUM ||
        feature == EXT4_FEATURE_RO_COMPAT_BIGALLOC)
      continue;  // they change how the image is read
    INFO("feature " << bit);
    OpenedImage opened = open_image(fixture.image);
    std::vector<std::byte> bytes = opened.source->bytes();
    // The superblock's own checksum is not asked for by this image.
    for (unsigned i = 0; i < 4; ++i)
      bytes.at(1024 + 0x64 + i) |= static_cast<std::byte>((feature >> (8 * i)) & 0xffU);
    OpenedImage changed = open_bytes(std::move(bytes));
    if (!changed.file_system) continue;  // libext2fs refuses some itself
    const auto file = (*changed.file_system)->open("/env");
    REQUIRE(file);
    CHECK((*file)->overwritable_extents().has_value() == ((feature & kHarmless) != 0));
  }
}

}  // namespace pvhgrub::fs::test
