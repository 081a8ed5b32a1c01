// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/worker_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "base/limits.h"

namespace pvhgrub::sandbox {
namespace {

ExitReason reason_of(int status) {
  if (WIFEXITED(status)) return {ExitReason::Kind::kExited, WEXITSTATUS(status)};
  if (WIFSIGNALED(status)) return {ExitReason::Kind::kSignaled, WTERMSIG(status)};
  return {};
}

void sleep_for(std::chrono::microseconds duration) {
  const std::timespec time{.tv_sec = 0, .tv_nsec = static_cast<long>(duration.count()) * 1000};
  nanosleep(&time, nullptr);
}

}  // namespace

std::string ExitReason::describe() const {
  if (kind == Kind::kUnknown) return "the worker ended in a way that could not be found out";
  if (kind == Kind::kExited) return "the worker exited with status " + std::to_string(value);
  const char* name = sigabbrev_np(value);
  const std::string signal = name != nullptr ? "SIG" + std::string(name) : std::to_string(value);
  if (value == SIGSYS) return "the sandbox stopped the worker (signal SIGSYS)";
  return "the worker was killed (signal " + signal + ")";
}

WorkerProcess& WorkerProcess::operator=(WorkerProcess&& other) noexcept {
  if (this != &other) {
    release();
    pid_ = std::exchange(other.pid_, -1);
    reason_ = std::exchange(other.reason_, std::nullopt);
  }
  return *this;
}

WorkerProcess::~WorkerProcess() {
  release();
}

void WorkerProcess::release() {
  if (pid_ <= 0 || reason_) return;
  kill();
  wait_for(std::chrono::milliseconds(limits::kReapMilliseconds));
}

void WorkerProcess::kill() {
  // Once reaped, the number may belong to another process.
  if (pid_ > 0 && !reason_) ::kill(pid_, SIGKILL);
}

ExitReason WorkerProcess::wait() {
  if (pid_ <= 0) return {};  // moved from: waitpid(-1) would take any child
  while (!reason_) {
    int status = 0;
    const pid_t result = waitpid(pid_, &status, 0);
    if (result == pid_) reason_ = reason_of(status);
    if (result < 0 && errno != EINTR) reason_ = ExitReason{};
  }
  return *reason_;
}

std::optional<ExitReason> WorkerProcess::try_wait() {
  if (reason_) return reason_;
  if (pid_ <= 0) return ExitReason{};
  int status = 0;
  const pid_t result = waitpid(pid_, &status, WNOHANG);
  if (result == pid_) reason_ = reason_of(status);
  if (result < 0 && errno != EINTR) reason_ = ExitReason{};
  return reason_;
}

std::optional<ExitReason> WorkerProcess::wait_for(std::chrono::milliseconds timeout) {
  // Polling, because pidfd_open(2) is younger than the oldest dom0 kernels (4.19) and SIGCHLD is the
  // caller's. A killed worker is gone in about a millisecond, so the first naps are short.
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (std::chrono::microseconds nap(100);; nap = std::min(nap * 2, std::chrono::microseconds(20'000))) {
    if (const auto reason = try_wait()) return reason;
    if (std::chrono::steady_clock::now() >= end) return std::nullopt;
    sleep_for(nap);
  }
}

}  // namespace pvhgrub::sandbox
