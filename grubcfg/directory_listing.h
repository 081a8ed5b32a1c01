// SPDX-License-Identifier: LGPL-2.1-or-later
// What `ls` prints (GRUB manual, "ls").
#pragma once

#include "base/result.h"
#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

/// ls [-l] [-h] [-a] [FILE...]: without an argument the devices; of a device its file system; of a directory
/// what is in it.
[[nodiscard]] Result<Status> run_ls(Evaluator& evaluator, const CommandCall& call);

}  // namespace pvhgrub::grubcfg
