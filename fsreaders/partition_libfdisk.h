// SPDX-License-Identifier: LGPL-2.1-or-later
// The partition table as libfdisk reads it, without judgement: partition_table.cc decides what is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/disk.h"
#include "fsreaders/partition_entry.h"

namespace pvhgrub::fs {

struct LibfdiskTable {
  std::string label_type;     ///< "gpt", "dos", "sun", another of libfdisk's names; empty: no partition table
  std::uint64_t sectors = 0;  ///< of the whole disk, as libfdisk found it
  std::vector<TableEntry> partitions;
  bool spoke = false;  ///< it had something to say: the table is not as it expects one
};

/// Reads the disk's table, which counts in sectors of `sector_size` bytes. The disk is one without an offset.
/// kIo: libfdisk could not read the disk.
[[nodiscard]] Result<LibfdiskTable> read_with_libfdisk(const Disk& disk, std::uint32_t sector_size);

}  // namespace pvhgrub::fs
