// SPDX-License-Identifier: LGPL-2.1-or-later
// The tests' broker: spawns the hostile worker (probe_main.cc) by the real spawn_worker() and takes its
// answers.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/spawn.h"

namespace pvhgrub::sandbox::test {

/// The programs, from meson: with every layer, and with the seccomp filter left out as in a sanitizer build.
[[nodiscard]] std::string probe_path();
[[nodiscard]] std::string unfiltered_probe_path();

/// False in a sanitizer build, whose workers have no seccomp filter and no RLIMIT_AS.
#ifdef PVHGRUB_SANITIZED_BUILD
inline constexpr bool kFiltered = false;
#else
inline constexpr bool kFiltered = true;
#endif
/// How a worker of this build reports its filter.
inline constexpr const char* kFilterReport =
    kFiltered ? "seccomp: 16 calls allowed, 4 refused, any other kills" : "seccomp: LEFT OUT";

/// A scratch file that holds "0123456789" and is deleted already.
[[nodiscard]] UniqueFd scratch_disk(int open_flags);

struct ProbeOptions {
  std::string worker = probe_path();
  std::optional<uid_t> run_as = std::nullopt;
  bool allow_landlock_only = false;
  int disk_fd = -1;  ///< what to grant as the disk; -1: a scratch file
  bool two_disks = true;
  bool appliance = false;  ///< with a socket to one, on which four bytes wait
  bool terminal = false;   ///< with one as its standard input, on which a key waits
  int extra_fd = -1;       ///< granted as descriptor 9, which nobody announces to confine()
};

/// A worker that has got its request.
struct RunningProbe {
  WorkerProcess worker;
  UniqueFd channel;
  UniqueFd disk;
  UniqueFd appliance = {};
  UniqueFd terminal = {};  ///< the other end of the worker's
  std::string text = {};   ///< what it has said so far

  /// Takes what it says up to the next line end, or to its end. False at the end, or after ten seconds.
  bool read_line(std::string& line);
};

struct ProbeResult {
  std::string layers;  ///< LayerReport::to_line(), empty where it was refused
  std::string answer;  ///< what it told last: "errno 1", "allowed", "refused cannot ...", or nothing
  ExitReason reason;
};

[[nodiscard]] Result<RunningProbe> start_probe(const std::string& name, const ProbeOptions& options = {});
[[nodiscard]] Result<ProbeResult> run_probe(const std::string& name, const ProbeOptions& options = {});

/// Runs `body` in a fork and returns its exit status (128 + signal where it was killed), so that a test can
/// change the process for good: its user, its limits, a filter. What it prints goes to stderr.
[[nodiscard]] int in_child(const std::function<int()>& body);

/// Takes CAP_SYS_ADMIN from the calling process: from then on root gets no namespaces. False where it could
/// not.
[[nodiscard]] bool drop_sys_admin();

/// This caller and kernel can have the full sandbox: not in a chroot, or in most containers, of a build
/// machine.
[[nodiscard]] bool can_confine();
/// The same as root.
[[nodiscard]] bool is_root();
/// 0 where this kernel has no Landlock.
[[nodiscard]] int landlock_abi();
/// Prints why a test was left out.
void skip(const std::string& why);

}  // namespace pvhgrub::sandbox::test
