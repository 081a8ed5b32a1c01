// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pvhgrub::fs {

/// Blocks of a file that lie one after another on the file system. 16 bytes, since a file may have millions.
struct BlockRun {
  std::uint32_t logical = 0;   ///< number of the first block in the file
  std::uint32_t count = 0;     ///< blocks, at least 1
  std::uint64_t physical = 0;  ///< number of the first block in the file system
  [[nodiscard]] std::uint64_t logical_end() const { return std::uint64_t{logical} + count; }
  friend bool operator==(const BlockRun&, const BlockRun&) = default;
};

/// A file's runs in ascending order of `logical`, without overlap; what no run covers is a hole.
using BlockRuns = std::vector<BlockRun>;

/// The first run that ends after `block` (it holds the block, or is the next one after a hole), or end().
[[nodiscard]] inline BlockRuns::const_iterator find_run(const BlockRuns& runs, std::uint64_t block) {
  return std::ranges::upper_bound(runs, block, {}, [](const BlockRun& run) { return run.logical_end(); });
}

}  // namespace pvhgrub::fs
