// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/sandbox/probes.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

namespace pvhgrub::sandbox::test {
namespace {

using Context = const ProbeContext&;
using enum Expected;
using enum Unfiltered;

constexpr const char* kPath = "/etc/passwd";
constexpr std::size_t kPage = 4096;

// Numbers that the C headers of an old build machine lack; the same on every architecture (424 and up).
constexpr long kOpenTree = 428;
constexpr long kMoveMount = 429;
constexpr long kFsopen = 430;
constexpr long kPidfdOpen = 434;
constexpr long kClone3 = 435;
constexpr long kOpenat2 = 437;
constexpr long kPidfdGetfd = 438;
constexpr long kFaccessat2 = 439;
constexpr long kProcessMadvise = 440;
constexpr long kLandlockCreateRuleset = 444;

// Aligned for futex(2).
alignas(8) std::array<char, 64> buffer;

/// A page of the worker's own, as malloc gets its blocks.
void* page() {
  return mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

long map(int protection, int flags, int fd) {
  return syscall(SYS_mmap, nullptr, kPage, protection, flags, fd, 0);
}

/// A child that came to be must not report a second time.
long ended_if_child(long result) {
  if (result == 0) _exit(0);
  return result;
}

long send_descriptor() {
  iovec piece{.iov_base = buffer.data(), .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = kDisk;
  std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  return syscall(SYS_sendmsg, kChannel, &message, 0);
}

long connect_abstract() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, "\0/tmp/.X11-unix/X0", 18);
  return syscall(SYS_connect, kChannel, &address, sizeof(address));
}

long read_memory(Context context) {
  iovec local{.iov_base = buffer.data(), .iov_len = 8};
  iovec remote{.iov_base = &buffer, .iov_len = 8};
  return syscall(SYS_process_vm_readv, context.broker, &local, 1, &remote, 1, 0);
}

long execute(const char* path) {
  const char* const none[] = {path, nullptr};
  return syscall(SYS_execve, path, none, none + 1);
}

#ifdef __x86_64__
/// getpid by i386's gate: its numbers mean other calls, so a filter on numbers alone would be blind.
long foreign_gate() {
  long result = 0;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
  return result;
}
#endif

constexpr Probe kProbes[] = {
    // What the worker lives on: each row of the table with arguments that it takes.
    {"pread of a disk", "pread64", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_pread64, kDisk, buffer.data(), 4, 0); }},
    {"pread of the second disk", "pread64", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_pread64, kSecondDisk, buffer.data(), 4, 0); }},
    {"read of a disk", "read", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_read, kDisk, buffer.data(), 4); }},
    {"lseek in a disk", "lseek", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_lseek, kDisk, 1, SEEK_SET); }},
    {"posix_fadvise of a disk", "fadvise64", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_fadvise64, kDisk, 0, 0, POSIX_FADV_DONTNEED); }},
    {"fstat of a disk", "fstat", kAllowed, kNotRun,
     [](Context) {
       struct stat information {};
       return syscall(SYS_fstat, kDisk, &information);
     }},
    {"newfstatat of a disk", "newfstatat", kAllowed, kNotRun,
     [](Context) {
       struct stat information {};
       return syscall(SYS_newfstatat, kDisk, "", &information, AT_EMPTY_PATH);
     }},
    {"write to the channel", "write", kAllowed, kNotRun, [](Context) { return syscall(SYS_write, kChannel, "\n", 1); }},
    {"brk", "brk", kAllowed, kNotRun, [](Context) { return syscall(SYS_brk, 0); }},
    {"mmap of fresh memory", "mmap", kAllowed, kNotRun,
     [](Context) { return map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1); }},
    {"munmap", "munmap", kAllowed, kNotRun, [](Context) { return syscall(SYS_munmap, page(), kPage); }},
    {"mremap", "mremap", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_mremap, page(), 2 * kPage, 8 * kPage, MREMAP_MAYMOVE); }},
    {"mprotect read only", "mprotect", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_mprotect, page(), kPage, PROT_READ); }},
    {"madvise away", "madvise", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_madvise, page(), kPage, MADV_DONTNEED); }},
    {"futex wake", "futex", kAllowed, kNotRun,
     [](Context) { return syscall(SYS_futex, buffer.data(), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0); }},
    {"clock_gettime", "clock_gettime", kAllowed, kNotRun,
     [](Context) {
       timespec time{};
       return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
     }},
    {"exit_group", "exit_group", kAllowed, kNotRun, [](Context) { return syscall(SYS_exit_group, 0); }},

    // Refused without harm.
    {"openat of a host file", "openat", kRefused, kBlocked,
     [](Context) { return syscall(SYS_openat, AT_FDCWD, kPath, O_RDONLY, 0); }},
    {"openat of a new file", "openat", kRefused, kBlocked,
     [](Context) { return syscall(SYS_openat, AT_FDCWD, "/tmp/pvhgrub-probe", O_CREAT | O_WRONLY, 0600); }},
    {"openat of its own memory", "openat", kRefused, kBlocked,
     [](Context) { return syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR, 0); }},
    {"openat of a device", "openat", kRefused, kBlocked,
     [](Context) { return syscall(SYS_openat, AT_FDCWD, "/dev/kmsg", O_RDWR, 0); }},
    {"ioctl TIOCSTI", "ioctl", kRefused, kBlocked, [](Context) { return syscall(SYS_ioctl, 0, TIOCSTI, "x"); }},
    {"ioctl TIOCSTI with high bits", "ioctl", kRefused, kBlocked,
     [](Context) { return syscall(SYS_ioctl, 0, (1UL << 40) | TIOCSTI, "x"); }},
    {"ioctl TIOCLINUX", "ioctl", kRefused, kBlocked, [](Context) { return syscall(SYS_ioctl, 0, TIOCLINUX, "\2"); }},
    {"ioctl on a disk", "ioctl", kRefused, kNotRun, [](Context) { return syscall(SYS_ioctl, kDisk, 0x125D, 0); }},
    {"ioctl FIONREAD on the channel", "ioctl", kRefused, kNotRun,
     [](Context) { return syscall(SYS_ioctl, kChannel, FIONREAD, buffer.data()); }},
    {"sysinfo", "sysinfo", kRefused, kNotRun,
     [](Context) {
       struct sysinfo information {};
       return syscall(SYS_sysinfo, &information);
     }},
    {"close of a disk", "close", kRefused, kNotRun, [](Context) { return syscall(SYS_close, kDisk); }},

    // The same calls with other arguments.
    {"pread of the channel", "pread64", kKilled, kNotRun,
     [](Context) { return syscall(SYS_pread64, kChannel, buffer.data(), 4, 0); }},
    {"pread of stdin", "pread64", kKilled, kNotRun,
     [](Context) { return syscall(SYS_pread64, 0, buffer.data(), 4, 0); }},
    {"pread of a disk's number with high bits", "pread64", kKilled, kNotRun,
     [](Context) { return syscall(SYS_pread64, (1L << 32) | kDisk, buffer.data(), 4, 0); }},
    {"read of the channel", "read", kKilled, kNotRun,
     [](Context) { return syscall(SYS_read, kChannel, buffer.data(), 4); }},
    {"lseek in stdin", "lseek", kKilled, kNotRun, [](Context) { return syscall(SYS_lseek, 0, 0, SEEK_SET); }},
    {"posix_fadvise of stdin", "fadvise64", kKilled, kNotRun,
     [](Context) { return syscall(SYS_fadvise64, 0, 0, 0, POSIX_FADV_DONTNEED); }},
    {"fstat of the channel", "fstat", kKilled, kNotRun,
     [](Context) {
       struct stat information {};
       return syscall(SYS_fstat, kChannel, &information);
     }},
    {"newfstatat of a path", "newfstatat", kKilled, kNotRun,
     [](Context) {
       struct stat information {};
       return syscall(SYS_newfstatat, AT_FDCWD, kPath, &information, AT_EMPTY_PATH);
     }},
    {"newfstatat without AT_EMPTY_PATH", "newfstatat", kKilled, kNotRun,
     [](Context) {
       struct stat information {};
       return syscall(SYS_newfstatat, kDisk, kPath, &information, 0);
     }},
    {"write to a disk", "write", kKilled, kNotRun, [](Context) { return syscall(SYS_write, kDisk, "evil", 4); }},
    {"write to stderr", "write", kKilled, kBlocked, [](Context) { return syscall(SYS_write, 2, "evil", 4); }},
    {"mmap executable", "mmap", kKilled, kNotRun,
     [](Context) { return map(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1); }},
    {"mmap writable and executable", "mmap", kKilled, kNotRun,
     [](Context) { return map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1); }},
    {"mmap shared", "mmap", kKilled, kNotRun,
     [](Context) { return map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1); }},
    {"mmap at a fixed address", "mmap", kKilled, kNotRun,
     [](Context) { return map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1); }},
    {"mmap of a disk", "mmap", kKilled, kNotRun, [](Context) { return map(PROT_READ, MAP_PRIVATE, kDisk); }},
    {"mmap anonymous with a descriptor", "mmap", kKilled, kNotRun,
     [](Context) { return map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, kDisk); }},
    {"mremap to a fixed address", "mremap", kKilled, kNotRun,
     [](Context) {
       return syscall(SYS_mremap, page(), kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, page());
     }},
    {"mprotect executable", "mprotect", kKilled, kNotRun,
     [](Context) { return syscall(SYS_mprotect, page(), kPage, PROT_READ | PROT_EXEC); }},
    {"madvise hardware poison", "madvise", kKilled, kNotRun,
     [](Context) { return syscall(SYS_madvise, page(), kPage, 100); }},
    {"futex wait", "futex", kKilled, kNotRun,
     [](Context) { return syscall(SYS_futex, buffer.data(), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0); }},

    // Files.
    {"openat2", "openat2", kKilled, kBlocked,
     [](Context) {
       std::array<std::uint64_t, 3> how{};
       return syscall(kOpenat2, AT_FDCWD, kPath, how.data(), sizeof(how));
     }},
    {"mkdirat", "mkdirat", kKilled, kBlocked,
     [](Context) { return syscall(SYS_mkdirat, AT_FDCWD, "/tmp/pvhgrub-probe", 0700); }},
    {"unlinkat", "unlinkat", kKilled, kBlocked, [](Context) { return syscall(SYS_unlinkat, AT_FDCWD, kPath, 0); }},
    {"renameat2", "renameat2", kKilled, kBlocked,
     [](Context) { return syscall(SYS_renameat2, AT_FDCWD, "/tmp", AT_FDCWD, "/tmp2", 0); }},
    {"symlinkat", "symlinkat", kKilled, kBlocked,
     [](Context) { return syscall(SYS_symlinkat, kPath, AT_FDCWD, "/tmp/pvhgrub-probe"); }},
    {"linkat of a disk", "linkat", kKilled, kBlocked,
     [](Context) { return syscall(SYS_linkat, kDisk, "", AT_FDCWD, "/tmp/pvhgrub-probe", AT_EMPTY_PATH); }},
    {"mknodat", "mknodat", kKilled, kBlocked,
     [](Context) { return syscall(SYS_mknodat, AT_FDCWD, "/tmp/pvhgrub-probe", S_IFIFO | 0600, 0); }},
    {"fchmod of a disk", "fchmod", kKilled, kNotRun, [](Context) { return syscall(SYS_fchmod, kDisk, 0777); }},
    {"fchmodat", "fchmodat", kKilled, kBlocked, [](Context) { return syscall(SYS_fchmodat, AT_FDCWD, kPath, 0777); }},
    {"fchownat", "fchownat", kKilled, kBlocked,
     [](Context) { return syscall(SYS_fchownat, AT_FDCWD, kPath, 0, 0, 0); }},
    {"truncate", "truncate", kKilled, kBlocked, [](Context) { return syscall(SYS_truncate, kPath, 0); }},
    {"ftruncate of a disk", "ftruncate", kKilled, kBlocked, [](Context) { return syscall(SYS_ftruncate, kDisk, 0); }},
    {"fallocate on a disk", "fallocate", kKilled, kBlocked,
     [](Context) { return syscall(SYS_fallocate, kDisk, 3, 0, kPage); }},
    {"pwrite to a disk", "pwrite64", kKilled, kBlocked,
     [](Context) { return syscall(SYS_pwrite64, kDisk, "evil", 4, 0); }},
    {"pwritev to a disk", "pwritev", kKilled, kBlocked,
     [](Context) {
       iovec piece{.iov_base = buffer.data(), .iov_len = 4};
       return syscall(SYS_pwritev, kDisk, &piece, 1, 0, 0);
     }},
    {"writev to the channel", "writev", kKilled, kNotRun,
     [](Context) {
       iovec piece{.iov_base = buffer.data(), .iov_len = 0};
       return syscall(SYS_writev, kChannel, &piece, 1);
     }},
    {"sendfile", "sendfile", kKilled, kBlocked, [](Context) { return syscall(SYS_sendfile, kDisk, kDisk, 0, 4); }},
    {"copy_file_range", "copy_file_range", kKilled, kBlocked,
     [](Context) { return syscall(SYS_copy_file_range, kDisk, 0, kSecondDisk, 0, 4, 0); }},
    {"splice", "splice", kKilled, kBlocked, [](Context) { return syscall(SYS_splice, kDisk, 0, kDisk, 0, 4, 0); }},
    // Landlock does not govern what a link says; only the empty root hides it.
    {"readlinkat", "readlinkat", kKilled, kNotRun,
     [](Context) { return syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", buffer.data(), buffer.size()); }},
    {"getdents64", "getdents64", kKilled, kNotRun,
     [](Context) { return syscall(SYS_getdents64, kDisk, buffer.data(), buffer.size()); }},
    {"statx", "statx", kKilled, kNotRun,
     [](Context) {
       std::array<char, 256> information{};
       return syscall(SYS_statx, AT_FDCWD, kPath, 0, 0, information.data());
     }},
    {"faccessat2", "faccessat2", kKilled, kNotRun, [](Context) { return syscall(kFaccessat2, AT_FDCWD, kPath, 0, 0); }},
    {"name_to_handle_at", "name_to_handle_at", kKilled, kNotRun,
     [](Context) { return syscall(SYS_name_to_handle_at, AT_FDCWD, kPath, buffer.data(), buffer.data() + 32, 0); }},
    {"open_by_handle_at", "open_by_handle_at", kKilled, kBlocked,
     [](Context) { return syscall(SYS_open_by_handle_at, kDisk, buffer.data(), O_RDONLY); }},
    {"chdir", "chdir", kKilled, kNotRun, [](Context) { return syscall(SYS_chdir, ".."); }},
    {"fchdir", "fchdir", kKilled, kBlocked, [](Context) { return syscall(SYS_fchdir, kDisk); }},
    {"chroot", "chroot", kKilled, kBlocked, [](Context) { return syscall(SYS_chroot, ".."); }},
    {"mount", "mount", kKilled, kBlocked, [](Context) { return syscall(SYS_mount, "proc", "/", "proc", 0, 0); }},
    {"remount writable", "mount", kKilled, kBlocked,
     [](Context) { return syscall(SYS_mount, 0, "/", 0, 32 /* MS_REMOUNT */, 0); }},
    {"umount2", "umount2", kKilled, kBlocked, [](Context) { return syscall(SYS_umount2, "/", 2); }},
    {"pivot_root", "pivot_root", kKilled, kBlocked, [](Context) { return syscall(SYS_pivot_root, ".", "."); }},
    {"open_tree", "open_tree", kKilled, kBlocked, [](Context) { return syscall(kOpenTree, AT_FDCWD, "/", 1); }},
    {"move_mount", "move_mount", kKilled, kBlocked,
     [](Context) { return syscall(kMoveMount, kDisk, "", AT_FDCWD, "/", 4); }},
    {"fsopen", "fsopen", kKilled, kBlocked, [](Context) { return syscall(kFsopen, "tmpfs", 0); }},
    {"flock on a disk", "flock", kKilled, kNotRun, [](Context) { return syscall(SYS_flock, kDisk, 6); }},
    {"fsync of a disk", "fsync", kKilled, kNotRun, [](Context) { return syscall(SYS_fsync, kDisk); }},
    {"inotify_init1", "inotify_init1", kKilled, kBlocked, [](Context) { return syscall(SYS_inotify_init1, 0); }},
    {"quotactl", "quotactl", kKilled, kBlocked, [](Context) { return syscall(SYS_quotactl, 0, "/", 0, 0); }},

    // Descriptors.
    {"dup", "dup", kKilled, kBlocked, [](Context) { return syscall(SYS_dup, kDisk); }},
    {"dup3 over stdin", "dup3", kKilled, kNotRun, [](Context) { return syscall(SYS_dup3, kDisk, 0, 0); }},
    {"fcntl F_DUPFD", "fcntl", kKilled, kBlocked, [](Context) { return syscall(SYS_fcntl, kDisk, F_DUPFD, 0); }},
    {"fcntl F_SETFL", "fcntl", kKilled, kNotRun, [](Context) { return syscall(SYS_fcntl, kChannel, F_SETFL, 0); }},
    {"pipe2", "pipe2", kKilled, kBlocked, [](Context) { return syscall(SYS_pipe2, buffer.data(), 0); }},
    {"eventfd2", "eventfd2", kKilled, kBlocked, [](Context) { return syscall(SYS_eventfd2, 0, 0); }},
    {"epoll_create1", "epoll_create1", kKilled, kBlocked, [](Context) { return syscall(SYS_epoll_create1, 0); }},
    {"memfd_create", "memfd_create", kKilled, kBlocked, [](Context) { return syscall(SYS_memfd_create, "x", 0); }},
    {"userfaultfd", "userfaultfd", kKilled, kBlocked, [](Context) { return syscall(SYS_userfaultfd, 1); }},
    {"io_uring_setup", "io_uring_setup", kKilled, kBlocked,
     [](Context) {
       std::array<char, 128> parameters{};
       return syscall(425, 1, parameters.data());
     }},
    {"pidfd_open", "pidfd_open", kKilled, kBlocked,
     [](Context context) { return syscall(kPidfdOpen, context.broker, 0); }},
    {"pidfd_getfd", "pidfd_getfd", kKilled, kBlocked, [](Context) { return syscall(kPidfdGetfd, kDisk, 0, 0); }},

    // The network and other processes' sockets.
    {"socket of the internet", "socket", kKilled, kBlocked,
     [](Context) { return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
    {"socket of unix", "socket", kKilled, kBlocked, [](Context) { return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
    {"socket of netlink", "socket", kKilled, kBlocked, [](Context) { return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0); }},
    {"socket of vsock", "socket", kKilled, kBlocked, [](Context) { return syscall(SYS_socket, 40, SOCK_STREAM, 0); }},
    {"socketpair", "socketpair", kKilled, kBlocked,
     [](Context) { return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, buffer.data()); }},
    {"connect to an abstract socket", "connect", kKilled, kBlocked, [](Context) { return connect_abstract(); }},
    {"bind of the channel", "bind", kKilled, kNotRun,
     [](Context) { return syscall(SYS_bind, kChannel, buffer.data(), 2); }},
    {"sendmsg of a descriptor", "sendmsg", kKilled, kNotRun, [](Context) { return send_descriptor(); }},
    {"sendto on the channel", "sendto", kKilled, kNotRun,
     [](Context) { return syscall(SYS_sendto, kChannel, buffer.data(), 0, 0, 0, 0); }},
    {"recvmsg on the channel", "recvmsg", kKilled, kNotRun,
     [](Context) { return syscall(SYS_recvmsg, kChannel, 0, MSG_DONTWAIT); }},
    {"getsockopt on the channel", "getsockopt", kKilled, kNotRun,
     [](Context) { return syscall(SYS_getsockopt, kChannel, SOL_SOCKET, SO_PEERCRED, buffer.data(), 0); }},

    // Other processes, and new ones.
    {"kill of the broker", "kill", kKilled, kBlocked,
     [](Context context) { return syscall(SYS_kill, context.broker, SIGTERM); }},
    {"tgkill of the broker", "tgkill", kKilled, kBlocked,
     [](Context context) { return syscall(SYS_tgkill, context.broker, context.broker, SIGTERM); }},
    {"rt_sigqueueinfo to the broker", "rt_sigqueueinfo", kKilled, kBlocked,
     [](Context context) { return syscall(SYS_rt_sigqueueinfo, context.broker, SIGTERM, buffer.data()); }},
    {"ptrace of the broker", "ptrace", kKilled, kBlocked,
     [](Context context) { return syscall(SYS_ptrace, PTRACE_ATTACH, context.broker, 0, 0); }},
    {"process_vm_readv of the broker", "process_vm_readv", kKilled, kBlocked, read_memory},
    {"process_madvise", "process_madvise", kKilled, kBlocked,
     [](Context) { return syscall(kProcessMadvise, kDisk, 0, 0, 4, 0); }},
    {"kcmp", "kcmp", kKilled, kBlocked, [](Context context) { return syscall(SYS_kcmp, context.broker, context.broker, 0, 0, 0); }},
    {"fork", "clone", kKilled, kBlocked,
     [](Context) { return ended_if_child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }},
    {"clone into a user namespace", "clone", kKilled, kBlocked,
     [](Context) { return ended_if_child(syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER, 0, 0, 0, 0)); }},
    {"clone3", "clone3", kKilled, kBlocked,
     [](Context) {
       std::array<std::uint64_t, 8> arguments{};
       arguments[4] = SIGCHLD;
       return ended_if_child(syscall(kClone3, arguments.data(), sizeof(arguments)));
     }},
    {"execve of a shell", "execve", kKilled, kBlocked, [](Context) { return execute("/bin/sh"); }},
    {"execveat of a disk", "execveat", kKilled, kBlocked,
     [](Context) {
       const char* const none[] = {nullptr};
       return syscall(SYS_execveat, kDisk, "", none, none, AT_EMPTY_PATH);
     }},
    {"unshare of the user namespace", "unshare", kKilled, kNotRun,
     [](Context) { return syscall(SYS_unshare, CLONE_NEWUSER); }},
    {"unshare of the mount namespace", "unshare", kKilled, kBlocked,
     [](Context) { return syscall(SYS_unshare, CLONE_NEWNS); }},
    {"setns", "setns", kKilled, kBlocked, [](Context) { return syscall(SYS_setns, kDisk, 0); }},
    {"wait4", "wait4", kKilled, kNotRun, [](Context) { return syscall(SYS_wait4, -1, 0, 1, 0); }},
    {"sched_setaffinity", "sched_setaffinity", kKilled, kNotRun,
     [](Context) { return syscall(SYS_sched_setaffinity, 0, 8, buffer.data()); }},
    {"setpriority", "setpriority", kKilled, kBlocked, [](Context) { return syscall(SYS_setpriority, 0, 0, -20); }},

    // Its own powers.
    {"setuid to root", "setuid", kKilled, kNotRun, [](Context) { return syscall(SYS_setuid, 0); }},
    {"setresuid to another", "setresuid", kKilled, kBlocked, [](Context) { return syscall(SYS_setresuid, 7, 7, 7); }},
    {"setresgid to another", "setresgid", kKilled, kBlocked, [](Context) { return syscall(SYS_setresgid, 7, 7, 7); }},
    {"setgroups", "setgroups", kKilled, kBlocked,
     [](Context) {
       const gid_t group = 0;
       return syscall(SYS_setgroups, 1, &group);
     }},
    {"capset", "capset", kKilled, kBlocked,
     [](Context) {
       const std::uint32_t header[2] = {0x20080522, 0};
       const std::uint32_t all[6] = {~0U, ~0U, 0, ~0U, ~0U, 0};
       return syscall(SYS_capset, header, all);
     }},
    {"prctl PR_SET_DUMPABLE", "prctl", kKilled, kNotRun, [](Context) { return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }},
    {"prctl PR_CAP_AMBIENT", "prctl", kKilled, kBlocked,
     [](Context) { return syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0); }},
    {"prctl PR_SET_SECUREBITS", "prctl", kKilled, kBlocked,
     [](Context) { return syscall(SYS_prctl, PR_SET_SECUREBITS, 0, 0, 0, 0); }},
    {"prlimit64 up", "prlimit64", kKilled, kBlocked,
     [](Context) {
       const rlimit more{.rlim_cur = 1024, .rlim_max = 1024};
       return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, 0);
     }},
    {"seccomp", "seccomp", kKilled, kNotRun, [](Context) { return syscall(SYS_seccomp, 1, 0, 0); }},
    {"landlock_create_ruleset", "landlock_create_ruleset", kKilled, kNotRun,
     [](Context) { return syscall(kLandlockCreateRuleset, 0, 0, 1); }},
    {"personality", "personality", kKilled, kNotRun, [](Context) { return syscall(SYS_personality, 0x0400000); }},
    {"setsid", "setsid", kKilled, kNotRun, [](Context) { return syscall(SYS_setsid); }},
    {"setpgid", "setpgid", kKilled, kNotRun, [](Context) { return syscall(SYS_setpgid, 0, 0); }},
    {"umask", "umask", kKilled, kNotRun, [](Context) { return syscall(SYS_umask, 0); }},

    // Signals and time: nothing that the worker needs.
    {"rt_sigaction", "rt_sigaction", kKilled, kNotRun,
     [](Context) { return syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 8); }},
    {"rt_sigreturn", "rt_sigreturn", kKilled, kNotRun, [](Context) { return syscall(SYS_rt_sigreturn); }},
    {"nanosleep", "nanosleep", kKilled, kNotRun,
     [](Context) {
       const timespec time{.tv_sec = 0, .tv_nsec = 1};
       return syscall(SYS_nanosleep, &time, 0);
     }},
    {"ppoll", "ppoll", kKilled, kNotRun, [](Context) { return syscall(SYS_ppoll, 0, 0, 0, 0, 8); }},
    {"getpid", "getpid", kKilled, kNotRun, [](Context) { return syscall(SYS_getpid); }},
    {"getrandom", "getrandom", kKilled, kNotRun, [](Context) { return syscall(SYS_getrandom, buffer.data(), 8, 0); }},
    {"clock_settime", "clock_settime", kKilled, kBlocked,
     [](Context) {
       const timespec time{.tv_sec = 1, .tv_nsec = 0};
       return syscall(SYS_clock_settime, CLOCK_REALTIME, &time);
     }},

    // The kernel's larger attack surfaces.
    {"bpf", "bpf", kKilled, kBlocked,
     [](Context) {
       std::array<std::uint32_t, 32> attribute{1, 4, 4, 1};
       return syscall(SYS_bpf, 0, attribute.data(), sizeof(attribute));
     }},
    {"perf_event_open", "perf_event_open", kKilled, kBlocked,
     [](Context) {
       std::array<std::uint32_t, 32> attribute{1, 128};
       return syscall(SYS_perf_event_open, attribute.data(), 0, -1, -1, 0);
     }},
    {"keyctl", "keyctl", kKilled, kNotRun, [](Context) { return syscall(SYS_keyctl, 0, -3, 1); }},
    {"add_key", "add_key", kKilled, kNotRun, [](Context) { return syscall(SYS_add_key, "user", "x", "x", 1, -3); }},
    {"shmget", "shmget", kKilled, kNotRun, [](Context) { return syscall(SYS_shmget, 0, kPage, 01600); }},
    {"msgget", "msgget", kKilled, kNotRun, [](Context) { return syscall(SYS_msgget, 0, 01600); }},
    {"semget", "semget", kKilled, kNotRun, [](Context) { return syscall(SYS_semget, 0, 1, 01600); }},
    {"mq_open", "mq_open", kKilled, kBlocked, [](Context) { return syscall(SYS_mq_open, "x", O_CREAT, 0600, 0); }},
    {"remap_file_pages", "remap_file_pages", kKilled, kNotRun,
     [](Context) { return syscall(SYS_remap_file_pages, page(), kPage, 0, 0, 0); }},
    {"mlock", "mlock", kKilled, kBlocked, [](Context) { return syscall(SYS_mlock, page(), kPage); }},
    {"init_module", "init_module", kKilled, kBlocked, [](Context) { return syscall(SYS_init_module, buffer.data(), 4, ""); }},
    {"finit_module", "finit_module", kKilled, kBlocked, [](Context) { return syscall(SYS_finit_module, kDisk, "", 0); }},
    {"kexec_load", "kexec_load", kKilled, kBlocked, [](Context) { return syscall(SYS_kexec_load, 0, 0, 0, 0); }},
    {"syslog", "syslog", kKilled, kBlocked, [](Context) { return syscall(SYS_syslog, 5, 0, 0); }},
    {"acct", "acct", kKilled, kBlocked, [](Context) { return syscall(SYS_acct, 0); }},
    {"swapon", "swapon", kKilled, kBlocked, [](Context) { return syscall(SYS_swapon, "/", 0); }},
    {"sethostname", "sethostname", kKilled, kBlocked, [](Context) { return syscall(SYS_sethostname, "evil", 4); }},
    {"reboot with a wrong magic", "reboot", kKilled, kBlocked, [](Context) { return syscall(SYS_reboot, 0, 0, 0, 0); }},
    {"a call that does not exist", "9999", kKilled, kBlocked, [](Context) { return syscall(9999); }},

