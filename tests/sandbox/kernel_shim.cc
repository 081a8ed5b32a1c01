// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/sandbox/kernel_shim.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include <cerrno>

namespace pvhgrub::sandbox::test {
namespace {

bool add(scmp_filter_ctx filter, const MissingCall& missing) {
  const int number = seccomp_syscall_resolve_name(missing.name.c_str());
  if (number == __NR_SCMP_ERROR) return false;
  const std::uint32_t action = SCMP_ACT_ERRNO(static_cast<std::uint32_t>(missing.error));
  if (!missing.only_if) return seccomp_rule_add_array(filter, action, number, 0, nullptr) == 0;
  const scmp_arg_cmp condition{.arg = missing.only_if->argument,
                               .op = SCMP_CMP_MASKED_EQ,
                               .datum_a = missing.only_if->mask,
                               .datum_b = missing.only_if->value};
  return seccomp_rule_add_array(filter, action, number, 1, &condition) == 0;
}

MissingCall clone_with(std::uint64_t flag, int error) {
  return {"clone", error, MissingCall::Condition{0, flag, flag}};
}

}  // namespace

bool install_shim(const std::vector<MissingCall>& missing) {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return false;
  bool good = true;
  for (const MissingCall& call : missing) good = good && add(filter, call);
  good = good && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return good;
}

std::vector<MissingCall> without_user_namespaces(int error) {
  return {clone_with(CLONE_NEWUSER, error)};
}

std::vector<MissingCall> without_landlock() {
  return {{"landlock_create_ruleset", ENOSYS}, {"landlock_restrict_self", ENOSYS}};
}

std::vector<MissingCall> without_mounts() {
  return {{"mount", EACCES}, {"fsopen", EACCES}};
}

std::vector<MissingCall> without_seccomp() {
  return {{"seccomp", ENOSYS}, {"prctl", EINVAL, MissingCall::Condition{0, 0xFFFF'FFFF, PR_SET_SECCOMP}}};
}

std::vector<MissingCall> without_cgroup_namespaces() {
  return {clone_with(CLONE_NEWCGROUP, EINVAL)};
}

std::vector<MissingCall> as_in_4_19() {
  std::vector<MissingCall> missing = without_landlock();
  for (const char* name : {"close_range", "clone3", "pidfd_open", "pidfd_getfd", "openat2", "faccessat2",
                           "fsopen", "fsconfig", "fsmount", "open_tree", "move_mount"})
    missing.push_back({name, ENOSYS});
  return missing;
}

}  // namespace pvhgrub::sandbox::test
