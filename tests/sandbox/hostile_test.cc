// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <iostream>

#include "tests/sandbox/probe_runner.h"
#include "tests/sandbox/probes.h"

namespace pvhgrub::sandbox::test {
namespace {

const ExitReason kStopped{ExitReason::Kind::kSignaled, SIGSYS};

/// What the probe's outcome was, in the words of Expected.
std::string outcome(const ProbeResult& result) {
  if (result.reason == kStopped) return "killed";
  if (result.answer == "errno " + std::to_string(EPERM)) return "refused";
  if (result.answer == "allowed" || (result.answer.empty() && result.reason.succeeded())) return "allowed";
  return result.answer + ", " + result.reason.describe();
}

std::string wanted(Expected expected) {
  if (expected == Expected::kKilled) return "killed";
  return expected == Expected::kRefused ? "refused" : "allowed";
}

/// Every one of `probes` whose outcome is not the expected one, with what it was.
std::string wrong_outcomes_of(std::span<const Probe> probes, const ProbeOptions& options) {
  std::string wrong;
  for (const Probe& probe : probes) {
    const auto result = run_probe(std::string(probe.name), options);
    const std::string got = result ? outcome(*result) : result.error().describe();
    if (got != wanted(probe.expected))
      wrong += std::string(probe.name) + ": " + got + ", not " + wanted(probe.expected) + "\n";
  }
  return wrong;
}

std::string wrong_outcomes(const ProbeOptions& options) {
  return wrong_outcomes_of(all_probes(), options);
}

/// With the filter left out: every probe that the other layers let pass. An error of any kind, or a death, is
/// a block.
std::string passed_unfiltered(ProbeOptions options) {
  options.worker = unfiltered_probe_path();
  std::string passed;
  for (const Probe& probe : all_probes()) {
    if (probe.unfiltered == Unfiltered::kNotRun) continue;
    const auto result = run_probe(std::string(probe.name), options);
    if (!result || result->layers.find("LEFT OUT") == std::string::npos)
      passed += std::string(probe.name) + ": could not be tried\n";
    else if (!result->answer.starts_with("errno ") && result->reason.succeeded())
      passed += std::string(probe.name) + ": " + result->answer + "\n";
  }
  return passed;
}

/// Root without CAP_SYS_ADMIN gets no namespaces.
int landlock_only_in_child(const std::function<std::string(ProbeOptions)>& run) {
  return in_child([&run] {
    if (!drop_sys_admin()) return 77;
    const std::string wrong = run({.allow_landlock_only = true});
    std::cerr << wrong;
    return wrong.empty() ? 0 : 1;
  });
}

}  // namespace

TEST_CASE("a hostile worker gets nothing but what the table allows") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  if (!kFiltered) return skip("a sanitizer build has no filter and no RLIMIT_AS");
  CHECK(wrong_outcomes({}) == "");
}

TEST_CASE("a hostile worker gets nothing more where Landlock stands in for the namespaces") {
  if (landlock_abi() == 0) return skip("this kernel has no Landlock");
  if (!kFiltered) return skip("a sanitizer build has no filter and no RLIMIT_AS");
  if (!is_root()) return skip("needs root, to take the namespaces away from it");
  CHECK(landlock_only_in_child(wrong_outcomes) == 0);
}

TEST_CASE("an appliance beside it gives a hostile worker its socket to read and write, and nothing else") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  if (!kFiltered) return skip("a sanitizer build has no filter and no RLIMIT_AS");
  CHECK(wrong_outcomes({.appliance = true}) == "");
  CHECK(wrong_outcomes_of(appliance_probes(), {.appliance = true}) == "");
}

TEST_CASE("without an appliance its number is nobody's") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  if (!kFiltered) return skip("a sanitizer build has no filter and no RLIMIT_AS");
  std::string alive;
  for (const Probe& probe : appliance_probes()) {
    const auto result = run_probe(std::string(probe.name));
    if (!result || result->reason != kStopped) alive += std::string(probe.name) + "\n";
  }
  CHECK(alive == "");
}

