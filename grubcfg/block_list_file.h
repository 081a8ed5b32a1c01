// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that are lists of blocks of a device (GRUB manual, "How to specify block lists"): "(hd0,gpt2)512+1"
// is the one sector at sector 512 of that partition, "+1" its first sector.
#pragma once

#include <memory>
#include <string_view>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::grubcfg {

/// Whether GRUB takes what follows the device in a file's name for a list of blocks: all that is no path from
/// the root.
[[nodiscard]] inline bool is_block_list(std::string_view path) {
  return !path.starts_with('/');
}

/// Opens "[OFFSET]+[LENGTH][,...]", in sectors of 512 bytes from the device's start; no LENGTH means up to
/// its end. kSyntax, in GRUB's words, where it is no such list or passes the device's end. `device` and
/// `budget` outlive the result.
[[nodiscard]] Result<std::unique_ptr<fs::File>> open_block_list(fs::BlockSource& device,
                                                                std::string_view list, Budget& budget);

}  // namespace pvhgrub::grubcfg
