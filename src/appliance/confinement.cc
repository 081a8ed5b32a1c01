// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/appliance/confinement.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <type_traits>

#include "base/appliance_limits.h"
#include "sandbox/privileges.h"

namespace pvhgrub::appliance {
namespace {

/// Bytes of its files, all in memory: what QEMU writes over its own disk, and where no fixed appliance is
/// named, the disk that supermin builds (some 400 MB).
constexpr const char* kWorkOptions = "mode=0755,size=1g";

/// Where hosts and users keep what is theirs.
constexpr std::array kHidden = {"/home", "/root", "/var", "/srv", "/mnt", "/media"};

std::unexpected<Error> refused(std::string what) {
  const int number = errno;
  Error error{ErrorCode::kSandbox, "the appliance cannot be confined: " + std::move(what), "", number};
  return std::unexpected(std::move(error));
}

Result<void> mount_tmpfs(const char* where, const char* options) {
  if (mount("tmpfs", where, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0)
    return refused(std::string("no tmpfs on ") + where);
  return {};
}

// What a variable names, bound below /run, where it stays when its own place is hidden. The value to set.
Result<std::string> keep_reachable(const std::string& value, std::size_t number) {
  std::error_code error;
  if (!value.starts_with('/') || !std::filesystem::exists(value, error)) return value;
  std::string place = "/run/host-" + std::to_string(number);
  if (std::filesystem::is_directory(value, error))
    std::filesystem::create_directory(place, error);
  else
    std::ofstream(place).flush();
  if (mount(value.c_str(), place.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return refused("cannot bind " + value);
  return place;
}

Result<void> arrange_files(const sandbox::ConfinePlan& plan, const std::vector<std::string>& environment) {
  if ((plan.namespaces & CLONE_NEWNS) == 0) return refused("it has no mount namespace of its own");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return refused("its mounts cannot be its own");
  PVHGRUB_TRY(mount_tmpfs("/run", kWorkOptions));
  if (mkdir(kWorkDirectory, 0700) != 0) return refused("no work directory");
  const bool root = plan.may_change_ids;
  if (root && chown(kWorkDirectory, plan.uid, plan.gid) != 0) return refused("no work directory of its own");
  for (std::size_t i = 0; i < environment.size(); ++i) {
    const std::size_t equals = environment[i].find('=');
    if (equals == std::string::npos) continue;
    PVHGRUB_TRY_ASSIGN(const std::string value, keep_reachable(environment[i].substr(equals + 1), i));
    setenv(environment[i].substr(0, equals).c_str(), value.c_str(), 1);
  }
  for (const char* const hidden : kHidden)
    if (access(hidden, F_OK) == 0) PVHGRUB_TRY(mount_tmpfs(hidden, "mode=0555,size=4k"));
  // Whom libguestfs takes for root, as the only user of a user namespace, has its sockets in /tmp whatever
  // the environment says.
  if (mount(kWorkDirectory, "/tmp", nullptr, MS_BIND, nullptr) != 0) return refused("cannot hide /tmp");
  // The processes of its own namespace instead of the host's. A container's /proc may forbid it; then its own
  // user id and namespace are what keeps it from the others.
  (void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  if (chdir(kWorkDirectory) != 0) return refused("no work directory");
  return {};
}

Result<void> limit_resources() {
  using Resource = std::remove_cv_t<decltype(RLIMIT_AS)>;
  constexpr std::array<std::pair<Resource, rlim_t>, 6> kLimits = {
      {{RLIMIT_AS, limits::kApplianceAddressSpace},
       {RLIMIT_CPU, limits::kApplianceCpuSeconds},
       {RLIMIT_FSIZE, limits::kApplianceFileBytes},
       {RLIMIT_NOFILE, 1024},
       {RLIMIT_CORE, 0},
       {RLIMIT_MEMLOCK, 0}}};
  for (const auto& [resource, value] : kLimits) {
    rlimit now{};
    if (getrlimit(resource, &now) != 0) return refused("cannot read a resource limit");
    now.rlim_max = std::min(now.rlim_max, value);
    now.rlim_cur = now.rlim_max;
    if (setrlimit(resource, &now) != 0) return refused("cannot set a resource limit");
  }
  return {};
}

}  // namespace

Result<void> confine_appliance(const sandbox::ConfinePlan& plan,
                               const std::vector<std::string>& environment) {
  PVHGRUB_TRY(arrange_files(plan, environment));
  PVHGRUB_TRY_ASSIGN(const sandbox::PrivilegeSummary privileges, sandbox::drop_privileges(plan));
  PVHGRUB_TRY(sandbox::seal_process());
  PVHGRUB_TRY(sandbox::check_privileges(plan, privileges));
  PVHGRUB_TRY(limit_resources());
  for (const char* const name :
       {"TMPDIR", "LIBGUESTFS_TMPDIR", "LIBGUESTFS_CACHEDIR", "XDG_RUNTIME_DIR", "HOME"})
    setenv(name, kWorkDirectory, 1);
  setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  return {};
}

}  // namespace pvhgrub::appliance
