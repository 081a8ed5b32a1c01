// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/confine.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/unique_fd.h"
#include "sandbox/descriptors.h"
#include "sandbox/empty_root.h"
#include "sandbox/landlock.h"
#include "sandbox/privileges.h"
#include "sandbox/resource_limits.h"
#include "sandbox/sandbox_error.h"
#include "sandbox/seccomp_filter.h"

namespace pvhgrub::sandbox {
namespace {

/// A broker that died before seal_process() sent no death signal. In a pid namespace getppid(2) says nothing,
/// so the channel is asked: its other end was the broker's alone.
Result<void> check_broker_alive(int channel) {
  pollfd state{.fd = channel, .events = 0, .revents = 0};
  int ready = 0;
  do ready = poll(&state, 1, 0);
  while (ready < 0 && errno == EINTR);
  if (ready < 0) return sandbox_failure("cannot look at the channel", errno);
  if ((state.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
    return sandbox_failure("the broker has closed the channel");
  return {};
}

/// Credentials, Landlock and the filter hold for the calling thread alone: there must be no other.
Result<void> check_single_thread() {
  // Does nothing but fail with EINVAL where there are several (unshare(2), CLONE_THREAD).
  if (unshare(CLONE_THREAD) != 0) return sandbox_failure("it has more than one thread", errno);
  return {};
}

Result<RootKind> hide_files(const ConfinePlan& plan) {
  if ((plan.namespaces & CLONE_NEWNS) == 0 && plan.allow_landlock_only) return RootKind::kHost;
  if ((plan.namespaces & CLONE_NEWNS) == 0) return sandbox_failure("it would see the host's files");
  Result<RootKind> root = enter_empty_root();
  // An LSM may allow the namespace and refuse the mounts in it. Landlock can take over where it was allowed
  // to.
  if (!root && plan.allow_landlock_only) return RootKind::kHost;
  if (!root)
    root.error().message +=
        " (a security module may forbid it; run as root, lift that, or allow less with "
        "--allow-landlock-only)";
  return root;
}

/// Without an empty root Landlock must be seen to deny the host's.
Result<void> check_landlock_hides_files(int landlock_abi) {
  if (landlock_abi == 0)
    return sandbox_failure(
        "this kernel gives neither namespaces nor Landlock; nothing hides the host's files");
  const UniqueFd root(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.valid() || errno != EACCES) return sandbox_failure("Landlock does not deny the host's files");
  return {};
}

}  // namespace

Result<LayerReport> confine(const ConfineOptions& options) {
  const ConfinePlan& plan = options.plan;
  const GrantedDescriptors& descriptors = options.descriptors;
  std::vector<int> granted = descriptors.disks;
  granted.push_back(descriptors.channel);
  if (descriptors.appliance) granted.push_back(*descriptors.appliance);
  PVHGRUB_TRY(check_single_thread());
  PVHGRUB_TRY(check_descriptors(granted));
  PVHGRUB_TRY(check_read_only(descriptors.disks));

  LayerReport report;
  report.namespaces = plan.namespaces;
  report.uid = plan.uid;
  report.gid = plan.gid;
  PVHGRUB_TRY_ASSIGN(report.root, hide_files(plan));
  PVHGRUB_TRY_ASSIGN(const PrivilegeSummary privileges, drop_privileges(plan));
  report.groups_dropped = privileges.groups_dropped;
  report.bounding_set_empty = privileges.bounding_set_empty;
  PVHGRUB_TRY(seal_process());
  PVHGRUB_TRY(check_broker_alive(descriptors.channel));
  // Writing to a broker that has gone is an error like any other; process 1 of a pid namespace sees it so
  // anyway.
  std::signal(SIGPIPE, SIG_IGN);
  // Looking into the root needs a descriptor, and so does Landlock, which then denies that look: hence this
  // order.
  if (report.root != RootKind::kHost) PVHGRUB_TRY(check_empty_root());
  PVHGRUB_TRY_ASSIGN(report.landlock_abi, deny_by_landlock());
  if (report.root == RootKind::kHost) PVHGRUB_TRY(check_landlock_hides_files(report.landlock_abi));
  PVHGRUB_TRY(check_privileges(plan, privileges));
  PVHGRUB_TRY_ASSIGN(report.limits, limit_resources(has_terminal(options.profile) ? 1 : 0));

#ifndef PVHGRUB_SANITIZED_BUILD
  // Last, because it forbids all of the above.
  PVHGRUB_TRY_ASSIGN(const SeccompSummary seccomp, load_seccomp_filter(options.profile, descriptors));
  report.seccomp = true;
  report.allowed_calls = seccomp.allowed_calls;
  report.refused_calls = seccomp.refused_calls;
#endif
  return report;
}

}  // namespace pvhgrub::sandbox
