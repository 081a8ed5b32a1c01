// SPDX-License-Identifier: LGPL-2.1-or-later
// The one table of what a confined worker may still ask of the kernel. Everything that is not in it kills the
// worker.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pvhgrub::sandbox {

/// What the worker is for; each has its own table.
enum class Profile : std::uint8_t {
  kExtract,               ///< reads disks, answers on the channel
  kExtractWithAppliance,  ///< the same, and asks an appliance on a socket of its own
  kMenu,                  ///< as kExtract, and shows a menu on a terminal
  kMenuWithAppliance,     ///< both
};

[[nodiscard]] constexpr bool has_appliance(Profile profile) {
  return profile == Profile::kExtractWithAppliance || profile == Profile::kMenuWithAppliance;
}
[[nodiscard]] constexpr bool has_terminal(Profile profile) {
  return profile == Profile::kMenu || profile == Profile::kMenuWithAppliance;
}

/// One condition on one argument. All conditions of a rule must hold.
struct ArgumentRule {
  enum class Test : std::uint8_t {
    kAny,         ///< no condition (an unused slot)
    kDisk,        ///< is one of the disks' descriptors
    kChannel,     ///< is the channel's descriptor
    kAppliance,   ///< is the appliance's descriptor
    kTerminal,    ///< is the terminal's descriptor
    kMaskedEqual  ///< (argument & mask) == value
  };
  Test test = Test::kAny;
  unsigned index = 0;  ///< which argument, from 0
  std::uint64_t mask = 0;
  std::uint64_t value = 0;
  std::string_view text = {};  ///< the condition in words, for the rendered policy
};

struct SyscallRule {
  enum class Action : std::uint8_t { kAllow, kRefuse /**< EPERM */ };
  std::string_view name;  ///< as libseccomp names it
  Action action = Action::kAllow;
  std::array<ArgumentRule, 3> arguments = {};
  std::string_view why;
};

/// A call may stand there more than once: each line is one way in which it is allowed.
[[nodiscard]] std::vector<SyscallRule> syscall_table(Profile profile);

/// The table as text, one rule a line: the form in which changes are reviewed (tests/data/sandbox/*.policy).
[[nodiscard]] std::string render_policy(Profile profile);

}  // namespace pvhgrub::sandbox
