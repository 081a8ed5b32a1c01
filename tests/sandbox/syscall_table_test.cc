// SPDX-License-Identifier: LGPL-2.1-or-later
#include <seccomp.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "sandbox/syscall_table.h"
#include "tests/sandbox/probes.h"

namespace pvhgrub::sandbox::test {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::ptrdiff_t conditions(const SyscallRule& rule) {
  return std::ranges::count_if(
      rule.arguments, [](const ArgumentRule& argument) { return argument.test != ArgumentRule::Test::kAny; });
}

std::ptrdiff_t probes_of(std::string_view call, Expected expected) {
  return std::ranges::count_if(
      all_probes(), [&](const Probe& probe) { return probe.call == call && probe.expected == expected; });
}

}  // namespace

TEST_CASE("the extract policy is the reviewed one") {
  // A change here is a change of what a taken-over worker may do: review it, then update the file.
  CHECK(render_policy(Profile::kExtract) == read_file(PVHGRUB_TEST_DATA "/extract.policy"));
}

TEST_CASE("the policies with an appliance and a menu are the reviewed ones") {
  CHECK(render_policy(Profile::kExtractWithAppliance) ==
        read_file(PVHGRUB_TEST_DATA "/extract_with_appliance.policy"));
  CHECK(render_policy(Profile::kMenu) == read_file(PVHGRUB_TEST_DATA "/menu.policy"));
  CHECK(render_policy(Profile::kMenuWithAppliance) ==
        read_file(PVHGRUB_TEST_DATA "/menu_with_appliance.policy"));
}

TEST_CASE("no policy has one row that refuses what another allows") {
  for (const Profile profile :
       {Profile::kExtractWithAppliance, Profile::kMenu, Profile::kMenuWithAppliance}) {
    const auto table = syscall_table(profile);
    for (const SyscallRule& rule : table)
      for (const SyscallRule& other : table)
        if (rule.name == other.name && rule.action != other.action)
          CHECK(rule.arguments[0].test != other.arguments[0].test);
  }
}

TEST_CASE("every row of the terminal is tried with good arguments, and each call with bad ones") {
  for (const SyscallRule& rule : syscall_table(Profile::kMenu)) {
    if (std::ranges::none_of(rule.arguments, [](const auto& argument) {
          return argument.test == ArgumentRule::Test::kTerminal;
        }))
      continue;
    INFO(rule.name);
    const auto of_call = [&](Expected expected) {
      return std::ranges::count_if(terminal_probes(), [&](const Probe& probe) {
        return probe.call == rule.name && probe.expected == expected;
      });
    };
    CHECK(of_call(Expected::kAllowed) >= 1);
    CHECK(of_call(Expected::kKilled) >= 1);
  }
}

TEST_CASE("the extract policy allows at most sixteen calls") {
  const auto allowed = [](const SyscallRule& rule) { return rule.action == SyscallRule::Action::kAllow; };
  CHECK(std::ranges::count_if(syscall_table(Profile::kExtract), allowed) <= 16);
}

TEST_CASE("every call of the table is there once, known to libseccomp, and says why") {
  std::set<std::string_view> names;
  for (const SyscallRule& rule : syscall_table(Profile::kExtract)) {
    INFO(rule.name);
    CHECK(names.insert(rule.name).second);
    CHECK(!rule.why.empty());
    const std::string name(rule.name);
    // Dom0 runs on these two.
    CHECK(seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name.c_str()) >= 0);
    CHECK(seccomp_syscall_resolve_name_arch(SCMP_ARCH_AARCH64, name.c_str()) >= 0);
  }
}

TEST_CASE("every rule is tried with good arguments, and each of its conditions with bad ones") {
  for (const SyscallRule& rule : syscall_table(Profile::kExtract)) {
    INFO(rule.name);
    const bool allow = rule.action == SyscallRule::Action::kAllow;
    CHECK(probes_of(rule.name, allow ? Expected::kAllowed : Expected::kRefused) >= 1);
    CHECK(probes_of(rule.name, Expected::kKilled) >= conditions(rule));
  }
}

TEST_CASE("nothing that is refused has a condition, so that no form of it passes") {
  for (const SyscallRule& rule : syscall_table(Profile::kExtract))
    if (rule.action == SyscallRule::Action::kRefuse) CHECK(conditions(rule) == 0);
}

}  // namespace pvhgrub::sandbox::test
