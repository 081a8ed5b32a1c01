// SPDX-License-Identifier: LGPL-2.1-or-later
// The partition table as libfdisk reads it, without judgement: partition_table.cc decides what is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/disk.h"

namespace pvhgrub::fs {

struct LibfdiskPartition {
  std::uint64_t number = 0;   ///< from 1
  std::uint64_t start = 0;    ///< sectors of the size that was asked for
  std::uint64_t sectors = 0;  ///< as above; 0 where the table contradicts itself
  std::string type;           ///< GPT: type GUID; MBR: "0x83"; lower case
  std::string uuid;           ///< GPT: unique GUID, lower case; empty for MBR
  std::string label;          ///< GPT: partition name
  bool bootable = false;
  bool extended = false;  ///< MBR: only holds the logical ones
};

struct LibfdiskTable {
  std::string label_type;     ///< "gpt", "dos", another of libfdisk's names; empty: no partition table
  std::uint64_t sectors = 0;  ///< of the whole disk, as libfdisk found it
  std::vector<LibfdiskPartition> partitions;
  std::vector<std::string> warnings;  ///< libfdisk's own words
};

/// Reads the disk's table, which counts in sectors of `sector_size` bytes. The disk is one without an offset.
/// kIo: libfdisk could not read the disk.
[[nodiscard]] Result<LibfdiskTable> read_with_libfdisk(const Disk& disk, std::uint32_t sector_size);

}  // namespace pvhgrub::fs
