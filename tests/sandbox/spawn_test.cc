// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "tests/sandbox/probe_runner.h"

namespace pvhgrub::sandbox::test {
namespace {

/// In a child that was changed in some way: a worker comes up confined and ends well. 0 when so.
int expect_worker() {
  const auto result = run_probe("nothing");
  if (result && result->answer == "nothing" && result->reason.succeeded()) return 0;
  std::cerr << (result ? result->answer + ", " + result->reason.describe() : result.error().describe())
            << '\n';
  return 1;
}

/// Children of this process that are not reaped yet.
bool has_children() {
  int status = 0;
  return waitpid(-1, &status, WNOHANG) >= 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("a worker starts with one argument, LC_ALL alone, in its own session and at the root") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  setenv("LD_PRELOAD_LIKE", "secret", 1);
  auto probe = start_probe("say before");
  REQUIRE(probe.has_value());
  std::string line;
  REQUIRE(probe->read_line(line));
  CHECK(line == "arguments 2 environment LC_ALL=C.UTF-8 cwd / session 1");
}

TEST_CASE("a worker that cannot be executed is an error that names it, and leaves no process") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  SpawnRequest request;
  request.worker_path = "/nowhere/pvhgrub-worker";
  const auto worker = spawn_worker(request);
  REQUIRE(!worker.has_value());
  CHECK(worker.error().code == ErrorCode::kSandbox);
  CHECK(worker.error().system_errno == ENOENT);
  CHECK(worker.error().describe().find("/nowhere/pvhgrub-worker") != std::string::npos);
  CHECK(!has_children());
}

TEST_CASE("requests that make no sense are refused before there is a process") {
  const auto code = [](SpawnRequest request) { return spawn_worker(request).error().code; };
  CHECK(code({.worker_path = "relative"}) == ErrorCode::kInternal);
  CHECK(code({.worker_path = "/x", .fds = {{0, 256}}}) == ErrorCode::kInternal);
  CHECK(code({.worker_path = "/x", .fds = {{0, -1}}}) == ErrorCode::kInternal);
  CHECK(code({.worker_path = "/x", .fds = {{-1, 3}}}) == ErrorCode::kInternal);
  CHECK(code({.worker_path = "/x", .fds = {{0, 3}, {1, 3}}}) == ErrorCode::kInternal);
  CHECK(code({.worker_path = "/x", .run_as = 0}) == ErrorCode::kUsage);
  CHECK(!has_children());
}

TEST_CASE("a descriptor that is granted but not open is an error") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const auto worker = spawn_worker({.worker_path = probe_path(), .fds = {{250, 3}}});
  REQUIRE(!worker.has_value());
  CHECK(worker.error().system_errno == EBADF);
}

TEST_CASE("granted descriptors may have each other's numbers") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  // The channel has the disk's number in the broker, and the disk the channel's.
  CHECK(in_child([] {
          for (const int fd : {3, 4, 5, 6, 7, 8}) close(fd);
          int pipe_ends[2];
          if (pipe(pipe_ends) != 0 || pipe_ends[0] != 3) return 77;
          return expect_worker();
        }) == 0);
}

TEST_CASE("a descriptor that the worker does not expect makes it refuse") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const auto result = run_probe("nothing", {.extra_fd = STDIN_FILENO});
  REQUIRE(result.has_value());
  CHECK(result->answer.find("descriptor 9 is open, but nobody granted it") != std::string::npos);
  CHECK(result->reason == ExitReason{ExitReason::Kind::kExited, 3});
}

TEST_CASE("a worker whose broker is gone before it is confined refuses") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  auto probe = start_probe("wait for the disk");
  REQUIRE(probe.has_value());
  probe->channel.reset();
  const auto reason = probe->worker.wait_for(std::chrono::seconds(10));
  REQUIRE(reason.has_value());
  CHECK(*reason == ExitReason{ExitReason::Kind::kExited, 3});
}

TEST_CASE("workers come up whatever state their caller is in") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  SECTION("with closed standard descriptors") {
    CHECK(in_child([] {
            for (const int fd : {0, 1, 2}) close(fd);
            return expect_worker();
          }) == 0);
  }
  SECTION("with SIGCHLD ignored") {
    CHECK(in_child([] {
            std::signal(SIGCHLD, SIG_IGN);
            return expect_worker();
          }) == 0);
  }
  SECTION("with SIGCHLD handled by somebody who wants no zombies") {
    CHECK(in_child([] {
            struct sigaction action{};
            action.sa_handler = [](int) {};
            action.sa_flags = SA_NOCLDWAIT;
            sigaction(SIGCHLD, &action, nullptr);
            return expect_worker();
          }) == 0);
  }
  SECTION("with all signals blocked") {
    CHECK(in_child([] {
            sigset_t all;
            sigfillset(&all);
            sigprocmask(SIG_SETMASK, &all, nullptr);
            return expect_worker();
          }) == 0);
  }
  SECTION("with at most 64 open files") {
    CHECK(in_child([] {
            const rlimit few{.rlim_cur = 64, .rlim_max = 64};
            if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 77;
            return expect_worker();
          }) == 0);
  }
  SECTION("with a working directory that is gone") {
    CHECK(in_child([] {
            char path[] = "/tmp/pvhgrub-gone-XXXXXX";
            if (mkdtemp(path) == nullptr || chdir(path) != 0 || rmdir(path) != 0) return 77;
            return expect_worker();
          }) == 0);
  }
  SECTION("with lower limits than the worker's own") {
    CHECK(in_child([] {
            const rlimit less{.rlim_cur = 5, .rlim_max = 5};
            if (setrlimit(RLIMIT_CPU, &less) != 0) return 77;
            const auto result = run_probe("nothing");
            return result && result->layers.find("CPU 5 s") != std::string::npos ? 0 : 1;
          }) == 0);
  }
  SECTION("on a terminal of its own") {
    CHECK(in_child([] {
            const int master = posix_openpt(O_RDWR);
            if (setsid() < 0 || master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return 77;
            const int slave = open(ptsname(master), O_RDWR);
            if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0) return 77;
            const int log = dup(STDERR_FILENO);
            for (const int fd : {0, 1, 2}) dup2(slave, fd);
            const int status = expect_worker();
            dup2(log, STDERR_FILENO);
            return status;
          }) == 0);
  }
}