TEST_CASE("a terminal gives a hostile worker a screen and keys, and no way to type for others") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  if (!kFiltered) return skip("a sanitizer build has no filter and no RLIMIT_AS");
  CHECK(wrong_outcomes_of(terminal_probes(), {.terminal = true}) == "");
  CHECK(wrong_outcomes_of(terminal_probes(), {.appliance = true, .terminal = true}) == "");
  // All else is as without; only what the terminal's rows speak of is told apart above.
  std::vector<Probe> others;
  for (const Probe& probe : all_probes())
    if (probe.call != "ioctl" && probe.call != "poll" && probe.call != "ppoll" &&
        probe.call != "rt_sigaction")
      others.push_back(probe);
  CHECK(wrong_outcomes_of(others, {.terminal = true}) == "");
}

TEST_CASE("without a menu a terminal on standard input is nobody's") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  if (!kFiltered) return skip("a sanitizer build has no filter and no RLIMIT_AS");
  std::string passed;
  for (const Probe& probe : terminal_probes()) {
    const auto result = run_probe(std::string(probe.name));
    if (!result || outcome(*result) == "allowed") passed += std::string(probe.name) + "\n";
  }
  CHECK(passed == "");
}

TEST_CASE("without the seccomp filter the namespaces and limits stop what matters") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  CHECK(passed_unfiltered({}) == "");
}

TEST_CASE("without the seccomp filter and the namespaces Landlock and the limits stop what matters") {
  if (landlock_abi() == 0) return skip("this kernel has no Landlock");
  if (!is_root()) return skip("needs root, to take the namespaces away from it");
  CHECK(landlock_only_in_child(passed_unfiltered) == 0);
}

TEST_CASE("there are more than forty hostile probes") {
  const auto hostile = [](const Probe& probe) { return probe.expected != Expected::kAllowed; };
  CHECK(std::ranges::count_if(all_probes(), hostile) >= 40);
}

TEST_CASE("a worker that is given a disk open for writing refuses") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const UniqueFd disk = scratch_disk(O_RDWR);
  const auto result = run_probe("nothing", {.disk_fd = disk.get()});
  REQUIRE(result.has_value());
  CHECK(result->answer.find("the disk on descriptor 3 is open for writing") != std::string::npos);
  CHECK(result->reason == ExitReason{ExitReason::Kind::kExited, 3});
}

TEST_CASE("a worker with a second thread refuses: the filter would not hold for it") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const auto result = run_probe("a second thread first");
  REQUIRE(result.has_value());
  CHECK(result->answer.find("more than one thread") != std::string::npos);
  CHECK(result->reason == ExitReason{ExitReason::Kind::kExited, 3});
}

TEST_CASE("a worker that runs out of memory gets an error from malloc and lives") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  if (!kFiltered) return skip("a sanitizer build has no filter and no RLIMIT_AS");
  for (const char* name : {"exhaust memory in small blocks", "exhaust memory in large blocks"}) {
    const auto result = run_probe(name);
    INFO(name);
    REQUIRE(result.has_value());
    CHECK(result->reason.succeeded());
    CHECK(result->answer.starts_with("exhausted "));
    // Megabytes: near RLIMIT_AS (192), so that the limit and not an accident ended it.
    const int megabytes = std::stoi(result->answer.substr(10));
    CHECK(megabytes > 100);
    CHECK(megabytes < 192);
  }
}

TEST_CASE("a worker that aborts is never seen as one that ended well") {
  if (!can_confine()) return skip("this machine refuses namespaces");
  const auto result = run_probe("abort");
  REQUIRE(result.has_value());
  CHECK(!result->reason.succeeded());
  if (kFiltered) CHECK(result->reason == kStopped);  // abort(3) asks for calls that the table has not
}

}  // namespace pvhgrub::sandbox::test
