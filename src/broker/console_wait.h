// SPDX-License-Identifier: LGPL-2.1-or-later
// Why a bootloader may be too fast: under `xl create -c` xl starts the console client one second after the
// bootloader, and a bootloader that ends before that client has opened its pty leaves xl waiting for ever and
// the domain paused.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "src/broker/termination.h"

namespace pvhgrub::broker {

/// Returns when ending is safe: at once unless the parent is an xl that was started with `create ... -c`;
/// then when its child `xenconsole` has a pty open beside 0-2, when the parent is gone, when a signal comes,
/// or after limits::kConsoleWaitMilliseconds. `proc` is where procfs is mounted.
void wait_for_console(const std::string& proc, pid_t parent, const Termination& termination);

/// True when this command line (arguments separated by NUL, as in /proc/PID/cmdline) is xl creating a domain
/// with its console attached.
[[nodiscard]] bool is_create_with_console(std::string_view command_line);

/// True when a child of `parent` called xenconsole has opened its pty.
[[nodiscard]] bool console_is_open(const std::string& proc, pid_t parent);

}  // namespace pvhgrub::broker
