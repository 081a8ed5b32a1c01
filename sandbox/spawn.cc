// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "base/limits.h"
#include "base/unique_fd.h"
#include "sandbox/confine_plan.h"
#include "sandbox/sandbox_error.h"
#include "sandbox/spawn_child.h"
#include "sandbox/worker_identity.h"

namespace pvhgrub::sandbox {
namespace {

constexpr unsigned long kRequiredNamespaces =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
/// Hides nothing that the empty root does not hide too, and needs a kernel with cgroups: taken where it is
/// there.
constexpr unsigned long kOptionalNamespaces = CLONE_NEWCGROUP;

/// Blocks all signals for as long as it lives: a handler of the broker's must not run in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

Result<int> check_request(const SpawnRequest& request) {
  const auto bug = [](const std::string& message) { return fail(ErrorCode::kInternal, message); };
  if (!request.worker_path.starts_with('/')) return bug("the worker's path is not absolute");
  std::bitset<limits::kWorkerDescriptors + 1> taken;
  int highest = STDERR_FILENO;
  for (const FdGrant& grant : request.fds) {
    if (grant.fd < 0 || grant.number < 0 || grant.number > limits::kWorkerDescriptors)
      return bug("a descriptor for the worker is out of range");
    if (taken.test(static_cast<std::size_t>(grant.number)))
      return bug("a descriptor number of the worker is granted twice");
    taken.set(static_cast<std::size_t>(grant.number));
    highest = std::max(highest, grant.number);
  }
  return highest;
}

/// An ignored SIGCHLD, inherited through execve(2), lets the kernel reap children by itself.
void keep_children_waitable() {
  struct sigaction action{};
  if (sigaction(SIGCHLD, nullptr, &action) != 0) return;
  const bool ignored = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
  if (!ignored && (action.sa_flags & SA_NOCLDWAIT) == 0) return;
  if (ignored) action.sa_handler = SIG_DFL;
  action.sa_flags &= ~SA_NOCLDWAIT;
  sigaction(SIGCHLD, &action, nullptr);
}

/// fork(2) with namespaces. The raw call, because clone(3) wants a stack and clone3(2) is younger than 4.19;
/// with only flags its arguments mean the same on every architecture but s390 and CRIS, which have no Xen.
long clone_process(unsigned long flags) {
  return syscall(SYS_clone, flags | static_cast<unsigned long>(SIGCHLD), 0UL, 0UL, 0UL, 0UL);
}

/// Waits until the child has executed the worker (the pipe just closes) or has said why it could not.
Result<std::optional<ChildFailure>> await_exec(int pipe_end) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(limits::kSpawnMilliseconds);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd waiting{.fd = pipe_end, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<long long>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return sandbox_failure("cannot wait for the new process", errno);
    if (ready == 0) return sandbox_failure("starting its program took too long");
    break;
  }
  std::array<char, sizeof(ChildFailure)> buffer{};
  ssize_t count = 0;
  do count = read(pipe_end, buffer.data(), buffer.size());
  while (count < 0 && errno == EINTR);
  if (count == 0) return std::nullopt;
  if (count != static_cast<ssize_t>(buffer.size()))
    return sandbox_failure("the new process did not say what went wrong");
  ChildFailure failure{};
  std::memcpy(&failure, buffer.data(), sizeof(failure));
  return failure;
}

/// Owns the strings of a ChildSetup.
struct Preparation {
  std::string argument;
  std::string uid_map;
  std::string gid_map;
  std::string locale = "LC_ALL=C.UTF-8";
  std::string name;
  std::array<char*, 3> arguments{};
  std::array<char*, 2> environment{};

