// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/layer_report.h"

#include <sched.h>

#include <catch2/catch.hpp>

namespace pvhgrub::sandbox::test {
namespace {

LayerReport full_report() {
  LayerReport report;
  report.seccomp = true;
  report.allowed_calls = 16;
  report.refused_calls = 4;
  report.uid = 2013265930;
  report.gid = 2013265931;
  report.groups_dropped = true;
  report.bounding_set_empty = true;
  report.namespaces = CLONE_NEWNS | CLONE_NEWPID;
  report.root = RootKind::kPivoted;
  report.landlock_abi = 6;
  report.limits = {"AS 192 MiB", "NOFILE 0"};
  return report;
}

}  // namespace

TEST_CASE("a report names every layer in one line") {
  CHECK(full_report().to_line() ==
        "seccomp: 16 calls allowed, 4 refused, any other kills; uid 2013265930 gid 2013265931, no other "
        "groups; "
        "capabilities: none, bounding set empty; namespaces: mount pid; root: empty read-only tmpfs, all "
        "other mounts "
        "gone; landlock: ABI 6, all denied; limits: AS 192 MiB, NOFILE 0; process: no_new_privs, not "
        "dumpable, own "
        "session, dies with its broker");
}

TEST_CASE("a report's text has one layer a line") {
  CHECK(full_report().to_text() ==
        "seccomp:      16 calls allowed, 4 refused, any other kills\n"
        "identity:     uid 2013265930 gid 2013265931, no other groups\n"
        "capabilities: none, bounding set empty\n"
        "namespaces:   mount pid\n"
        "root:         empty read-only tmpfs, all other mounts gone\n"
        "landlock:     ABI 6, all denied\n"
        "limits:       AS 192 MiB, NOFILE 0\n"
        "process:      no_new_privs, not dumpable, own session, dies with its broker\n");
}

TEST_CASE("a report does not claim what is missing") {
  const std::string line = LayerReport().to_line();
  CHECK(line.find("seccomp: LEFT OUT (sanitizer build, not for use)") != std::string::npos);
  CHECK(line.find("the caller's other groups kept") != std::string::npos);
  CHECK(line.find("bounding set kept") != std::string::npos);
  CHECK(line.find("namespaces: none") != std::string::npos);
  CHECK(line.find("root: the host's, denied by Landlock alone") != std::string::npos);
  CHECK(line.find("landlock: not in this kernel") != std::string::npos);
}

}  // namespace pvhgrub::sandbox::test
