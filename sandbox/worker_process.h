// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace pvhgrub::sandbox {

/// How a worker ended.
struct ExitReason {
  enum class Kind : std::uint8_t {
    kExited,    ///< value: the exit status
    kSignaled,  ///< value: the signal; SIGSYS is the seccomp filter's
    kUnknown,   ///< somebody else reaped it, or it could not be waited for
  };
  Kind kind = Kind::kUnknown;
  int value = 0;

  [[nodiscard]] bool succeeded() const { return kind == Kind::kExited && value == 0; }
  /// "the worker exited with status 1", "the sandbox stopped the worker (signal SIGSYS)", ...
  [[nodiscard]] std::string describe() const;
  friend bool operator==(const ExitReason&, const ExitReason&) = default;
};

/// Owns one worker. In its own pid namespace it is process 1, so killing it kills all that it might have
/// started.
class WorkerProcess {
 public:
  explicit WorkerProcess(pid_t pid) : pid_(pid) {}
  WorkerProcess(WorkerProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), reason_(std::exchange(other.reason_, std::nullopt)) {}
  WorkerProcess& operator=(WorkerProcess&& other) noexcept;
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  /// Kills and reaps. Waits at most limits::kReapMilliseconds for a worker that hangs in the kernel (a dead
  /// disk), which then goes on dying as a child of init.
  ~WorkerProcess();

  /// As the broker sees it; stays after the end, for messages.
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// SIGKILL, if it has not been reaped yet. Does not wait.
  void kill();
  /// Waits without end.
  ExitReason wait();
  /// Never waits: nothing while it runs.
  std::optional<ExitReason> try_wait();
  /// Waits at most so long: nothing while it still runs.
  std::optional<ExitReason> wait_for(std::chrono::milliseconds timeout);

 private:
  void release();

  pid_t pid_ = -1;
  std::optional<ExitReason> reason_;
};

}  // namespace pvhgrub::sandbox
