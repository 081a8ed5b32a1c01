// SPDX-License-Identifier: LGPL-2.1-or-later
// Which layers of the confinement are in force. The worker fills it in, --sandbox-report prints it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pvhgrub::sandbox {

/// What "/" is for the worker.
enum class RootKind : std::uint8_t {
  kHost,      ///< the host's files, which Landlock denies (only with --allow-landlock-only)
  kPivoted,   ///< an empty read-only tmpfs; every other mount is gone from the namespace
  kDetached,  ///< chroot on an empty read-only tmpfs: where the caller itself is chrooted, pivot_root(2) is
              ///< refused
};

struct LayerReport {
  bool seccomp = false;             ///< false only in a sanitizer build
  std::size_t allowed_calls = 0;    ///< system calls that do something
  std::size_t refused_calls = 0;    ///< system calls that give an error; any other call kills
  uid_t uid = 0;                    ///< as the host sees it
  gid_t gid = 0;                    ///< as the host sees it
  bool groups_dropped = false;      ///< no supplementary groups; an unprivileged caller cannot drop its own
  bool bounding_set_empty = false;  ///< the capability bounding set too (every other set is always empty)
  unsigned long namespaces = 0;     ///< CLONE_NEW* flags
  RootKind root = RootKind::kHost;
  int landlock_abi = 0;             ///< 0: this kernel has no Landlock
  std::vector<std::string> limits;  ///< as "AS 192 MiB", "NOFILE 0"

  /// Everything in one line without a line end, for logs.
  [[nodiscard]] std::string to_line() const;
  /// One layer a line, each ended by '\n', for people.
  [[nodiscard]] std::string to_text() const;
};

}  // namespace pvhgrub::sandbox
