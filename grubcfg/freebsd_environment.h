// SPDX-License-Identifier: LGPL-2.1-or-later
// What FreeBSD's kernel is told when Xen starts it without FreeBSD's loader.
#pragma once

#include <string>
#include <vector>

#include "grubcfg/freebsd_loader_conf.h"

namespace pvhgrub::grubcfg {

struct FreebsdCommandLine {
  std::string text;
  std::vector<std::string> notices;  ///< what the command line cannot say, and what follows from that
};

/// The command line that makes the kernel's environment what the loader would have made it, as far as that
/// can be told. Started with no module, the kernel cuts its command line at commas (since FreeBSD 14 at
/// blanks too) into NAME=VALUE, and keeps them in one page of memory; of flags as "-s" it throws away what
/// they mean, so they go as the variables that they stand for (sys/x86/xen/pv.c, xen_pvh_parse_preload_data;
/// sys/kern/subr_boot.c; sys/kern/kern_environment.c).
[[nodiscard]] FreebsdCommandLine freebsd_command_line(const FreebsdSettings& settings);

}  // namespace pvhgrub::grubcfg
