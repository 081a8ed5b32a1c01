// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/resource_limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <type_traits>

#include "base/limits.h"
#include "sandbox/sandbox_error.h"

namespace pvhgrub::sandbox {
namespace {

// glibc gives the RLIMIT_ constants a type of their own in C++.
using Resource = std::remove_cv_t<decltype(RLIMIT_AS)>;

struct Limit {
  Resource resource;
  const char* name;
  rlim_t value;
  rlim_t unit;  ///< for the report only
  const char* unit_name;
};

#ifdef PVHGRUB_SANITIZED_BUILD
// Sanitizers reserve terabytes of address space.
constexpr rlim_t kAddressSpace = RLIM_INFINITY;
#else
constexpr rlim_t kAddressSpace = limits::kWorkerAddressSpace;
#endif

constexpr Limit kLimits[] = {
    {RLIMIT_AS, "AS", kAddressSpace, limits::kMiB, " MiB"},
    // Soft = hard, so SIGKILL at once: process 1 of a pid namespace is not stopped by SIGXCPU.
    {RLIMIT_CPU, "CPU", limits::kWorkerCpuSeconds, 1, " s"},
    // Not the number of those held: no descriptor can be made, and those held go on working. See
    // limit_resources().
    {RLIMIT_NOFILE, "NOFILE", 0, 1, ""},
    {RLIMIT_NPROC, "NPROC", 0, 1, ""},
    // Its one output is a socket, to which this does not apply.
    {RLIMIT_FSIZE, "FSIZE", 0, 1, ""},
    // A core file would hold the guest's data, and core_pattern may run a program as root over it.
    {RLIMIT_CORE, "CORE", 0, 1, ""},
    {RLIMIT_MEMLOCK, "MEMLOCK", 0, 1, ""},
    {RLIMIT_MSGQUEUE, "MSGQUEUE", 0, 1, ""},
};

std::string describe(const Limit& limit, rlim_t value) {
  const std::string name = limit.name;
  if (value == RLIM_INFINITY) return name + " unlimited";
  return name + " " + std::to_string(value / limit.unit) + limit.unit_name;
}

}  // namespace

Result<std::vector<std::string>> limit_resources(unsigned polled) {
  std::vector<std::string> report;
  for (const Limit& limit : kLimits) {
    rlimit now{};
    if (getrlimit(limit.resource, &now) != 0)
      return sandbox_failure(std::string("cannot read the resource limit ") + limit.name, errno);
    const rlim_t wanted = limit.resource == RLIMIT_NOFILE ? polled : limit.value;
    const rlim_t value = std::min(wanted, now.rlim_max);
    const rlimit lowered{.rlim_cur = value, .rlim_max = value};
    if (setrlimit(limit.resource, &lowered) != 0)
      return sandbox_failure(std::string("cannot set the resource limit ") + limit.name, errno);
    report.push_back(describe(limit, value));
  }
  return report;
}

}  // namespace pvhgrub::sandbox
