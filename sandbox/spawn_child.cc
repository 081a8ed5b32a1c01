// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/spawn_child.h"

#include <fcntl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/limits.h"
#include "sandbox/spawn.h"

namespace pvhgrub::sandbox {
namespace {

/// close_range(2) is 5.9; the number is the same on every architecture, and older C headers lack it.
constexpr long kCloseRangeCall = 436;
/// Where close_range is missing, descriptors up to the soft limit are closed one by one, at most this many:
/// an "unlimited" limit would take minutes. One that lies higher makes the worker refuse (confine() checks).
constexpr rlim_t kClosedOneByOne = 65'536;

struct Kernel {
  int error = 0;  ///< errno of the first call that failed
  explicit operator bool() const { return error == 0; }
};

Kernel outcome(long result) {
  return {result < 0 ? errno : 0};
}

Kernel write_file(const char* path, std::string_view text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return {errno};
  // These files take their whole text in one write(2) or none of it (user_namespaces(7)).
  const Kernel result = outcome(write(fd, text.data(), text.size()));
  close(fd);
  return result;
}

/// Maps 0 in the new user namespace to the caller outside. It must be 0: execve(2) clears all capabilities of
/// any other id, and the worker needs them for its mounts. setgroups has to be denied first
/// (user_namespaces(7)).
Kernel map_user(const ChildSetup& setup) {
  // A caller that has changed its ids is not dumpable, and then root owns these files. execve(2) makes it so
  // anyway.
  if (const Kernel result = outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); !result) return result;
  if (const Kernel result = write_file("/proc/self/setgroups", "deny"); !result) return result;
  if (const Kernel result = write_file("/proc/self/uid_map", setup.uid_map); !result) return result;
  return write_file("/proc/self/gid_map", setup.gid_map);
}

void close_from(int first) {
  if (syscall(kCloseRangeCall, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = kClosedOneByOne;
  const int end = static_cast<int>(std::min(limit.rlim_cur, kClosedOneByOne));
  for (int fd = first; fd < end; ++fd) close(fd);
}

/// Leaves open exactly the grants at their numbers, /dev/null at the rest of 0-2, and the error pipe, which
/// moves to the number above all of them.
Kernel place_descriptors(const ChildSetup& setup, int dev_null, int& error_pipe) {
  const int above = setup.highest_number + 1;
  std::array<int, limits::kWorkerDescriptors + 1> source{};
  source.fill(-1);
  // First all out of the way, so that no number is overwritten before it has been copied.
  const int high_pipe = fcntl(error_pipe, F_DUPFD_CLOEXEC, above + 1);
  if (high_pipe < 0) return {errno};
  for (const FdGrant& grant : setup.grants) {
    const int copy = fcntl(grant.fd, F_DUPFD_CLOEXEC, above + 1);
    if (copy < 0) return {errno};
    source[static_cast<std::size_t>(grant.number)] = copy;
  }
  const int high_null = fcntl(dev_null, F_DUPFD_CLOEXEC, above + 1);
  if (high_null < 0) return {errno};
  for (int number = 0; number < above; ++number) {
    int from = source[static_cast<std::size_t>(number)];
    if (from < 0 && number <= STDERR_FILENO) from = high_null;
    if (from < 0)
      close(number);
    else if (dup2(from, number) < 0)
      return {errno};
  }
  if (dup3(high_pipe, above, O_CLOEXEC) < 0) return {errno};
  error_pipe = above;
  close_from(above + 1);
  return {};
}

/// execve(2) resets handlers but keeps what is ignored, and the mask.
Kernel reset_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= SIGRTMAX; ++signal)
    sigaction(signal, &action, nullptr);  // KILL and STOP refuse
  sigset_t none;
  sigemptyset(&none);
  return outcome(sigprocmask(SIG_SETMASK, &none, nullptr));
}

[[noreturn]] void give_up(int error_pipe, ChildStep step, int error) {
  const ChildFailure failure{step, error};
  // If the broker is gone there is nobody to tell.
  [[maybe_unused]] const ssize_t written = write(error_pipe, &failure, sizeof(failure));
  _exit(127);
}

}  // namespace

std::string_view describe(ChildStep step) {
  switch (step) {
    case ChildStep::kSession:
      return "cannot start a new session";
    case ChildStep::kUserMap:
      return "cannot map the user into a new user namespace (/proc/self/uid_map)";
    case ChildStep::kDevNull:
      return "cannot open /dev/null";
    case ChildStep::kDescriptors:
      return "cannot hand over the open files (limit on open files too low?)";
    case ChildStep::kDirectory:
      return "cannot change to the directory /";
    case ChildStep::kSignals:
      return "cannot reset the signals";
    case ChildStep::kExec:
      break;
  }
  return "cannot execute the worker";
}

void run_child(const ChildSetup& setup) {
  int error_pipe = setup.error_pipe;
  // Without a session of its own it could push input into the caller's terminal (TIOCSTI, CVE-2017-5226).
  if (setsid() < 0) give_up(error_pipe, ChildStep::kSession, errno);
  if (setup.new_user_namespace)
    if (const Kernel result = map_user(setup); !result)
      give_up(error_pipe, ChildStep::kUserMap, result.error);
  // For reading only: then the worker holds nothing writable but its channel.
  const int dev_null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (dev_null < 0) give_up(error_pipe, ChildStep::kDevNull, errno);
  if (const Kernel result = place_descriptors(setup, dev_null, error_pipe); !result)
    give_up(error_pipe, ChildStep::kDescriptors, result.error);
  if (chdir("/") != 0) give_up(error_pipe, ChildStep::kDirectory, errno);
  umask(0077);
  // A caller's READ_IMPLIES_EXEC would make every readable page executable behind the filter's back, and its
  // ADDR_NO_RANDOMIZE would tell an attacker all addresses.
  personality(PER_LINUX);
  if (const Kernel result = reset_signals(); !result) give_up(error_pipe, ChildStep::kSignals, result.error);
  execve(setup.path, setup.arguments, setup.environment);
  give_up(error_pipe, ChildStep::kExec, errno);
}

}  // namespace pvhgrub::sandbox
