// SPDX-License-Identifier: LGPL-2.1-or-later
// What a worker that has been taken over might try, and what must come of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace pvhgrub::sandbox::test {

inline constexpr int kDisk = 3;
inline constexpr int kChannel = 4;
inline constexpr int kSecondDisk = 6;
inline constexpr int kAppliance = 7;
inline constexpr int kTerminal = 0;

struct ProbeContext {
  pid_t broker = 0;  ///< the spawner's pid, as the spawner sees it
};

enum class Expected : std::uint8_t {
  kKilled,   ///< SIGSYS
  kRefused,  ///< EPERM
  kAllowed,  ///< works: what the worker lives on
};

/// Whether the other layers must stop it too, with the seccomp filter left out.
enum class Unfiltered : std::uint8_t {
  kNotRun,   ///< harmless, or stopped by the filter alone
  kBlocked,  ///< must fail all the same
};

struct Probe {
  std::string_view name;
  std::string_view call;  ///< as libseccomp names it
  Expected expected;
  Unfiltered unfiltered;
  long (*run)(const ProbeContext&);  ///< a system call's result: -1 and errno where it failed
};

[[nodiscard]] std::span<const Probe> all_probes();
/// Of a worker with an appliance beside it; without one each is killed.
[[nodiscard]] std::span<const Probe> appliance_probes();
/// Of a worker that shows a menu on its standard input; in another each is stopped.
[[nodiscard]] std::span<const Probe> terminal_probes();

}  // namespace pvhgrub::sandbox::test
