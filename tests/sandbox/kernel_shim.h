// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes the kernel look older or stricter to the calling process and its children: chosen calls fail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pvhgrub::sandbox::test {

struct MissingCall {
  std::string name;  ///< as libseccomp names it
  int error;         ///< the errno that it fails with
  /// Only when (argument & mask) == value.
  struct Condition {
    unsigned argument;
    std::uint64_t mask;
    std::uint64_t value;
  };
  std::optional<Condition> only_if = std::nullopt;
};

/// For good, so call it in in_child(). False where it could not be done.
[[nodiscard]] bool install_shim(const std::vector<MissingCall>& missing);

/// What the tests take away.
[[nodiscard]] std::vector<MissingCall> without_user_namespaces(int error);
[[nodiscard]] std::vector<MissingCall> without_landlock();
[[nodiscard]] std::vector<MissingCall> without_mounts();
[[nodiscard]] std::vector<MissingCall> without_seccomp();
[[nodiscard]] std::vector<MissingCall> without_cgroup_namespaces();
/// 4.19, the oldest dom0 kernel in use: none of the calls that came later.
[[nodiscard]] std::vector<MissingCall> as_in_4_19();

}  // namespace pvhgrub::sandbox::test
