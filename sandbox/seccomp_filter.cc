// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/seccomp_filter.h"

#include <seccomp.h>
#include <sys/sysinfo.h>

#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/sandbox_error.h"

namespace pvhgrub::sandbox {
namespace {

struct FilterRelease {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterRelease>;

/// The whole process where the kernel can (4.14); before, the thread, and the worker has only one.
Result<Filter> new_filter() {
  for (const std::uint32_t kill : {SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD}) {
    Filter filter(seccomp_init(kill));
    if (filter == nullptr) continue;
    const int result = seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, kill);
    if (result == 0) return filter;
  }
  return sandbox_failure("no seccomp filter can be made");
}

scmp_arg_cmp equal(unsigned index, std::uint64_t value) {
  return {.arg = index, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

/// One filter rule a descriptor where a condition names descriptors: rules for one call are alternatives.
Result<void> add_rule(const Filter& filter, const SyscallRule& rule, const GrantedDescriptors& granted) {
  const std::uint32_t action =
      rule.action == SyscallRule::Action::kAllow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
  const std::string name(rule.name);
  const int number = seccomp_syscall_resolve_name(name.c_str());
  if (number == __NR_SCMP_ERROR) return sandbox_failure("libseccomp does not know the call " + name);
  std::vector<scmp_arg_cmp> conditions;
  unsigned index = 0;
  std::optional<std::vector<int>> numbers;
  const auto one_of = [&](const ArgumentRule& argument, std::vector<int> those) {
    index = argument.index;
    numbers = std::move(those);
  };
  for (const ArgumentRule& argument : rule.arguments) switch (argument.test) {
      case ArgumentRule::Test::kAny:
        break;
      case ArgumentRule::Test::kDisk:
        one_of(argument, granted.disks);
        break;
      case ArgumentRule::Test::kChannel:
        one_of(argument, {granted.channel});
        break;
      case ArgumentRule::Test::kAppliance:
        one_of(argument, {*granted.appliance});
        break;
      case ArgumentRule::Test::kTerminal:
        one_of(argument, {*granted.terminal});
        break;
      case ArgumentRule::Test::kMaskedEqual:
        conditions.push_back({.arg = argument.index,
                              .op = SCMP_CMP_MASKED_EQ,
                              .datum_a = argument.mask,
                              .datum_b = argument.value});
        break;
    }
  const auto add = [&] {
    const int result = seccomp_rule_add_array(filter.get(), action, number,
                                              static_cast<unsigned>(conditions.size()), conditions.data());
    if (result != 0)
      return Result<void>(sandbox_failure("cannot make the filter's rule for " + name, -result));
    return Result<void>();
  };
  if (!numbers) return add();
  for (const int fd : *numbers) {
    conditions.push_back(equal(index, static_cast<std::uint64_t>(fd)));
    PVHGRUB_TRY(add());
    conditions.pop_back();
  }
  return {};
}

/// The filter must be seen to work: this call succeeds without it.
Result<void> check_filter() {
  struct sysinfo information{};
  if (sysinfo(&information) == -1 && errno == EPERM) return {};
  return sandbox_failure("the seccomp filter has no effect");
}

}  // namespace

Result<SeccompSummary> load_seccomp_filter(Profile profile, const GrantedDescriptors& granted) {
  if (granted.channel < 0) return fail(ErrorCode::kInternal, "the worker has no channel");
  if (granted.appliance.has_value() != has_appliance(profile) ||
      granted.terminal.has_value() != has_terminal(profile))
    return fail(ErrorCode::kInternal, "the worker's profile does not fit its descriptors");
  PVHGRUB_TRY_ASSIGN(const Filter filter, new_filter());
  SeccompSummary summary;
  std::set<std::string_view> allowed;
  for (const SyscallRule& rule : syscall_table(profile)) {
    PVHGRUB_TRY(add_rule(filter, rule, granted));
    if (rule.action == SyscallRule::Action::kAllow)
      allowed.insert(rule.name);
    else
      ++summary.refused_calls;
  }
  summary.allowed_calls = allowed.size();
  const int result = seccomp_load(filter.get());
  if (result != 0) return sandbox_failure("the kernel takes no seccomp filter", -result);
  PVHGRUB_TRY(check_filter());
  return summary;
}

}  // namespace pvhgrub::sandbox
