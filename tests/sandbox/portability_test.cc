// SPDX-License-Identifier: LGPL-2.1-or-later
// Which layers there are under which caller and kernel, and that the worker refuses where too few are left.
#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <iostream>

#include "tests/sandbox/kernel_shim.h"
#include "tests/sandbox/probe_runner.h"

namespace pvhgrub::sandbox::test {
namespace {

constexpr uid_t kSomebody = 12345;

constexpr const char* kPivoted = "root: empty read-only tmpfs, all other mounts gone";
constexpr const char* kLandlockAlone = "root: the host's, denied by Landlock alone";

bool become_somebody() {
  return setgroups(0, nullptr) == 0 && setresgid(kSomebody, kSomebody, kSomebody) == 0 &&
         setresuid(kSomebody, kSomebody, kSomebody) == 0;
}

/// True where an unprivileged process may make a user namespace and can reach the probe.
bool somebody_can_confine() {
  return in_child([] {
           if (!become_somebody() || access(probe_path().c_str(), X_OK) != 0) return 1;
           return unshare(CLONE_NEWUSER) == 0 ? 0 : 1;
         }) == 0;
}

/// In a child: confined, with each of these in the layers, and a host file denied. 0 when so.
int expect_layers(const ProbeOptions& options, std::initializer_list<const char*> wanted) {
  const auto result = run_probe("openat of a host file", options);
  if (!result) {
    std::cerr << result.error().describe() << '\n';
    return 1;
  }
  for (const char* text : wanted) {
    if (result->layers.find(text) != std::string::npos) continue;
    std::cerr << "no \"" << text << "\" in \"" << result->layers << "\"; " << result->answer << '\n';
    return 1;
  }
  const std::string denied = "errno " + (kFiltered ? std::to_string(EPERM) : std::string());
  return result->answer.starts_with(denied) ? 0 : 2;
}

/// In a child: the broker or the worker refuses with kSandbox, with this in its message. 0 when so.
int expect_refusal(const ProbeOptions& options, const std::string& wanted) {
  const auto result = run_probe("nothing", options);
  const std::string message = result ? result->answer : result.error().describe();
  const bool refused = result ? result->answer.starts_with("refused ") &&
                                    result->reason == ExitReason{ExitReason::Kind::kExited, 3}
                              : result.error().code == ErrorCode::kSandbox;
  if (refused && message.find(wanted) != std::string::npos) return 0;
  std::cerr << "not refused with \"" << wanted << "\": " << message << '\n';
  return 1;
}

/// A directory, no mount point itself, below which the host's top directories can be reached.
class Chroot {
 public:
  Chroot() {
    std::string path = "/tmp/pvhgrub-chroot-XXXXXX";
    path_ = mkdtemp(path.data());
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
    for (const auto& entry : std::filesystem::directory_iterator("/")) {
      const std::string target = path_ + entry.path().string();
      if (entry.is_symlink())
        std::filesystem::copy_symlink(entry.path(), target);
      else if (entry.is_directory())
        std::filesystem::create_directory(target);
    }
  }
  Chroot(const Chroot&) = delete;
  Chroot& operator=(const Chroot&) = delete;
  ~Chroot() { std::filesystem::remove_all(path_); }

  /// In a child, which takes the mounts with it.
  [[nodiscard]] bool enter() const {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return false;
    for (const auto& entry : std::filesystem::directory_iterator("/"))
      if (entry.is_directory() && !entry.is_symlink())
        mount(entry.path().c_str(), (path_ + entry.path().string()).c_str(), nullptr, MS_BIND | MS_REC,
              nullptr);
    return chroot(path_.c_str()) == 0 && chdir("/") == 0;
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("root needs no user namespace") {
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          if (!install_shim(without_user_namespaces(ENOSPC))) return 77;
          return expect_layers({},
                               {"namespaces: mount pid net ipc uts cgroup;", kPivoted, "bounding set empty"});
        }) == 0);
}

TEST_CASE("an unprivileged caller gets the same in a user namespace, with its own uid") {
  if (!is_root()) return skip("needs root, to become somebody");
  if (!somebody_can_confine()) return skip("unprivileged user namespaces, or the build folder, are closed");
  CHECK(in_child([] {
          if (!become_somebody()) return 77;
          return expect_layers({}, {"namespaces: user mount pid net ipc uts cgroup;", kPivoted,
                                    "uid 12345 gid 12345", "bounding set empty"});
        }) == 0);
}

TEST_CASE("an unprivileged caller that has no_new_privs already is confined all the same") {
  if (!is_root()) return skip("needs root, to become somebody");
  if (!somebody_can_confine()) return skip("unprivileged user namespaces, or the build folder, are closed");
  CHECK(in_child([] {
          // A shim sets no_new_privs.
          if (!become_somebody() || !install_shim(without_cgroup_namespaces())) return 77;
          return expect_layers({}, {"namespaces: user mount pid net ipc uts;", kPivoted});
        }) == 0);
}

TEST_CASE("an unprivileged caller without user namespaces is refused unless Landlock alone is allowed") {
  if (landlock_abi() == 0) return skip("this kernel has no Landlock");
  if (!is_root()) return skip("needs root, to become somebody");
  for (const int error : {EPERM, ENOSPC, EINVAL}) {
    INFO("errno " << error);
    CHECK(in_child([error] {
            if (!become_somebody() || !install_shim(without_user_namespaces(error))) return 77;
            if (const int status = expect_refusal({}, "--allow-landlock-only"); status != 0) return status;
            return expect_layers({.allow_landlock_only = true}, {"namespaces: none", kLandlockAlone,
                                                                 "uid 12345", "NOFILE 0", kFilterReport});
          }) == 0);
  }
}

TEST_CASE("the caller's supplementary groups do not reach a worker of root's") {
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          const gid_t groups[] = {5, 6};
          if (setgroups(2, groups) != 0) return 77;
          return expect_layers({}, {"no other groups"});
        }) == 0);
}

