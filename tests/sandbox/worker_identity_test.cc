// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/worker_identity.h"

#include <pwd.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/sandbox/probe_runner.h"

namespace pvhgrub::sandbox::test {

TEST_CASE("--runas never names root or the id that means nobody in particular") {
  for (const uid_t uid : {uid_t{0}, static_cast<uid_t>(-1)}) {
    const auto identity = choose_worker_identity(uid);
    REQUIRE(!identity.has_value());
    CHECK(identity.error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("--runas takes the account's group, and the uid's number where there is no account") {
  if (!is_root()) return skip("needs root");
  const passwd* nobody = getpwnam("nobody");
  if (nobody == nullptr) return skip("there is no user nobody");
  const auto of_account = choose_worker_identity(nobody->pw_uid);
  REQUIRE(of_account.has_value());
  CHECK(of_account->gid == nobody->pw_gid);
  const auto unknown = choose_worker_identity(kFirstUnusedUid + 7);
  REQUIRE(unknown.has_value());
  CHECK(unknown->uid == kFirstUnusedUid + 7);
  CHECK(unknown->gid == kFirstUnusedUid + 7);
}

TEST_CASE("without --runas and without the user pvhgrub, root's worker gets an id of the documented range") {
  if (!is_root()) return skip("needs root");
  if (getpwnam(kWorkerUser) != nullptr) return skip("the user pvhgrub exists here");
  const auto identity = choose_worker_identity(std::nullopt);
  REQUIRE(identity.has_value());
  CHECK(identity->uid >= kFirstUnusedUid);
  CHECK(identity->uid < kFirstUnusedUid + kUnusedUids);
  CHECK(identity->gid == identity->uid);
  CHECK(getpwuid(identity->uid) == nullptr);
}

TEST_CASE("a worker of --runas runs as that user") {
  if (!is_root()) return skip("needs root");
  const auto result = run_probe("nothing", {.run_as = 23456});
  REQUIRE(result.has_value());
  CHECK(result->layers.find("uid 23456 gid 23456, no other groups") != std::string::npos);
}

TEST_CASE("an unprivileged caller can only name itself with --runas") {
  if (!is_root()) return skip("needs root, to become somebody");
  CHECK(in_child([] {
          if (setresgid(12345, 12345, 12345) != 0 || setresuid(12345, 12345, 12345) != 0) return 77;
          const auto other = choose_worker_identity(12346);
          const auto itself = choose_worker_identity(12345);
          const auto none = choose_worker_identity(std::nullopt);
          return !other && other.error().code == ErrorCode::kUsage && itself && itself->uid == 12345 &&
                         none && none->uid == 12345
                     ? 0
                     : 1;
        }) == 0);
}

TEST_CASE("a second process beside the worker is another user") {
  if (geteuid() != 0) return;
  const auto worker = choose_worker_identity(std::nullopt);
  const auto other = choose_worker_identity(std::nullopt, true);
  REQUIRE(worker.has_value());
  REQUIRE(other.has_value());
  CHECK(worker->uid != other->uid);
  CHECK(worker->gid != other->gid);
  CHECK(other->uid >= kFirstUnusedUid);
  CHECK(other->uid < kFirstUnusedUid + kUnusedUids);
  const auto named = choose_worker_identity(kFirstUnusedUid + 7, true);
  REQUIRE(named.has_value());
  CHECK(named->uid == kFirstUnusedUid + 7);
}

}  // namespace pvhgrub::sandbox::test
