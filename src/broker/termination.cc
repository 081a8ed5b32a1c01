// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/termination.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

namespace pvhgrub::broker {

std::uint64_t monotonic_milliseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

Result<Termination> Termination::install() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&signals, number);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return fail_errno("cannot block signals");
  // A write to a reader that is gone must be an error, or outputs would be left behind.
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return fail_errno("cannot ignore SIGPIPE");
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return fail_errno("cannot watch for signals");
  return Termination(std::move(fd));
}

Error Termination::reason() const {
  signalfd_siginfo info = {};
  const bool known = read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info));
  const char* name = known ? sigabbrev_np(static_cast<int>(info.ssi_signo)) : nullptr;
  return Error{ErrorCode::kIo, std::string("stopped by signal ") + (name != nullptr ? name : "?"), "", 0};
}

}  // namespace pvhgrub::broker
