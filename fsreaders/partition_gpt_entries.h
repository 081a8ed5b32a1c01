// SPDX-License-Identifier: LGPL-2.1-or-later
// The partitions of a GPT whose header was found good, where libfdisk cannot be asked (UEFI specification
// 2.10, section 5.3.3).
#pragma once

#include <vector>

#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/partition_entry.h"
#include "fsreaders/partition_gpt_header.h"

namespace pvhgrub::fs {

/// The entries in use, in order of number.
[[nodiscard]] Result<std::vector<TableEntry>> read_gpt_entries(BlockSource& disk, const GptCheck& check);

}  // namespace pvhgrub::fs