  Preparation(const ConfinePlan& plan, std::string program_name)
      : argument(plan.to_argument()),
        uid_map("0 " + std::to_string(plan.uid) + " 1\n"),
        gid_map("0 " + std::to_string(plan.gid) + " 1\n"),
        name(std::move(program_name)) {
    arguments = {name.data(), argument.data(), nullptr};
    environment = {locale.data(), nullptr};
  }
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;
};

/// What one attempt came to: a process, or why there are no such namespaces; then the next attempt asks for
/// less.
struct Attempt {
  std::optional<WorkerProcess> worker;
  int clone_errno = 0;
};

Result<Attempt> try_spawn(const SpawnRequest& request, const ConfinePlan& plan, int highest_number) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return sandbox_failure("cannot make a pipe", errno);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const Preparation preparation(plan, request.name);
  const ChildSetup setup{.grants = request.fds,
                         .highest_number = highest_number,
                         .error_pipe = write_end.get(),
                         .new_user_namespace = (plan.namespaces & CLONE_NEWUSER) != 0,
                         .uid_map = preparation.uid_map,
                         .gid_map = preparation.gid_map,
                         .path = request.worker_path.c_str(),
                         .arguments = preparation.arguments.data(),
                         .environment = preparation.environment.data()};
  long pid = 0;
  int clone_errno = 0;
  {
    const SignalsBlocked blocked;
    pid = clone_process(plan.namespaces);
    if (pid == 0) run_child(setup);
    if (pid < 0) clone_errno = errno;
  }
  if (pid < 0) return Attempt{std::nullopt, clone_errno};
  WorkerProcess worker(static_cast<pid_t>(pid));
  write_end.reset();
  PVHGRUB_TRY_ASSIGN(const std::optional<ChildFailure> failure, await_exec(read_end.get()));
  if (!failure) return Attempt{std::move(worker), 0};
  // A user namespace that cannot be set up (no /proc) is none.
  if (failure->step == ChildStep::kUserMap) return Attempt{std::nullopt, failure->system_errno};
  std::string message(describe(failure->step));
  if (failure->step == ChildStep::kExec) message += " " + request.worker_path;
  return sandbox_failure(std::move(message), failure->system_errno);
}

std::unexpected<Error> no_namespaces(bool root, int clone_errno) {
  if (root)
    return sandbox_failure(
        "new namespaces are refused to root (a container without CAP_SYS_ADMIN, or a limit in "
        "/proc/sys/user/max_*_namespaces is 0); lift that, or allow less with --allow-landlock-only",
        clone_errno);
  return sandbox_failure(
      "user namespaces are refused to unprivileged users (see /proc/sys/user/max_user_namespaces and "
      "/proc/sys/kernel/*userns*, or the caller is in a chroot); run as root, lift that, or allow less with "
      "--allow-landlock-only",
      clone_errno);
}

}  // namespace

Result<WorkerProcess> spawn_worker(const SpawnRequest& request) {
  PVHGRUB_TRY_ASSIGN(const int highest_number, check_request(request));
  PVHGRUB_TRY_ASSIGN(const WorkerIdentity identity, choose_worker_identity(request.run_as, request.apart));
  keep_children_waitable();

  const bool root = geteuid() == 0;
  ConfinePlan plan{.namespaces = kRequiredNamespaces | kOptionalNamespaces | (root ? 0UL : CLONE_NEWUSER),
                   .uid = identity.uid,
                   .gid = identity.gid,
                   .may_change_ids = root,
                   .allow_landlock_only = request.allow_landlock_only};
  PVHGRUB_TRY_ASSIGN(Attempt attempt, try_spawn(request, plan, highest_number));
  if (!attempt.worker) {
    plan.namespaces &= ~kOptionalNamespaces;
    PVHGRUB_TRY_ASSIGN(attempt, try_spawn(request, plan, highest_number));
  }
  if (!attempt.worker && !request.allow_landlock_only) return no_namespaces(root, attempt.clone_errno);
  if (!attempt.worker) {
    plan.namespaces = 0;
    PVHGRUB_TRY_ASSIGN(attempt, try_spawn(request, plan, highest_number));
  }
  if (!attempt.worker) return sandbox_failure("cannot make a process", attempt.clone_errno);
  return std::move(*attempt.worker);
}

}  // namespace pvhgrub::sandbox
