// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/sandbox_error.h"

namespace pvhgrub::sandbox {
namespace {

constexpr rlim_t kProbedOneByOne = 65'536;

struct DirectoryClose {
  void operator()(DIR* directory) const { closedir(directory); }
};

/// Nothing where there is no /proc.
std::optional<std::vector<int>> listed_descriptors() {
  const std::unique_ptr<DIR, DirectoryClose> directory(opendir("/proc/self/fd"));
  if (directory == nullptr) return std::nullopt;
  std::vector<int> found;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    int fd = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), fd).ec != std::errc{})
      continue;  // "." and ".."
    if (fd != dirfd(directory.get())) found.push_back(fd);
  }
  return found;
}

std::vector<int> probed_descriptors() {
  rlimit limit{.rlim_cur = kProbedOneByOne, .rlim_max = kProbedOneByOne};
  getrlimit(RLIMIT_NOFILE, &limit);
  std::vector<int> found;
  for (int fd = 0; fd < static_cast<int>(std::min(limit.rlim_max, kProbedOneByOne)); ++fd)
    if (fcntl(fd, F_GETFD) != -1) found.push_back(fd);
  return found;
}

}  // namespace

Result<void> check_descriptors(std::span<const int> expected) {
  std::vector<int> wanted{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  wanted.insert(wanted.end(), expected.begin(), expected.end());
  std::ranges::sort(wanted);
  std::optional<std::vector<int>> found = listed_descriptors();
  if (!found) found = probed_descriptors();
  std::ranges::sort(*found);
  for (const int fd : wanted)
    if (!std::ranges::binary_search(*found, fd))
      return sandbox_failure("descriptor " + std::to_string(fd) + " is not open");
  for (const int fd : *found)
    if (!std::ranges::binary_search(wanted, fd))
      return sandbox_failure("descriptor " + std::to_string(fd) + " is open, but nobody granted it");
  return {};
}

Result<void> check_read_only(std::span<const int> disks) {
  for (const int fd : disks) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return sandbox_failure("cannot look at descriptor " + std::to_string(fd), errno);
    if ((flags & O_ACCMODE) != O_RDONLY)
      return sandbox_failure("the disk on descriptor " + std::to_string(fd) + " is open for writing");
  }
  return {};
}

}  // namespace pvhgrub::sandbox
