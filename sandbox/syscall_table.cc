// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/syscall_table.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>
#include <vector>

namespace pvhgrub::sandbox {
namespace {

using Action = SyscallRule::Action;
using Test = ArgumentRule::Test;

// Flag arguments are int in the kernel: only their low 32 bits count, and a mask that left some of those out
// would let unknown flags pass.
constexpr std::uint64_t kAllBits = 0xFFFF'FFFF;

constexpr ArgumentRule disk(unsigned index) {
  return {Test::kDisk, index, 0, 0, "is a disk"};
}
constexpr ArgumentRule channel(unsigned index) {
  return {Test::kChannel, index, 0, 0, "is the channel"};
}
constexpr ArgumentRule appliance(unsigned index) {
  return {Test::kAppliance, index, 0, 0, "is the appliance"};
}
constexpr ArgumentRule terminal(unsigned index) {
  return {Test::kTerminal, index, 0, 0, "is the terminal"};
}
constexpr ArgumentRule equals(unsigned index, std::uint64_t value, std::string_view text) {
  return {Test::kMaskedEqual, index, kAllBits, value, text};
}
/// No bit but PROT_READ and PROT_WRITE: above all not PROT_EXEC.
constexpr ArgumentRule not_executable(unsigned index) {
  return {Test::kMaskedEqual, index, kAllBits & ~std::uint64_t{PROT_READ | PROT_WRITE}, 0,
          "only PROT_READ, PROT_WRITE"};
}

constexpr auto kExtractTable = std::to_array<SyscallRule>({
    // The disks, for reading.
    {"pread64", Action::kAllow, {disk(0)}, "every read of a disk of ours"},
    {"read", Action::kAllow, {disk(0)}, "libfdisk reads with lseek and read"},
    {"lseek", Action::kAllow, {disk(0)}, "libfdisk, see read"},
    {"fadvise64", Action::kAllow, {disk(0)}, "drops the stale page cache of a guest's block device"},
    {"fstat",
     Action::kAllow,
     {disk(0)},
     "a disk's size and kind, as older C libraries and other machines ask"},
    {"newfstatat",
     Action::kAllow,
     {disk(0), equals(3, AT_EMPTY_PATH, "AT_EMPTY_PATH")},
     "the same as glibc 2.33 and later ask; a path given anyway meets the empty root"},

    // The only way out.
    {"write", Action::kAllow, {channel(0)}, "frames to the broker"},

    // The allocator.
    {"brk", Action::kAllow, {}, "malloc's heap, within RLIMIT_AS"},
    {"mmap",
     Action::kAllow,
     {not_executable(2), equals(3, MAP_PRIVATE | MAP_ANONYMOUS, "MAP_PRIVATE|MAP_ANONYMOUS"),
      equals(4, kAllBits, "is -1")},
     "malloc's large blocks; never a file, never executable"},
    {"munmap", Action::kAllow, {}, "malloc's large blocks"},
    {"mremap",
     Action::kAllow,
     {equals(3, MREMAP_MAYMOVE, "MREMAP_MAYMOVE")},
     "realloc of a large block; keeps the protection, never to a chosen address"},
    {"mprotect", Action::kAllow, {not_executable(2)}, "malloc grows a heap that is not the main one"},
    {"madvise", Action::kAllow, {equals(2, MADV_DONTNEED, "MADV_DONTNEED")}, "malloc gives memory back"},

    // The rest of the C and C++ libraries.
    {"futex",
     Action::kAllow,
     {equals(1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, "FUTEX_WAKE|FUTEX_PRIVATE_FLAG")},
     "pthread_once wakes waiters that cannot be there: the worker is one thread, so it never waits"},
    {"clock_gettime", Action::kAllow, {}, "budgets of time, where the vDSO cannot read the clock source"},
    {"exit_group", Action::kAllow, {}, "the end"},

    // Asked for by libraries that live well without: an error instead of death. None of these does anything.
    {"openat", Action::kRefuse, {}, "libfdisk looks for /sys and for topology; iconv for its modules"},
    {"ioctl",
     Action::kRefuse,
     {},
     "libfdisk asks a block device for its geometry; TIOCSTI and all others too"},
    {"sysinfo",
     Action::kRefuse,
     {},
     "qsort asks how much memory there is; also proves that the filter is on"},
    {"close", Action::kRefuse, {}, "owners of descriptors on the way out; a free number could be reused"},
});

constexpr auto kApplianceRows = std::to_array<SyscallRule>({
    {"read", Action::kAllow, {appliance(0)}, "answers of the appliance"},
    {"write", Action::kAllow, {appliance(0)}, "questions to the appliance"},
});

// A terminal as ncurses drives it. Never TIOCSTI, which types for whoever reads that terminal next, nor any
// other request: what is not here kills.
constexpr auto kTerminalRows = std::to_array<SyscallRule>({
    {"read", Action::kAllow, {terminal(0)}, "keys"},
    {"write", Action::kAllow, {terminal(0)}, "the screen"},
    {"ioctl",
     Action::kAllow,
     {terminal(0), equals(1, TCGETS, "TCGETS")},
     "the terminal's mode, to put it back"},
    {"ioctl",
     Action::kAllow,
     {terminal(0), equals(1, TCSETSW, "TCSETSW")},
     "the terminal's mode: single keys, no echo; and back"},
    {"ioctl",
     Action::kAllow,
     {terminal(0), equals(1, TIOCGWINSZ, "TIOCGWINSZ")},
     "its size: no signal tells of a change on a terminal that is not the controlling one"},
    {"poll",
     Action::kAllow,
     {equals(1, 1, "is 1")},
     "waits for a key; tells no more than whether there is one"},
    {"ppoll", Action::kAllow, {equals(1, 1, "is 1")}, "the same on machines without poll"},
    {"rt_sigaction", Action::kRefuse, {}, "ncurses shields its output from SIGTSTP, which nobody sends here"},
});

std::string render(const SyscallRule& rule) {
  std::string line = rule.action == Action::kAllow ? "allow  " : "refuse ";
  line += rule.name;
  for (const ArgumentRule& argument : rule.arguments) {
    if (argument.test == Test::kAny) continue;
    line += ", argument " + std::to_string(argument.index) + " ";
    line += argument.text;
  }
  return line;
}

}  // namespace

std::vector<SyscallRule> syscall_table(Profile profile) {
  std::vector<SyscallRule> table(kExtractTable.begin(), kExtractTable.end());
  if (has_appliance(profile)) table.insert(table.end(), kApplianceRows.begin(), kApplianceRows.end());
  if (has_terminal(profile)) {
    // A refusal without a condition would take in the forms that the terminal's rows allow.
    for (SyscallRule& rule : table)
      if (rule.name == "ioctl") rule.arguments[0] = disk(0);
    table.insert(table.end(), kTerminalRows.begin(), kTerminalRows.end());
  }
  return table;
}

std::string render_policy(Profile profile) {
  std::string text = "default kill\nforeign architecture kill\n";
  for (const SyscallRule& rule : syscall_table(profile)) {
    text += render(rule) + "\n    # ";
    text += rule.why;
    text += "\n";
  }
  return text;
}

}  // namespace pvhgrub::sandbox
