// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace pvhgrub::fs {

/// One entry of a partition table as the table has it: nothing is checked against the disk yet.
struct TableEntry {
  std::uint64_t number = 0;      ///< from 1
  std::uint64_t start = 0;       ///< sectors of the table's own size
  std::uint64_t sectors = 0;     ///< as above; 0 where the table contradicts itself
  std::string type;              ///< GPT: type GUID; MBR: "0x83"; "bsd:0x07", "sun:0x83"; lower case
  std::string uuid;              ///< GPT: unique GUID, lower case; empty for MBR
  std::string label;             ///< GPT: partition name
  std::uint64_t attributes = 0;  ///< GPT: attribute bits; 0 for MBR
  bool bootable = false;
  bool extended = false;  ///< MBR: only holds the logical ones
};

}  // namespace pvhgrub::fs
