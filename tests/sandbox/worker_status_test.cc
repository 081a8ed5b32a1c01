// SPDX-License-Identifier: LGPL-2.1-or-later
// A live, confined worker, seen from outside through /proc.
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "base/limits.h"
#include "sandbox/worker_identity.h"
#include "tests/sandbox/probe_runner.h"
#include "tests/sandbox/probes.h"

namespace pvhgrub::sandbox::test {
namespace {

/// A worker that waits for a byte of its disk, a pipe, for as long as this lives.
class LiveWorker {
 public:
  LiveWorker() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    disk_.reset(ends[0]);
    byte_source_.reset(ends[1]);
    auto started = start_probe("wait for the disk", {.disk_fd = disk_.get(), .two_disks = false});
    REQUIRE(started.has_value());
    probe_.emplace(std::move(*started));
    REQUIRE(probe_->read_line(layers_));
    REQUIRE(layers_.starts_with("confined "));
  }

  [[nodiscard]] std::string proc(const std::string& name) const {
    return "/proc/" + std::to_string(probe_->worker.pid()) + "/" + name;
  }
  [[nodiscard]] pid_t pid() const { return probe_->worker.pid(); }
  [[nodiscard]] const std::string& layers() const { return layers_; }

 private:
  UniqueFd disk_;
  UniqueFd byte_source_;
  std::optional<RunningProbe> probe_;
  std::string layers_;
};

std::map<std::string, std::string> read_status(const LiveWorker& worker) {
  std::ifstream file(worker.proc("status"));
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon != std::string::npos) fields[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return fields;
}

std::set<std::string> list(const std::string& path) {
  std::set<std::string> names;
  DIR* directory = opendir(path.c_str());
  REQUIRE(directory != nullptr);
  while (const dirent* entry = readdir(directory)) names.insert(entry->d_name);
  closedir(directory);
  names.erase(".");
  names.erase("..");
  return names;
}

/// Gone, or a zombie that only waits for init.
bool is_dead(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  return !std::getline(file, line) || line.find(") Z ") != std::string::npos;
}

std::string link_target(const std::string& path) {
  std::string target(4096, '\0');
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  target.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return target;
}

}  // namespace

TEST_CASE("a live worker has the filter, no new privileges and no capabilities") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const LiveWorker worker;
  const auto status = read_status(worker);
  CHECK(status.at("Seccomp") == (kFiltered ? "2" : "0"));
  CHECK(status.at("NoNewPrivs") == "1");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    INFO(set);
    CHECK(status.at(set) == "0000000000000000");
  }
  CHECK(status.at("Threads") == "1");
}

TEST_CASE("a live worker runs as nobody's user and group, all four ids of each, and no other group") {
  if (!is_root()) return skip("needs root");
  const LiveWorker worker;
  const auto identity = choose_worker_identity(std::nullopt);
  REQUIRE(identity.has_value());
  const auto status = read_status(worker);
  const auto four = [](unsigned id) {
    const std::string one = std::to_string(id);
    return one + "\t" + one + "\t" + one + "\t" + one;
  };
  CHECK(identity->uid != 0);
  CHECK(status.at("Uid") == four(identity->uid));
  CHECK(status.at("Gid") == four(identity->gid));
  CHECK((status.at("Groups") == "" || status.at("Groups") == " "));
}

TEST_CASE(
    "a live worker is process 1 of its namespaces, and shares none but the user and time ones as root") {
  if (!is_root()) return skip("needs root");
  const LiveWorker worker;
  for (const char* name : {"mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
    INFO(name);
    const std::string of_worker = link_target(worker.proc(std::string("ns/") + name));
    CHECK(!of_worker.empty());
    CHECK(of_worker != link_target(std::string("/proc/self/ns/") + name));
  }
  CHECK(link_target(worker.proc("ns/user")) == link_target("/proc/self/ns/user"));
  const std::string pids = read_status(worker).at("NSpid");
  CHECK(pids.ends_with("\t1"));
  // Its own session and process group: in its own namespace both have the number 1 too.
  CHECK(read_status(worker).at("NSsid").ends_with("\t1"));
}

TEST_CASE("a live worker's root is empty and cannot be written, even by root from outside") {
  if (!is_root()) return skip("needs root");
  const LiveWorker worker;
  CHECK(list(worker.proc("root/")).empty());
  CHECK(list(worker.proc("cwd/")).empty());
  const int file = open(worker.proc("root/new").c_str(), O_CREAT | O_WRONLY, 0600);
  CHECK((file < 0 && errno == EROFS));
  std::ifstream mounts(worker.proc("mounts"));
  std::string line;
  int count = 0;
  while (std::getline(mounts, line)) ++count;
  CHECK(count == 1);
}

TEST_CASE("a live worker has exactly the granted descriptors, and /dev/null for reading on 0 to 2") {
  if (!is_root()) return skip("needs root");
  const LiveWorker worker;
  CHECK(list(worker.proc("fd")) == std::set<std::string>{"0", "1", "2", "3", "4"});
  for (const char* fd : {"0", "1", "2"}) {
    struct stat information_of_fd{}, null{};
    REQUIRE(stat(worker.proc(std::string("fd/") + fd).c_str(), &information_of_fd) == 0);
    REQUIRE(stat("/dev/null", &null) == 0);
    CHECK(information_of_fd.st_rdev == null.st_rdev);
    std::ifstream information(worker.proc(std::string("fdinfo/") + fd));
    std::stringstream text;
    text << information.rdbuf();
    CHECK(text.str().find("flags:\t0100000\n") != std::string::npos);  // O_RDONLY | O_LARGEFILE
  }
}

TEST_CASE("a live worker's limits are those of base/limits.h, soft and hard") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const LiveWorker worker;
  std::ifstream file(worker.proc("limits"));
  std::map<std::string, std::string> limits;
  for (std::string line; std::getline(file, line);) {
    std::istringstream values(line.substr(std::min<std::size_t>(26, line.size())));
    std::string soft, hard;
    values >> soft >> hard;
    limits[line.substr(0, line.find("  "))] = soft + " " + hard;
  }
  const std::string memory = kFiltered ? std::to_string(limits::kWorkerAddressSpace) : "unlimited";
  const std::string seconds = std::to_string(limits::kWorkerCpuSeconds);
  CHECK(limits["Max address space"] == memory + " " + memory);
  CHECK(limits["Max cpu time"] == seconds + " " + seconds);
  for (const char* name : {"Max open files", "Max processes", "Max file size", "Max core file size",
                           "Max locked memory", "Max msgqueue size"}) {
    INFO(name);
    CHECK(limits[name] == "0 0");
  }
}

