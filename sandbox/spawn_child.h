// SPDX-License-Identifier: LGPL-2.1-or-later
// What the worker's process does between clone(2) and execve(2). Private to the sandbox.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pvhgrub::sandbox {

struct FdGrant;

/// All that the child needs, made ready beforehand: it may not allocate.
struct ChildSetup {
  std::span<const FdGrant> grants;
  int highest_number = 2;  ///< of the grants' numbers, at least 2
  int error_pipe = -1;     ///< takes one ChildFailure; closed by a successful execve
  bool new_user_namespace = false;
  std::string_view uid_map;  ///< lines for /proc/self/uid_map and gid_map, in a new user namespace
  std::string_view gid_map;
  const char* path = nullptr;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
};

enum class ChildStep : int { kSession, kUserMap, kDevNull, kDescriptors, kDirectory, kSignals, kExec };

/// What the child writes to the error pipe: one write of one struct, below PIPE_BUF, so whole or not at all.
struct ChildFailure {
  ChildStep step;
  int system_errno;
};

/// "cannot ..." in words.
[[nodiscard]] std::string_view describe(ChildStep step);

/// Runs in the child, where only async-signal-safe calls are allowed: the caller may have had threads, whose
/// locks (the allocator's) stay locked here for ever. All signals are blocked on entry.
[[noreturn]] void run_child(const ChildSetup& setup);

}  // namespace pvhgrub::sandbox
