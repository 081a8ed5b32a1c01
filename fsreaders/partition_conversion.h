// SPDX-License-Identifier: LGPL-2.1-or-later
// From an entry of a table to the partition that it stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fsreaders/block_source.h"
#include "fsreaders/partition_entry.h"
#include "fsreaders/partition_table.h"

namespace pvhgrub::fs {

/// Where the partitions of one table lie, and what they are called.
struct TablePlace {
  const BlockSource& disk;
  std::string disk_name;          ///< "hd0", for messages
  std::string prefix;             ///< of the partitions' names: "gpt", "msdos1,bsd"
  std::uint32_t sector_size = 0;  ///< bytes
  std::uint64_t base = 0;         ///< the byte of the disk that entries count from
};

/// The partition in bytes; nothing, with a note, where it cannot be one.
[[nodiscard]] std::optional<Partition> convert_entry(const TablePlace& place, const TableEntry& entry,
                                                     std::vector<std::string>& notes);

}  // namespace pvhgrub::fs