#ifdef __x86_64__
    // The older forms that x86 keeps, and its foreign gates.
    {"open", "open", kKilled, kBlocked, [](Context) { return syscall(SYS_open, kPath, O_RDONLY); }},
    {"creat", "creat", kKilled, kBlocked, [](Context) { return syscall(SYS_creat, "/tmp/pvhgrub-probe", 0600); }},
    {"modify_ldt", "modify_ldt", kKilled, kNotRun, [](Context) { return syscall(SYS_modify_ldt, 0, buffer.data(), 8); }},
    {"iopl", "iopl", kKilled, kBlocked, [](Context) { return syscall(SYS_iopl, 3); }},
    {"ioperm", "ioperm", kKilled, kBlocked, [](Context) { return syscall(SYS_ioperm, 0x70, 2, 1); }},
    {"arch_prctl", "arch_prctl", kKilled, kNotRun, [](Context) { return syscall(SYS_arch_prctl, 0x1004, buffer.data()); }},
    {"i386 call by int 0x80", "int80", kKilled, kNotRun, [](Context) { return foreign_gate(); }},
    {"x32 call", "x32", kKilled, kNotRun, [](Context) { return syscall(0x4000'0000L | SYS_getpid); }},
    {"x32 form of an allowed call", "x32", kKilled, kNotRun,
     [](Context) { return syscall(0x4000'0000L | SYS_pread64, kDisk, buffer.data(), 4, 0); }},
#endif
};

}  // namespace

std::span<const Probe> all_probes() {
  return kProbes;
}

std::span<const Probe> appliance_probes() {
  static constexpr Probe kApplianceProbes[] = {
      {"read of the appliance", "read", kAllowed, kNotRun,
       [](Context) { return syscall(SYS_read, kAppliance, buffer.data(), 4); }},
      {"write to the appliance", "write", kAllowed, kNotRun,
       [](Context) { return syscall(SYS_write, kAppliance, "x", 1); }},
      {"read of the appliance's number with high bits", "read", kKilled, kNotRun,
       [](Context) { return syscall(SYS_read, (1L << 32) | kAppliance, buffer.data(), 4); }},
      {"write to the appliance's number with high bits", "write", kKilled, kNotRun,
       [](Context) { return syscall(SYS_write, (1L << 32) | kAppliance, "x", 1); }},
      {"write to the number above the appliance's", "write", kKilled, kNotRun,
       [](Context) { return syscall(SYS_write, kAppliance + 1, "x", 1); }},
      {"pread of the appliance", "pread64", kKilled, kNotRun,
       [](Context) { return syscall(SYS_pread64, kAppliance, buffer.data(), 4, 0); }},
      {"lseek in the appliance", "lseek", kKilled, kNotRun,
       [](Context) { return syscall(SYS_lseek, kAppliance, 0, SEEK_SET); }},
      {"writev to the appliance", "writev", kKilled, kNotRun,
       [](Context) { return syscall(SYS_writev, kAppliance, nullptr, 0); }},
      {"sendto on the appliance", "sendto", kKilled, kNotRun,
       [](Context) { return syscall(SYS_sendto, kAppliance, "x", 1, 0, nullptr, 0); }},
      {"sendmsg on the appliance", "sendmsg", kKilled, kNotRun,
       [](Context) { return syscall(SYS_sendmsg, kAppliance, nullptr, 0); }},
      {"recvmsg on the appliance", "recvmsg", kKilled, kNotRun,
       [](Context) { return syscall(SYS_recvmsg, kAppliance, nullptr, 0); }},
      {"shutdown of the appliance", "shutdown", kKilled, kNotRun,
       [](Context) { return syscall(SYS_shutdown, kAppliance, SHUT_RDWR); }},
  };
  return kApplianceProbes;
}

std::span<const Probe> terminal_probes() {
  static constexpr Probe kTerminalProbes[] = {
      {"read of the terminal", "read", kAllowed, kNotRun,
       [](Context) { return syscall(SYS_read, kTerminal, buffer.data(), 1); }},
      {"write to the terminal", "write", kAllowed, kNotRun,
       [](Context) { return syscall(SYS_write, kTerminal, "x", 1); }},
      {"read of the terminal's number with high bits", "read", kKilled, kNotRun,
       [](Context) { return syscall(SYS_read, (1L << 32) | kTerminal, buffer.data(), 1); }},
      {"write to standard output", "write", kKilled, kNotRun,
       [](Context) { return syscall(SYS_write, 1, "x", 1); }},
      {"the terminal's mode", "ioctl", kAllowed, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TCGETS, buffer.data()); }},
      {"the terminal's mode set", "ioctl", kAllowed, kNotRun,
       [](Context) {
         syscall(SYS_ioctl, kTerminal, TCGETS, buffer.data());
         return syscall(SYS_ioctl, kTerminal, TCSETSW, buffer.data());
       }},
      {"the terminal's size", "ioctl", kAllowed, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCGWINSZ, buffer.data()); }},
      {"a key typed for others (TIOCSTI)", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCSTI, "x"); }},
      {"TIOCSTI with high bits", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, (1L << 32) | TIOCSTI, "x"); }},
      {"the terminal taken over (TIOCSCTTY)", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCSCTTY, 1); }},
      {"text pasted on a virtual console (TIOCLINUX)", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCLINUX, "\3"); }},
      {"kernel messages led to the terminal (TIOCCONS)", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCCONS, 0); }},
      {"the terminal's line discipline (TIOCSETD)", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCSETD, buffer.data()); }},
      {"the terminal's size set", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCSWINSZ, buffer.data()); }},
      {"the other end of a pty opened (TIOCGPTPEER)", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, 0x5441, 0); }},
      {"the terminal's foreground group", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kTerminal, TIOCSPGRP, buffer.data()); }},
      {"the mode of a disk", "ioctl", kRefused, kNotRun,
       [](Context) { return syscall(SYS_ioctl, kDisk, TCGETS, buffer.data()); }},
      {"the mode of standard output", "ioctl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ioctl, 1, TCGETS, buffer.data()); }},
      {"the terminal waited for", "ppoll", kAllowed, kNotRun,
       [](Context) {
         const timespec now{};
         return syscall(SYS_ppoll, buffer.data(), 1, &now, nullptr, 8);
       }},
#ifdef SYS_poll
      {"the terminal waited for by poll", "poll", kAllowed, kNotRun,
       [](Context) { return syscall(SYS_poll, buffer.data(), 1, 0); }},
      {"poll of two descriptors", "poll", kKilled, kNotRun,
       [](Context) { return syscall(SYS_poll, buffer.data(), 2, 0); }},
#endif
      {"ppoll of two descriptors", "ppoll", kKilled, kNotRun,
       [](Context) { return syscall(SYS_ppoll, buffer.data(), 2, nullptr, nullptr, 8); }},
      {"a signal's handler", "rt_sigaction", kRefused, kNotRun,
       [](Context) { return syscall(SYS_rt_sigaction, SIGTSTP, nullptr, nullptr, 8); }},
      {"the terminal's flags", "fcntl", kKilled, kNotRun,
       [](Context) { return syscall(SYS_fcntl, kTerminal, F_SETFL, 0); }},
      {"pread of the terminal", "pread64", kKilled, kNotRun,
       [](Context) { return syscall(SYS_pread64, kTerminal, buffer.data(), 1, 0); }},
      {"writev to the terminal", "writev", kKilled, kNotRun,
       [](Context) { return syscall(SYS_writev, kTerminal, nullptr, 0); }},
      {"dup of the terminal", "dup", kKilled, kNotRun, [](Context) { return syscall(SYS_dup, kTerminal); }},
  };
  return kTerminalProbes;
}

}  // namespace pvhgrub::sandbox::test
