// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/sandbox/probe_runner.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pty.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "tests/sandbox/probes.h"

namespace pvhgrub::sandbox::test {
namespace {

constexpr int kAnswerMilliseconds = 10'000;

/// The probes where an unprivileged caller can execute them, too: a build folder below /root is closed to it.
class ReachableProbes {
 public:
  ReachableProbes() {
    if (mkdtemp(folder_.data()) == nullptr || chmod(folder_.c_str(), 0755) != 0) return;
    std::error_code error;
    std::filesystem::copy_file(PVHGRUB_TEST_PROBE, filtered(), error);
    std::filesystem::copy_file(PVHGRUB_TEST_UNFILTERED_PROBE, unfiltered(), error);
    for (const std::string& path : {filtered(), unfiltered()}) chmod(path.c_str(), 0755);
  }
  ReachableProbes(const ReachableProbes&) = delete;
  ReachableProbes& operator=(const ReachableProbes&) = delete;
  ~ReachableProbes() {
    // Children of the tests that end by exit(3) are not the owner.
    std::error_code error;
    if (getpid() == owner_) std::filesystem::remove_all(folder_, error);
  }
  [[nodiscard]] std::string filtered() const { return folder_ + "/probe"; }
  [[nodiscard]] std::string unfiltered() const { return folder_ + "/unfiltered_probe"; }

 private:
  pid_t owner_ = getpid();
  std::string folder_ = "/tmp/pvhgrub-probes-XXXXXX";
};

// Made before the tests fork anything.
const ReachableProbes kProbes;

}  // namespace

std::string probe_path() {
  return kProbes.filtered();
}

std::string unfiltered_probe_path() {
  return kProbes.unfiltered();
}

UniqueFd scratch_disk(int open_flags) {
  std::string path = "/tmp/pvhgrub-sandbox-test-XXXXXX";
  UniqueFd writable(mkostemp(path.data(), O_CLOEXEC));
  if (!writable.valid() || write(writable.get(), "0123456789", 10) != 10) return {};
  UniqueFd disk(open(path.c_str(), open_flags | O_CLOEXEC));
  unlink(path.c_str());
  return disk;
}

bool RunningProbe::read_line(std::string& line) {
  for (;;) {
    const std::size_t end = text.find('\n');
    if (end != std::string::npos) {
      line = text.substr(0, end);
      text.erase(0, end + 1);
      return true;
    }
    pollfd state{.fd = channel.get(), .events = POLLIN, .revents = 0};
    std::array<char, 4096> piece{};
    if (poll(&state, 1, kAnswerMilliseconds) <= 0) return false;
    const ssize_t count = read(channel.get(), piece.data(), piece.size());
    if (count <= 0) return false;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

Result<RunningProbe> start_probe(const std::string& name, const ProbeOptions& options) {
  UniqueFd scratch = scratch_disk(O_RDONLY);
  const int disk = options.disk_fd >= 0 ? options.disk_fd : scratch.get();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_errno("socketpair");
  UniqueFd channel(ends[0]);
  const UniqueFd worker_channel(ends[1]);
  SpawnRequest request;
  request.worker_path = options.worker;
  request.fds = {{disk, kDisk}, {worker_channel.get(), kChannel}};
  if (options.two_disks) request.fds.push_back({disk, kSecondDisk});
  UniqueFd appliance;
  UniqueFd workers_appliance;
  if (options.appliance) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_errno("socketpair");
    appliance.reset(ends[0]);
    workers_appliance.reset(ends[1]);
    if (send(appliance.get(), "1234", 4, MSG_NOSIGNAL) != 4) return fail_errno("send");
    request.fds.push_back({workers_appliance.get(), kAppliance});
  }
  UniqueFd terminal;
  UniqueFd workers_terminal;
  if (options.terminal) {
    int slave = -1;
    int master = -1;
    if (openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) return fail_errno("openpty");
    terminal.reset(master);
    workers_terminal.reset(slave);
    if (write(master, "x\n", 2) != 2) return fail_errno("the terminal takes no key");
    request.fds.push_back({slave, kTerminal});
  }
  if (options.extra_fd >= 0) request.fds.push_back({options.extra_fd, 9});
  request.run_as = options.run_as;
  request.allow_landlock_only = options.allow_landlock_only;
  PVHGRUB_TRY_ASSIGN(WorkerProcess worker, spawn_worker(request));
  const std::string text = name + "\n" + std::to_string(getpid()) + (options.two_disks ? " 2" : " 1") +
                           (options.appliance ? "A" : "") + (options.terminal ? "T\n" : "\n");
  // MSG_NOSIGNAL: a worker that ended at once must not end the tests.
  if (send(channel.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    return fail_errno("the probe took no request");
  return RunningProbe{std::move(worker), std::move(channel), std::move(scratch), std::move(appliance),
                      std::move(terminal)};
}

Result<ProbeResult> run_probe(const std::string& name, const ProbeOptions& options) {
  PVHGRUB_TRY_ASSIGN(RunningProbe probe, start_probe(name, options));
  ProbeResult result;
  std::string line;
  while (probe.read_line(line)) {
    if (line.starts_with("confined "))
      result.layers = line.substr(9);
    else if (!line.empty())
      result.answer = line;
  }
  const auto reason = probe.worker.wait_for(std::chrono::milliseconds(kAnswerMilliseconds));
  if (!reason) return fail(ErrorCode::kInternal, "the probe \"" + name + "\" did not end");
  result.reason = *reason;
  return result;
}

int in_child(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int status = body();
    std::fflush(nullptr);
    std::cerr.flush();
    _exit(status);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool drop_sys_admin() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return false;
  constexpr std::uint32_t kOthers = ~(1U << CAP_SYS_ADMIN);
  sets[0].effective &= kOthers;
  sets[0].permitted &= kOthers;
  sets[0].inheritable &= kOthers;
  return prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) == 0 &&
         syscall(SYS_capset, &header, sets.data()) == 0;
}

bool can_confine() {
  static const bool can = [] {
    const auto result = run_probe("nothing");
    if (result && result->answer == "nothing") return true;
    // Any other failure than a refused namespace is a bug, which the tests must show.
    const std::string message = result ? result->answer : result.error().describe();
    return message.find("--allow-landlock-only") == std::string::npos;
  }();
  return can;
}

bool is_root() {
  return geteuid() == 0 && can_confine();
}

int landlock_abi() {
  constexpr long kLandlockCreateRuleset = 444;
  const long abi = syscall(kLandlockCreateRuleset, nullptr, 0UL, 1U);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

void skip(const std::string& why) {
  std::cerr << "SKIPPED: " << why << '\n';
}

}  // namespace pvhgrub::sandbox::test
