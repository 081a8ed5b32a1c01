// SPDX-License-Identifier: LGPL-2.1-or-later
// Images copied while the kernel has them mounted, read by us and then by the kernel: needs root and loop
// devices. Never with inline_data: writing to such a file system with a small journal can deadlock the commit
// thread of Linux 6.18.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "base/unique_fd.h"
#include "fsreaders/ext_file_system.h"
#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {
namespace {

namespace stdfs = std::filesystem;

// A loop mount that ends with the object.
class Mount {
 public:
  Mount(const stdfs::path& image, stdfs::path where, const std::string& options) : where_(std::move(where)) {
    stdfs::create_directories(where_);
    mounted_ = run_quietly("mount -o loop" + (options.empty() ? "" : "," + options) + " " + image.string() +
                           " " + where_.string());
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  ~Mount() {
    if (mounted_ && !run_quietly("umount " + where_.string())) WARN("cannot unmount " << where_);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  stdfs::path where_;
  bool mounted_ = false;
};

void synchronize(const stdfs::path& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.valid()) fsync(fd.get());
}

// Creates, changes, renames, cuts and removes files at random, the same way for one seed.
class Guest {
 public:
  Guest(stdfs::path root, unsigned seed) : root_(std::move(root)), random_(seed) {}

  void work(int operations) {
    for (int i = 0; i < operations; ++i) work_once();
  }
  void synchronize_some() {
    if (!files_.empty()) synchronize(files_[pick(files_.size())]);
  }

 private:
  // A number below `bound`.
  unsigned pick(std::size_t bound) { return static_cast<unsigned>(random_() % bound); }

  void work_once() {
    const unsigned kind = pick(10);
    if (kind < 5 || files_.empty()) {
      const stdfs::path path = root_ / ("d" + std::to_string(pick(20))) / ("f" + std::to_string(++number_));
      std::string contents = noise(pick(60'000), pick(1'000'000));
      if (pick(4) == 0) contents = "\xc0\x3b\x39\x98" + contents;  // the journal's magic, to be escaped
      write_file(path, contents);
      files_.push_back(path);
    } else if (kind < 7) {
      const std::size_t index = pick(files_.size());
      stdfs::remove(files_[index]);
      files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(index));
    } else if (kind == 7) {
      stdfs::path& path = files_[pick(files_.size())];
      const stdfs::path to = root_ / ("r" + std::to_string(++number_));
      stdfs::rename(path, to);
      path = to;
    } else if (kind == 8) {
      stdfs::resize_file(files_[pick(files_.size())], pick(100'000));
    } else {
      std::fstream file(files_[pick(files_.size())], std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(pick(80'000));
      file << noise(pick(5'000), pick(1'000'000));
    }
  }

  stdfs::path root_;
  std::mt19937 random_;
  std::vector<stdfs::path> files_;
  int number_ = 0;
};

}  // namespace

TEST_CASE("an image copied while it is mounted reads as the kernel reads it after its own replay") {
  struct Case {
    const char* make;
    const char* mount;
  };
  const Case one =
      GENERATE(values<Case>({{"-t ext4 -b 1024", ""},
                             {"-t ext4 -b 4096", "data=journal"},
                             {"-t ext3 -b 1024 -J size=1", "data=journal"},
                             {"-t ext4 -b 1024 -O ^metadata_csum", "data=journal,journal_checksum"}}));
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  INFO(one.make << " " << one.mount);
  if (geteuid() != 0 || !make_ext_image(image, 64 << 20, one.make, {})) {
    WARN("skipped: needs root and mke2fs");
    return;
  }
  const Mount live(image, directory.path() / "live", one.mount);
  if (!live.mounted()) {
    WARN("skipped: cannot mount a loop device");
    return;
  }
  Guest guest(directory.path() / "live", 7);
  unsigned replayed = 0;
  for (int round = 0; round < 4; ++round) {
    guest.work(150);
    guest.synchronize_some();
    guest.work(20);
    // A name of its own each round: a loop device may write the rest of the last one after its umount.
    const stdfs::path copy = directory.path() / ("copy" + std::to_string(round));
    stdfs::copy_file(image, copy);
    std::vector<std::string> ours;
    {
      const OpenedImage opened = open_image(copy);
      if (!opened.file_system) FAIL(opened.file_system.error().describe());
      if (!(*opened.file_system)->notes().empty()) ++replayed;
      ours = describe_tree(**opened.file_system, *opened.source);
    }
    const Mount after(copy, directory.path() / "after", "");
    REQUIRE(after.mounted());
    CHECK(ours == describe_directory(directory.path() / "after"));
  }
  CHECK(replayed > 0);
}

TEST_CASE("directories that the kernel indexed by hash are read whole") {
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  if (geteuid() != 0 || !make_ext_image(image, 32 << 20, "-t ext4 -b 1024 -N 20000", {})) {
    WARN("skipped: needs root and mke2fs");
    return;
  }
  std::vector<std::string> expected;
  {
    const Mount live(image, directory.path() / "live", "");
    if (!live.mounted()) {
      WARN("skipped: cannot mount a loop device");
      return;
    }
    for (int i = 0; i < 5000; ++i)
      write_file(directory.path() / "live/entries" / ("entry-with-a-long-name-" + std::to_string(i)), "");
    expected = describe_directory(directory.path() / "live");
    synchronize(directory.path() / "live/entries");
  }
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->list("/entries")->size() == 5000);
  CHECK(describe_tree(**opened.file_system, *opened.source) == expected);
}

}  // namespace pvhgrub::fs::test