TEST_CASE("a live worker cannot be traced or looked into by its own user") {
  if (!is_root()) return skip("needs root");
  const LiveWorker worker;
  struct stat information{};
  REQUIRE(stat(worker.proc("maps").c_str(), &information) == 0);
  CHECK(information.st_uid == 0);  // not dumpable: root owns its /proc files
  const auto identity = choose_worker_identity(std::nullopt);
  CHECK(in_child([&] {
          if (setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
              setresuid(identity->uid, identity->uid, identity->uid) != 0)
            return 77;
          return open(worker.proc("maps").c_str(), O_RDONLY) < 0 && errno == EACCES ? 0 : 1;
        }) == 0);
}

TEST_CASE("the layers that a worker reports are those that are in force") {
  if (!is_root()) return skip("needs root");
  const LiveWorker worker;
  const auto has = [&](const std::string& text) { return worker.layers().find(text) != std::string::npos; };
  CHECK(has(kFilterReport));
  CHECK(has("uid " + std::to_string(choose_worker_identity(std::nullopt)->uid)));
  CHECK(has("capabilities: none, bounding set empty"));
  CHECK(has("namespaces: mount pid net ipc uts cgroup;"));
  CHECK(has("root: empty read-only tmpfs, all other mounts gone"));
  CHECK(has("NOFILE 0"));
}

TEST_CASE("a live worker survives being stopped and continued") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const LiveWorker worker;
  const pid_t pid = worker.pid();
  REQUIRE(kill(pid, SIGSTOP) == 0);
  int status = 0;
  REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
  REQUIRE(WIFSTOPPED(status));
  REQUIRE(kill(pid, SIGCONT) == 0);
  REQUIRE(waitpid(pid, &status, WCONTINUED) == pid);
  // A read(2) that was interrupted starts again by itself, without restart_syscall(2), which would kill it.
  CHECK(waitpid(pid, &status, WNOHANG) == 0);
}

namespace {

/// A broker that kills itself as soon as its worker is confined. True when the worker is dead a second later.
bool worker_dies_with_broker(const std::function<bool()>& prepare, bool allow_landlock_only) {
  int disk_ends[2];
  int report[2];
  REQUIRE(pipe2(disk_ends, O_CLOEXEC) == 0);
  REQUIRE(pipe2(report, O_CLOEXEC) == 0);
  const UniqueFd disk(disk_ends[0]);
  const UniqueFd byte_source(disk_ends[1]);
  const UniqueFd report_reader(report[0]);
  const UniqueFd report_writer(report[1]);
  const int status = in_child([&] {
    if (!prepare()) return 77;
    auto probe =
        start_probe("wait for the disk",
                    {.allow_landlock_only = allow_landlock_only, .disk_fd = disk.get(), .two_disks = false});
    std::string line;
    if (!probe || !probe->read_line(line) || !line.starts_with("confined ")) return 1;
    const pid_t pid = probe->worker.pid();
    if (write(report_writer.get(), &pid, sizeof(pid)) != sizeof(pid)) return 1;
    raise(SIGKILL);
    return 1;
  });
  REQUIRE(status == 128 + SIGKILL);
  pid_t worker = 0;
  REQUIRE(read(report_reader.get(), &worker, sizeof(worker)) == sizeof(worker));
  for (int tenths = 0; tenths < 10 && !is_dead(worker); ++tenths) usleep(100'000);
  return is_dead(worker);
}

}  // namespace

TEST_CASE("a worker is gone within a second after its broker was killed") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  CHECK(worker_dies_with_broker([] { return true; }, false));
}

TEST_CASE("a worker without a pid namespace is gone within a second after its broker was killed") {
  if (landlock_abi() == 0) return skip("this kernel has no Landlock");
  if (!is_root()) return skip("needs root, to take the namespaces away from it");
  CHECK(worker_dies_with_broker(drop_sys_admin, true));
}

}  // namespace pvhgrub::sandbox::test