TEST_CASE("Landlock alone keeps a worker from signals to processes of its own user") {
  if (!is_root()) return skip("needs root, to become somebody");
  if (landlock_abi() < 6) return skip("this kernel's Landlock knows nothing of signals");
  CHECK(in_child([] {
          if (!become_somebody() || !install_shim(without_user_namespaces(EPERM))) return 77;
          const auto result = run_probe("kill of the broker",
                                        {.worker = unfiltered_probe_path(), .allow_landlock_only = true});
          return result && result->answer == "errno " + std::to_string(EPERM) ? 0 : 1;
        }) == 0);
}

TEST_CASE("root without CAP_SYS_ADMIN is refused unless Landlock alone is allowed") {
  if (landlock_abi() == 0) return skip("this kernel has no Landlock");
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          if (!drop_sys_admin()) return 77;
          if (const int status = expect_refusal({}, "--allow-landlock-only"); status != 0) return status;
          return expect_layers({.allow_landlock_only = true},
                               {"namespaces: none", kLandlockAlone, "no other groups", "bounding set empty"});
        }) == 0);
}

TEST_CASE("a kernel without Landlock is no error where there are namespaces") {
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          if (!install_shim(without_landlock())) return 77;
          return expect_layers({}, {kPivoted, "landlock: not in this kernel"});
        }) == 0);
}

TEST_CASE("a kernel without namespaces and Landlock is refused, whatever is allowed") {
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          if (!drop_sys_admin() || !install_shim(without_landlock())) return 77;
          return expect_refusal({.allow_landlock_only = true}, "neither namespaces nor Landlock");
        }) == 0);
}

TEST_CASE("a kernel without seccomp is refused, whatever is allowed") {
  if (!is_root()) return skip("needs root");
  if (!kFiltered) return skip("a sanitizer build has no filter");
  for (const bool allow : {false, true})
    CHECK(in_child([allow] {
            if (!install_shim(without_seccomp())) return 77;
            return expect_refusal({.allow_landlock_only = allow}, "seccomp");
          }) == 0);
}

TEST_CASE("a kernel as old as 4.19 confines root fully but for Landlock") {
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          if (!install_shim(as_in_4_19())) return 77;
          // A stray descriptor must not reach the worker although close_range is missing.
          const UniqueFd stray(fcntl(0, F_DUPFD, 40));
          return expect_layers({}, {kPivoted, "landlock: not in this kernel", kFilterReport});
        }) == 0);
}

TEST_CASE("a descriptor that the old kernel's way of closing misses makes the worker refuse") {
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          // Opened under a higher limit than the one that holds now.
          const UniqueFd stray(fcntl(0, F_DUPFD, 200));
          const rlimit lower{.rlim_cur = 100, .rlim_max = 1024};
          if (!stray.valid() || setrlimit(RLIMIT_NOFILE, &lower) != 0 || !install_shim(as_in_4_19()))
            return 77;
          return expect_refusal({}, "descriptor 200 is open");
        }) == 0);
}

TEST_CASE("where mounts are refused inside the namespaces only Landlock can stand in") {
  if (landlock_abi() == 0) return skip("this kernel has no Landlock");
  if (!is_root()) return skip("needs root");
  CHECK(in_child([] {
          if (!install_shim(without_mounts())) return 77;
          if (const int status = expect_refusal({}, "mounts private"); status != 0) return status;
          return expect_layers({.allow_landlock_only = true},
                               {"namespaces: mount pid net ipc uts cgroup;", kLandlockAlone});
        }) == 0);
}

TEST_CASE("root in a chroot gets an empty root that is mounted nowhere") {
  if (!is_root()) return skip("needs root");
  const Chroot chroot;
  CHECK(in_child([&] {
          if (!chroot.enter()) return 77;
          return expect_layers({}, {"root: empty read-only tmpfs by chroot", "namespaces: mount"});
        }) == 0);
}

TEST_CASE("root in a chroot on a kernel without detached mounts is refused") {
  if (!is_root()) return skip("needs root");
  const Chroot chroot;
  CHECK(in_child([&] {
          if (!chroot.enter() || !install_shim(as_in_4_19())) return 77;
          return expect_refusal({}, "mounts private");
        }) == 0);
}

TEST_CASE("an unprivileged caller in a chroot is refused") {
  if (!is_root()) return skip("needs root");
  const Chroot chroot;
  CHECK(in_child([&] {
          if (!chroot.enter() || !become_somebody()) return 77;
          return expect_refusal({}, "user namespaces are refused");
        }) == 0);
}

}  // namespace pvhgrub::sandbox::test
