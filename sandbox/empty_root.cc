// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/empty_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "sandbox/sandbox_error.h"

namespace pvhgrub::sandbox {
namespace {

/// Where the tmpfs is mounted for a moment, in a namespace that nobody else sees. The worker, already loaded
/// with all its libraries, opens nothing below it any more. The few systems without it are served by the
/// detached tmpfs below.
constexpr const char* kMountPoint = "/usr";
constexpr unsigned long kMountFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
/// One inode: the directory itself.
constexpr const char* kTmpfsOptions = "nr_inodes=1,mode=0555";

/// pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is then unmounted.
Result<void> pivot_to_tmpfs() {
  // First of all, or our mounts would show up in the host. Fails where "/" is no mount point: the caller is
  // chrooted.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return sandbox_failure("cannot make the mounts private", errno);
  if (mount("tmpfs", kMountPoint, "tmpfs", kMountFlags, kTmpfsOptions) != 0)
    return sandbox_failure("cannot mount an empty tmpfs", errno);
  if (chdir(kMountPoint) != 0) return sandbox_failure("cannot enter the empty tmpfs", errno);
  if (syscall(SYS_pivot_root, ".", ".") != 0) return sandbox_failure("pivot_root is refused", errno);
  if (umount2(".", MNT_DETACH) != 0) return sandbox_failure("cannot unmount the old root", errno);
  if (chdir("/") != 0) return sandbox_failure("cannot enter the new root", errno);
  return {};
}

// From include/uapi/linux/mount.h (5.2); the numbers are the same on every architecture.
constexpr long kFsopenCall = 430;
constexpr long kFsconfigCall = 431;
constexpr long kFsmountCall = 432;
constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsconfigSetString = 1;
constexpr unsigned kFsconfigCreate = 6;
constexpr unsigned kFsmountCloexec = 1;
constexpr unsigned kMountAttributes = 0x1 | 0x2 | 0x4 | 0x8;  // RDONLY, NOSUID, NODEV, NOEXEC

/// For a caller in a chroot, where nothing can be pivoted: a tmpfs that is mounted nowhere. The host's mounts
/// stay in the namespace, but without capabilities and directory descriptors no path leads out of a chroot.
Result<void> chroot_to_detached_tmpfs() {
  const UniqueFd context(static_cast<int>(syscall(kFsopenCall, "tmpfs", kFsopenCloexec)));
  if (!context.valid()) return sandbox_failure("cannot open a detached tmpfs", errno);
  const auto set = [&](const char* key, const char* value) {
    return syscall(kFsconfigCall, context.get(), kFsconfigSetString, key, value, 0) == 0;
  };
  if (!set("nr_inodes", "1") || !set("mode", "0555") ||
      syscall(kFsconfigCall, context.get(), kFsconfigCreate, nullptr, nullptr, 0) != 0)
    return sandbox_failure("cannot configure a detached tmpfs", errno);
  const UniqueFd root(
      static_cast<int>(syscall(kFsmountCall, context.get(), kFsmountCloexec, kMountAttributes)));
  if (!root.valid()) return sandbox_failure("cannot mount a detached tmpfs", errno);
  if (fchdir(root.get()) != 0 || chroot(".") != 0)
    return sandbox_failure("cannot enter a detached tmpfs", errno);
  return {};
}

struct DirectoryClose {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

Result<RootKind> enter_empty_root() {
  Result<void> pivoted = pivot_to_tmpfs();
  if (pivoted) return RootKind::kPivoted;
  if (chroot_to_detached_tmpfs()) return RootKind::kDetached;
  return std::unexpected(std::move(pivoted).error());
}

Result<void> check_empty_root() {
  const std::unique_ptr<DIR, DirectoryClose> directory(opendir("/"));
  if (directory == nullptr) return sandbox_failure("cannot look into the new root", errno);
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return sandbox_failure("the new root is not empty");
    errno = 0;
  }
  if (errno != 0) return sandbox_failure("cannot read the new root", errno);
  struct stat root{}, parent{}, current{};
  if (stat("/", &root) != 0 || stat("/..", &parent) != 0 || stat(".", &current) != 0)
    return sandbox_failure("cannot look at the new root", errno);
  const auto same = [&root](const struct stat& other) {
    return other.st_dev == root.st_dev && other.st_ino == root.st_ino;
  };
  if (!same(parent) || !same(current)) return sandbox_failure("a directory outside the new root is in reach");
  return {};
}

}  // namespace pvhgrub::sandbox
