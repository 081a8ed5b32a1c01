// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/worker_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>

namespace pvhgrub::sandbox::test {
namespace {

using Kind = ExitReason::Kind;

/// A plain child that exits with `status`, or waits for a signal where it is negative.
WorkerProcess child(int status) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (status < 0) pause();
    _exit(status);
  }
  return WorkerProcess(pid);
}

}  // namespace

TEST_CASE("the exit reason tells a status from a signal, and stays") {
  WorkerProcess exited = child(7);
  CHECK(exited.wait() == ExitReason{Kind::kExited, 7});
  CHECK(exited.wait() == ExitReason{Kind::kExited, 7});
  CHECK(exited.try_wait() == ExitReason{Kind::kExited, 7});
  WorkerProcess killed = child(-1);
  killed.kill();
  CHECK(killed.wait() == ExitReason{Kind::kSignaled, SIGKILL});
}

TEST_CASE("a running worker has no exit reason yet") {
  WorkerProcess worker = child(-1);
  CHECK(!worker.try_wait().has_value());
  CHECK(!worker.wait_for(std::chrono::milliseconds(5)).has_value());
}

TEST_CASE("the end of a WorkerProcess is the end of the worker") {
  pid_t pid = 0;
  {
    const WorkerProcess worker = child(-1);
    pid = worker.pid();
  }
  CHECK((kill(pid, 0) != 0 && errno == ESRCH));
}

TEST_CASE("a WorkerProcess that was moved from owns nothing") {
  WorkerProcess first = child(-1);
  const pid_t pid = first.pid();
  WorkerProcess second = std::move(first);
  CHECK(first.wait() == ExitReason{});
  CHECK(second.pid() == pid);
  CHECK(kill(pid, 0) == 0);
  second = child(0);
  CHECK((kill(pid, 0) != 0 && errno == ESRCH));
}

TEST_CASE("a worker that somebody else reaped has no known reason and is not killed any more") {
  WorkerProcess worker = child(0);
  waitpid(worker.pid(), nullptr, 0);
  CHECK(worker.wait().kind == Kind::kUnknown);
  worker.kill();
  CHECK(worker.try_wait()->kind == Kind::kUnknown);
}

TEST_CASE("exit reasons are told in words") {
  CHECK(ExitReason{Kind::kExited, 3}.describe() == "the worker exited with status 3");
  CHECK(ExitReason{Kind::kSignaled, SIGSYS}.describe() == "the sandbox stopped the worker (signal SIGSYS)");
  CHECK(ExitReason{Kind::kSignaled, SIGKILL}.describe() == "the worker was killed (signal SIGKILL)");
  CHECK(ExitReason{Kind::kSignaled, 40}.describe() == "the worker was killed (signal 40)");
  CHECK(!ExitReason{Kind::kSignaled, 0}.succeeded());
  CHECK(ExitReason{Kind::kExited, 0}.succeeded());
}

}  // namespace pvhgrub::sandbox::test
