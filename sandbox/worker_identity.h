// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.h"

namespace pvhgrub::sandbox {

/// The range from which a worker's uid (and gid, the same number) is taken when root names none and there is
/// no user "pvhgrub". Above what distributions and systemd hand out (https://systemd.io/UIDS-GIDS/:
/// containers end at 1879048191, foreign ids begin at 2147352576) and above SSSD's default range for
/// directory accounts (2000200000).
inline constexpr uid_t kFirstUnusedUid = 0x7800'0000;  // 2013265920
inline constexpr uid_t kUnusedUids = 65'536;           // to 2013331455

/// The account that packages make for the worker.
inline constexpr const char* kWorkerUser = "pvhgrub";

struct WorkerIdentity {
  uid_t uid = 0;  ///< never 0
  gid_t gid = 0;  ///< never 0 where the caller is root
};

/// Whom the worker runs as.
///   root, --runas=UID: that uid. Its gid is the account's primary group; the uid's own number where there is
///   no such
///     account (libxl passes a base uid plus the domain's id) or where that group is 0.
///   root, no --runas: the user "pvhgrub"; without one, the first id of the range above that no account or
///   group has,
///     counted from the caller's pid on, so that workers of several callers differ.
///   not root: the caller itself; --runas may name nobody else.
/// `apart`: of a second process beside the worker. It gets the same from --runas and from a caller who is not
/// root; else one of the range, not the user "pvhgrub" and not the worker's. kUsage: --runas is 0, (uid_t)-1
/// or not possible. kSandbox: no fit id.
[[nodiscard]] Result<WorkerIdentity> choose_worker_identity(std::optional<uid_t> run_as, bool apart = false);

}  // namespace pvhgrub::sandbox
