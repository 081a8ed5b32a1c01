// SPDX-License-Identifier: LGPL-2.1-or-later
// The partitions of a GPT whose header was found good, where libfdisk cannot be asked (UEFI specification
// 2.10, section 5.3.3).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/partition_entry.h"
#include "fsreaders/partition_gpt_header.h"

namespace pvhgrub::fs {

/// The entries in use, in order of number.
[[nodiscard]] Result<std::vector<TableEntry>> read_gpt_entries(BlockSource& disk, const GptCheck& check);

/// UTF-16 in the machine's little-endian order as UTF-8, up to the first NUL; what is no character becomes
/// U+FFFD.
[[nodiscard]] std::string utf8_of_utf16(Bytes bytes);

}  // namespace pvhgrub::fs
