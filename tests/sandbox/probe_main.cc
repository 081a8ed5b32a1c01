// SPDX-License-Identifier: LGPL-2.1-or-later
// A worker that has been taken over: confines itself as the real one does, then tries one thing and tells, if
// it still can, what came of it. The request on the channel is "PROBE\nBROKER_PID DISKS\n", with an A
// behind DISKS where there is an appliance, and a T where its standard input is a terminal.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <thread>

#include "sandbox/confine.h"
#include "tests/sandbox/probes.h"

namespace pvhgrub::sandbox::test {
namespace {

void tell(const std::string& text) {
  if (write(kChannel, text.data(), text.size()) != static_cast<ssize_t>(text.size())) _exit(9);
}

std::string read_line() {
  std::string line;
  char c = 0;
  while (read(kChannel, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

/// Takes memory until there is none: must end in std::bad_alloc, not in a call that the filter forbids.
std::string exhaust_memory(std::size_t block) {
  struct Link {
    Link* next;
  };
  Link* chain = nullptr;
  std::size_t total = 0;
  for (;;) {
    void* memory = ::operator new(block, std::nothrow);
    if (memory == nullptr) break;
    std::memset(memory, 1, block);
    chain = new (memory) Link{chain};
    total += block;
  }
  while (chain != nullptr) {
    Link* next = chain->next;
    ::operator delete(chain);
    chain = next;
  }
  return "exhausted " + std::to_string(total >> 20) + "\n";
}

/// What is no single system call. Returns the text to tell, or nothing when there is no such probe.
std::string run_special(const std::string& name) {
  if (name == "nothing") return "nothing\n";
  if (name == "exhaust memory in small blocks") return exhaust_memory(200);
  if (name == "exhaust memory in large blocks") return exhaust_memory(std::size_t{1} << 20);
  if (name == "wait for the disk") {
    char c = 0;
    // The disk is a pipe that never gets a byte: the worker stays.
    const ssize_t count = read(kDisk, &c, 1);
    return "read " + std::to_string(count) + "\n";
  }
  if (name == "spin")
    for (;;) __asm__ volatile("");
  if (name == "abort") std::abort();
  if (name == "write for ever") {
    while (write(kChannel, "x", 1) == 1) continue;
    _exit(errno == EPIPE ? 42 : 43);
  }
  return {};
}

std::string run_probe(const std::string& name, const ProbeContext& context) {
  for (const std::span<const Probe> probes : {all_probes(), appliance_probes(), terminal_probes()})
    for (const Probe& probe : probes) {
      if (probe.name != name) continue;
      errno = 0;
      const long result = probe.run(context);
      return result == -1 ? "errno " + std::to_string(errno) + "\n" : std::string("allowed\n");
    }
  return "no such probe\n";
}

[[noreturn]] void probe_main(int argc, char** argv) {
  const std::string name = read_line();
  if (name == "say before") {
    // Before confinement: what spawn_worker() alone left.
    std::string text = "arguments " + std::to_string(argc) + " environment";
    for (char** variable = environ; *variable != nullptr; ++variable) text += " " + std::string(*variable);
    std::array<char, 256> directory{};
    text +=
        " cwd " + std::string(getcwd(directory.data(), directory.size()) != nullptr ? directory.data() : "?");
    text += " session " + std::to_string(getsid(0) == getpid()) + "\n";
    tell(text);
    _exit(0);
  }
  std::string numbers = read_line();
  ProbeContext context;
  context.broker = static_cast<pid_t>(std::atol(numbers.c_str()));
  ConfineOptions options;
  options.descriptors.channel = kChannel;
  options.descriptors.disks = {kDisk};
  if (numbers.ends_with('T')) {
    numbers.pop_back();
    options.profile = Profile::kMenu;
    options.descriptors.terminal = kTerminal;
  }
  if (numbers.ends_with('A')) {
    numbers.pop_back();
    options.profile =
        options.descriptors.terminal ? Profile::kMenuWithAppliance : Profile::kExtractWithAppliance;
    options.descriptors.appliance = kAppliance;
  }
  if (numbers.ends_with(" 2")) options.descriptors.disks.push_back(kSecondDisk);
  const Result<ConfinePlan> plan = ConfinePlan::from_arguments(argc, argv);
  if (!plan) {
    tell("refused " + plan.error().describe() + "\n");
    _exit(2);
  }
  options.plan = *plan;
  std::optional<std::jthread> thread;
  if (name == "a second thread first") thread.emplace([] { pause(); });
  const Result<LayerReport> report = confine(options);
  if (!report) {
    const std::string text = "refused " + report.error().describe() + "\n";
    // Where the broker is gone nobody takes it.
    [[maybe_unused]] const ssize_t written = write(kChannel, text.data(), text.size());
    _exit(3);
  }
  tell("confined " + report->to_line() + "\n");
  const std::string special = run_special(name);
  tell(special.empty() ? run_probe(name, context) : special);
  _exit(0);
}

}  // namespace
}  // namespace pvhgrub::sandbox::test

int main(int argc, char** argv) {
  pvhgrub::sandbox::test::probe_main(argc, argv);
}
