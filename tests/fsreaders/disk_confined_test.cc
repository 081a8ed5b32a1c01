// SPDX-License-Identifier: LGPL-2.1-or-later
// The whole way from a descriptor to a file system under the kind of filter that the worker lives in:
// libfdisk, libblkid and libext2fs must get by with it. openat, ioctl and sysinfo fail; what is not listed
// kills.
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/limits.h"
#include "fsreaders/disk_set.h"
#include "tests/fsreaders/disk_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

// A sanitizer needs calls that the filter kills.
#ifndef PVHGRUB_SANITIZED_BUILD

namespace {

constexpr std::uint64_t kMiB = limits::kMiB;

bool confine() {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  bool good = filter != nullptr;
  for (const int call : {SCMP_SYS(openat), SCMP_SYS(ioctl), SCMP_SYS(sysinfo)})
    good = good && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
  for (const int call :
       {SCMP_SYS(pread64), SCMP_SYS(read), SCMP_SYS(lseek), SCMP_SYS(newfstatat), SCMP_SYS(fadvise64),
        SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise),
        SCMP_SYS(mprotect), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(write), SCMP_SYS(exit_group),
        SCMP_SYS(rt_sigreturn)})
    good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
  good = good && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return good;
}

/// Everything that the set tells of the disk, and one file's contents.
std::string read_all(const DiskInput& input) {
  std::string text;
  Budget budget = Budget::standard();
  const auto set =
      DiskSet::open({input}, budget, [&text](const std::string& where, const std::string& message) {
        text += "note " + where + ": " + message + "\n";
      });
  if (!set) return "error " + set.error().describe() + "\n";
  for (const Device& device : (*set)->devices()) {
    text += device.name + " " + device.partition_uuid + " " + device.partition_type + " " +
            device.partition_label + " " + std::to_string(device.size) + ": ";
    const auto file_system = (*set)->file_system(device.name);
    if (!file_system) {
      text += file_system.error().describe() + "\n";
      continue;
    }
    const auto file = (*file_system)->open("/name");
    const auto contents = file ? read_whole_file(**file, "/name", 1'000, budget)
                               : Result<std::string>(std::unexpected(file.error()));
    text += std::string((*file_system)->type_name()) + " " +
            (contents ? *contents : contents.error().describe()) + "\n";
  }
  return text;
}

struct Confined {
  std::string text;
  int status = 0;  ///< of waitpid(2)
};

Confined read_confined(const DiskInput& input) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The test framework's own handlers would report what is expected here.
    for (const int signal_number : {SIGSYS, SIGSEGV, SIGABRT}) std::signal(signal_number, SIG_DFL);
    if (!confine()) _exit(100);
    const std::string text = read_all(input);
    const bool written = write(writing.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(written ? 0 : 101);
  }
  writing.reset();
  Confined result;
  std::array<char, 4096> buffer{};
  for (ssize_t count = 0; (count = read(reading.get(), buffer.data(), buffer.size())) > 0;)
    result.text.append(buffer.data(), static_cast<std::size_t>(count));
  REQUIRE(waitpid(child, &result.status, 0) == child);
  return result;
}

/// Fills 48 MiB of `device` with a table of that sector size and two ext4, the second on a logical or third
/// partition.
void make_disk(Image& image, bool gpt, std::uint32_t sector_size) {
  const std::uint32_t mib = static_cast<std::uint32_t>(kMiB) / sector_size;
  if (gpt) {
    GptMaker maker;
    maker.sector_size = sector_size;
    maker.entries = {GptEntry{mib, 9 * mib - 1, "first", 0}, GptEntry{16 * mib, 24 * mib - 1, "second", 4}};
    maker.write(image);
  } else {
    write_boot_record(image, 0, {{0x83, mib, 8 * mib, 0x80}, {0x05, 15 * mib, 20 * mib, 0}}, 0xDEAD'BEEF);
    write_boot_record(image, 15 * kMiB, {{0x83, mib, 8 * mib, 0}});
  }
  for (const std::uint64_t offset : {kMiB, 16 * kMiB})
    REQUIRE(run("d=$(mktemp -d) && echo -n at " + std::to_string(offset) +
                " >$d/name && PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -d $d -E offset=" +
                std::to_string(offset) + " " + image.path() +
                " 8192k >/dev/null 2>&1; s=$?; rm -rf $d; exit $s"));
}

void check_confined(const DiskInput& input, bool gpt) {
  const std::string free_text = read_all(input);
  CHECK(free_text.find("ext2 at 1048576") != std::string::npos);
  CHECK(free_text.find("ext2 at 16777216") != std::string::npos);
  CHECK(free_text.find(gpt ? "hd0,gpt2" : "hd0,msdos5") != std::string::npos);
  const Confined confined = read_confined(input);
  INFO("status " << confined.status);
  CHECK(WIFEXITED(confined.status));
  CHECK(confined.status == 0);
  CHECK(confined.text == free_text);
}

}  // namespace

TEST_CASE("the filter of these tests kills what it does not list") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSYS, SIG_DFL);
    if (!confine()) _exit(100);
    _exit(getppid() != 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSYS);
}

TEST_CASE("an image file is read confined as it is unconfined") {
  if (!have_programs({"mke2fs"})) return;
  const bool gpt = GENERATE(true, false);
  const std::uint32_t sector_size = gpt ? GENERATE(512U, 4096U) : 512U;
  Image image(48 * kMiB);
  make_disk(image, gpt, sector_size);
  check_confined(image.input(), gpt);
}

TEST_CASE("a block device is read confined as it is unconfined, by sectors of 512 and of 4096 bytes") {
  if (!have_programs({"mke2fs"})) return;
  const bool gpt = GENERATE(true, false);
  const std::uint32_t sector_size = GENERATE(512U, 4096U);
  Image image(48 * kMiB);
  make_disk(image, gpt, sector_size);
  const auto device = LoopDevice::attach(image.path(), sector_size);
  if (!device) return;
  CHECK(device->input().sector_size == sector_size);
  check_confined(device->input(), gpt);
}

TEST_CASE("a block device's backup GPT is found confined") {
  if (!have_programs({"mke2fs"})) return;
  const std::uint32_t sector_size = GENERATE(512U, 4096U);
  Image image(48 * kMiB);
  make_disk(image, true, sector_size);
  image.fill(sector_size, sector_size, std::byte{0});
  const auto device = LoopDevice::attach(image.path(), sector_size);
  if (!device) return;
  check_confined(device->input(), true);
}

TEST_CASE("damaged tables are refused confined with the same words") {
  Image image(16 * kMiB);
  write_boot_record(image, 0, {MsdosEntry{0xEE, 1, 0xFFFF'FFFF, 0}});
  const Confined confined = read_confined(image.input());
  CHECK(confined.status == 0);
  CHECK(confined.text == read_all(image.input()));
  CHECK(confined.text.starts_with("error hd0: the partition table is damaged"));
}

#endif
