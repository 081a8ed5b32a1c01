// SPDX-License-Identifier: LGPL-2.1-or-later
// The broker's side: makes the worker's process, in its own namespaces where the kernel gives them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/worker_process.h"

namespace pvhgrub::sandbox {

/// One descriptor that the worker starts with.
struct FdGrant {
  int fd = -1;      ///< the broker's descriptor, which it keeps
  int number = -1;  ///< the worker's number for it, 0 to 255, each at most once
};

struct SpawnRequest {
  std::string
      worker_path;  ///< absolute; executed before any privilege is dropped, so only root need reach it
  std::vector<FdGrant> fds =
      {};  ///< the worker starts with exactly these; 0-2 are /dev/null where not granted
  std::optional<uid_t> run_as = std::nullopt;  ///< --runas; without it see sandbox/worker_identity.h
  bool allow_landlock_only = false;     ///< where namespaces cannot be had, Landlock alone may hide the files
  std::string name = "pvhgrub-worker";  ///< what it is called, its argv[0]
  bool apart = false;                   ///< another user than the worker's; see sandbox/worker_identity.h
};

/// Starts the worker, which calls confine() first thing. Three ways, chosen by trying:
///   root:      new mount, pid, net, ipc, uts (and cgroup) namespaces, no user namespace, then another uid;
///   not root:  the same in a new user namespace, with the caller's own uid;
///   neither:   no namespaces, Landlock denies all files; only with allow_landlock_only.
/// The worker has no environment but LC_ALL, its own session, cwd "/", default signal actions, and dies with
/// the thread that called this. Call it from the main thread. SIGCHLD is set back to its default where it was
/// ignored: otherwise the kernel would reap the worker and its pid could be another process's.
///
/// kUsage: run_as is 0 or one that the caller may not take. kSandbox: no process or no tier; nothing was
/// parsed.
[[nodiscard]] Result<WorkerProcess> spawn_worker(const SpawnRequest& request);

}  // namespace pvhgrub::sandbox