TEST_CASE("a worker does not inherit ignored signals, and its caller's mask comes back") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  CHECK(in_child([] {
          std::signal(SIGTERM, SIG_IGN);
          sigset_t mask;
          sigemptyset(&mask);
          sigaddset(&mask, SIGUSR1);
          sigprocmask(SIG_SETMASK, &mask, nullptr);
          int ends[2];
          if (pipe2(ends, O_CLOEXEC) != 0) return 77;
          auto probe = start_probe("wait for the disk", {.disk_fd = ends[0], .two_disks = false});
          std::string line;
          if (!probe || !probe->read_line(line)) return 1;
          sigset_t after;
          sigprocmask(SIG_SETMASK, nullptr, &after);
          if (sigismember(&after, SIGUSR1) != 1 || sigismember(&after, SIGTERM) != 0) return 2;
          std::string path = "/proc/" + std::to_string(probe->worker.pid()) + "/status";
          const UniqueFd status(open(path.c_str(), O_RDONLY));
          std::string text(8192, '\0');
          if (read(status.get(), text.data(), text.size()) <= 0) return 3;
          // Only SIGPIPE (bit 12) is ignored, by confine(); nothing is blocked.
          if (text.find("SigIgn:\t0000000000001000") == std::string::npos) return 4;
          return text.find("SigBlk:\t0000000000000000") != std::string::npos ? 0 : 5;
        }) == 0);
}

TEST_CASE("a caller's personality does not reach the worker") {
  if (!is_root()) return skip("needs root, to read the worker's /proc file");
  CHECK(in_child([] {
          if (personality(READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE) < 0) return 77;
          int ends[2];
          if (pipe2(ends, O_CLOEXEC) != 0) return 77;
          auto probe = start_probe("wait for the disk", {.disk_fd = ends[0], .two_disks = false});
          std::string line;
          if (!probe || !probe->read_line(line)) return 1;
          const std::string path = "/proc/" + std::to_string(probe->worker.pid()) + "/personality";
          const UniqueFd file(open(path.c_str(), O_RDONLY));
          std::string text(32, '\0');
          text.resize(
              static_cast<std::size_t>(std::max<ssize_t>(read(file.get(), text.data(), text.size()), 0)));
          return text == "00000000\n" ? 0 : 2;
        }) == 0);
}

TEST_CASE("a worker that spins is killed by its processor time limit, also as process 1") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  CHECK(in_child([] {
          const rlimit second{.rlim_cur = 1, .rlim_max = 1};
          if (setrlimit(RLIMIT_CPU, &second) != 0) return 77;
          const auto result = run_probe("spin");
          return result && result->reason == ExitReason{ExitReason::Kind::kSignaled, SIGKILL} ? 0 : 1;
        }) == 0);
}

TEST_CASE("a worker that writes to a channel that was closed gets an error and no signal") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  auto probe = start_probe("write for ever");
  REQUIRE(probe.has_value());
  std::string line;
  REQUIRE(probe->read_line(line));
  probe->channel.reset();
  const auto reason = probe->worker.wait_for(std::chrono::seconds(10));
  REQUIRE(reason.has_value());
  CHECK(*reason == ExitReason{ExitReason::Kind::kExited, 42});
}

TEST_CASE("two hundred workers leave no process and no descriptor behind") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto before = descriptors();
  for (int i = 0; i < 200; ++i) {
    const auto result = run_probe("nothing");
    REQUIRE(result.has_value());
    REQUIRE(result->reason.succeeded());
  }
  CHECK(descriptors() == before);
  CHECK(!has_children());
}

TEST_CASE("a worker's mounts do not reach its caller, whose mounts are shared") {
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          // As systemd makes the host's mounts.
          if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
              mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr) != 0)
            return 77;
          const auto mounts = [] {
            std::ifstream file("/proc/self/mountinfo");
            return std::string(std::istreambuf_iterator<char>(file), {});
          };
          const std::string before = mounts();
          if (before.find(" shared:") == std::string::npos) return 78;
          if (const int status = expect_worker(); status != 0) return status;
          return mounts() == before ? 0 : 2;
        }) == 0);
}

TEST_CASE("thirty-two workers run side by side") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  std::vector<RunningProbe> probes;
  for (int i = 0; i < 32; ++i) {
    auto probe = start_probe("nothing");
    REQUIRE(probe.has_value());
    probes.push_back(std::move(*probe));
  }
  for (RunningProbe& probe : probes) {
    const auto reason = probe.worker.wait_for(std::chrono::seconds(20));
    REQUIRE(reason.has_value());
    CHECK(reason->succeeded());
  }
}

}  // namespace pvhgrub::sandbox::test
