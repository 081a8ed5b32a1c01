// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/worker_identity.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <string>

#include "sandbox/sandbox_error.h"

namespace pvhgrub::sandbox {
namespace {

constexpr uid_t kNoUid = static_cast<uid_t>(-1);
/// Look-ups may go to a directory server: a range this full of accounts means that somebody uses it all.
constexpr uid_t kTries = 64;

Result<WorkerIdentity> identity_of_run_as(uid_t uid) {
  const passwd* account = getpwuid(uid);
  if (account != nullptr && account->pw_gid != 0) return WorkerIdentity{uid, account->pw_gid};
  return WorkerIdentity{uid, uid};
}

Result<WorkerIdentity> unused_identity(bool apart) {
  // Half the range away, where the worker does not come in its tries.
  const uid_t start = static_cast<uid_t>(getpid()) % kUnusedUids + (apart ? kUnusedUids / 2 : 0);
  for (uid_t i = 0; i < kTries; ++i) {
    const uid_t id = kFirstUnusedUid + (start + i) % kUnusedUids;
    if (getpwuid(id) == nullptr && getgrgid(id) == nullptr) return WorkerIdentity{id, id};
  }
  return sandbox_failure("no unused user id was found from " + std::to_string(kFirstUnusedUid) +
                         " on; name one with --runas or make the user \"" + kWorkerUser + "\"");
}

}  // namespace

Result<WorkerIdentity> choose_worker_identity(std::optional<uid_t> run_as, bool apart) {
  if (run_as && (*run_as == 0 || *run_as == kNoUid))
    return fail(ErrorCode::kUsage, "--runas takes an unprivileged user's id, not " + std::to_string(*run_as));
  const uid_t caller = geteuid();
  if (caller != 0) {
    if (run_as && *run_as != caller)
      return fail(ErrorCode::kUsage, "--runas=" + std::to_string(*run_as) + " needs root; this is user " +
                                         std::to_string(caller));
    return WorkerIdentity{caller, getegid()};
  }
  if (run_as) return identity_of_run_as(*run_as);
  if (apart) return unused_identity(true);
  const passwd* account = getpwnam(kWorkerUser);
  if (account == nullptr) return unused_identity(false);
  if (account->pw_uid == 0 || account->pw_gid == 0)
    return sandbox_failure(std::string("the user \"") + kWorkerUser + "\" has uid or gid 0");
  return WorkerIdentity{account->pw_uid, account->pw_gid};
}

}  // namespace pvhgrub::sandbox
