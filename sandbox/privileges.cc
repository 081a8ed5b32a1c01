// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "sandbox/sandbox_error.h"

namespace pvhgrub::sandbox {
namespace {

using CapabilitySets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

/// Above any capability's number: the sets are 64 bits wide.
constexpr unsigned long kCapabilities = 64;

Result<CapabilitySets> capability_sets() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  CapabilitySets sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0)
    return sandbox_failure("cannot read the capabilities", errno);
  return sets;
}

Result<void> clear_capability_sets() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const CapabilitySets none{};
  // The ambient set follows: it cannot hold what the permitted and inheritable sets do not (capabilities(7)).
  if (syscall(SYS_capset, &header, none.data()) != 0)
    return sandbox_failure("cannot give up the capabilities", errno);
  return {};
}

/// Empties the bounding set and locks the secure bits, so that not even uid 0 of a user namespace means
/// anything.
Result<void> forbid_new_capabilities() {
  for (unsigned long capability = 0; capability < kCapabilities; ++capability) {
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0) break;  // EINVAL: past the last one
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      return sandbox_failure("cannot empty the capability bounding set", errno);
  }
  constexpr unsigned long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                  SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                  SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  if (prctl(PR_SET_SECUREBITS, kBits, 0, 0, 0) != 0)
    return sandbox_failure("cannot lock the secure bits", errno);
  return {};
}

/// The groups first: without the user id 0 they could not be changed any more.
Result<void> change_ids(const ConfinePlan& plan) {
  if (setgroups(0, nullptr) != 0) return sandbox_failure("cannot drop the supplementary groups", errno);
  if (setresgid(plan.gid, plan.gid, plan.gid) != 0)
    return sandbox_failure("cannot become group " + std::to_string(plan.gid), errno);
  if (setresuid(plan.uid, plan.uid, plan.uid) != 0)
    return sandbox_failure("cannot become user " + std::to_string(plan.uid) +
                               " (in a container it may have no such id: name one with --runas)",
                           errno);
  return {};
}

bool in_user_namespace(const ConfinePlan& plan) {
  return (plan.namespaces & CLONE_NEWUSER) != 0;
}

Result<void> check_ids(const ConfinePlan& plan) {
  // In its own user namespace the worker sees its one mapped id as 0.
  const uid_t uid = in_user_namespace(plan) ? 0 : plan.uid;
  const gid_t gid = in_user_namespace(plan) ? 0 : plan.gid;
  uid_t uids[3];
  gid_t gids[3];
  if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0)
    return sandbox_failure("cannot read the user and group ids", errno);
  for (int i = 0; i < 3; ++i)
    if (uids[i] != uid || gids[i] != gid) return sandbox_failure("the user or group id has not changed");
  if (plan.uid == 0) return sandbox_failure("it would run as root");
  return {};
}

}  // namespace

Result<PrivilegeSummary> drop_privileges(const ConfinePlan& plan) {
  PrivilegeSummary summary;
  // Needs CAP_SETPCAP, which an unprivileged caller has only in a user namespace of its own, and there only
  // if no security module objects. Without it no_new_privs and the filter on execve(2) keep it from ever
  // getting what the bounding set would allow.
  const Result<void> forbidden = forbid_new_capabilities();
  if (!forbidden && !plan.allow_landlock_only) return std::unexpected(forbidden.error());
  if (plan.may_change_ids) PVHGRUB_TRY(change_ids(plan));
  PVHGRUB_TRY(clear_capability_sets());
  summary.bounding_set_empty = forbidden.has_value();
  summary.groups_dropped = getgroups(0, nullptr) == 0;
  return summary;
}

Result<void> seal_process() {
  if (prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(SIGKILL), 0, 0, 0) != 0)
    return sandbox_failure("cannot tie the process to its parent", errno);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return sandbox_failure("cannot forbid ptrace", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sandbox_failure("cannot set no_new_privs", errno);
  return {};
}

Result<void> check_privileges(const ConfinePlan& plan, const PrivilegeSummary& summary) {
  PVHGRUB_TRY(check_ids(plan));
  if (plan.may_change_ids && !summary.groups_dropped) return sandbox_failure("supplementary groups are left");
  PVHGRUB_TRY_ASSIGN(const CapabilitySets sets, capability_sets());
  for (const auto& set : sets)
    if ((set.effective | set.permitted | set.inheritable) != 0)
      return sandbox_failure("a capability is left");
  for (unsigned long capability = 0; summary.bounding_set_empty && capability < kCapabilities; ++capability)
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
      return sandbox_failure("the capability bounding set is not empty");
  int signal = 0;
  if (prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) != 0 || signal != SIGKILL ||
      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return sandbox_failure("the process is not sealed");
  return {};
}

}  // namespace pvhgrub::sandbox
