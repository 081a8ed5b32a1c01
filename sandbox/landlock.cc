// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/unique_fd.h"
#include "sandbox/sandbox_error.h"

namespace pvhgrub::sandbox {
namespace {

// From the kernel's include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst. Spelled out
// here because the C headers of the build machine may be older than the kernel it runs on. The call numbers
// are the same everywhere.
constexpr long kCreateRulesetCall = 444;
constexpr long kRestrictSelfCall = 446;
constexpr std::uint32_t kAskVersion = 1;

/// struct landlock_ruleset_attr, which grew: an older kernel refuses a size that it does not know.
struct RulesetAttribute {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};

constexpr std::uint64_t low_bits(unsigned count) {
  return (std::uint64_t{1} << count) - 1;
}

/// LANDLOCK_ACCESS_FS_*: 13 rights in ABI 1, then REFER, TRUNCATE and IOCTL_DEV.
std::uint64_t file_rights(int abi) {
  if (abi >= 5) return low_bits(16);
  if (abi >= 3) return low_bits(15);
  return abi == 2 ? low_bits(14) : low_bits(13);
}

std::size_t attribute_size(int abi) {
  if (abi >= 6) return sizeof(RulesetAttribute);
  return abi >= 4 ? offsetof(RulesetAttribute, scoped) : offsetof(RulesetAttribute, handled_access_net);
}

}  // namespace

Result<int> deny_by_landlock() {
  const long version = syscall(kCreateRulesetCall, nullptr, 0UL, kAskVersion);
  // ENOSYS: not built in; EOPNOTSUPP: not enabled at boot. EPERM: an outer seccomp filter (a container) hides
  // it.
  if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM)) return 0;
  if (version < 0) return sandbox_failure("cannot ask for Landlock's version", errno);
  const int abi = static_cast<int>(version);
  RulesetAttribute attribute;
  attribute.handled_access_fs = file_rights(abi);
  if (abi >= 4) attribute.handled_access_net = low_bits(2);  // BIND_TCP, CONNECT_TCP
  if (abi >= 6) attribute.scoped = low_bits(2);              // ABSTRACT_UNIX_SOCKET, SIGNAL
  // Rights that are handled and that no rule grants are denied: there are no rules.
  const UniqueFd ruleset(static_cast<int>(syscall(kCreateRulesetCall, &attribute, attribute_size(abi), 0U)));
  if (!ruleset.valid()) return sandbox_failure("cannot make a Landlock ruleset", errno);
  if (syscall(kRestrictSelfCall, ruleset.get(), 0U) != 0)
    return sandbox_failure("Landlock does not restrict the process", errno);
  return abi;
}

}  // namespace pvhgrub::sandbox
