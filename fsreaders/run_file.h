// SPDX-License-Identifier: LGPL-2.1-or-later
// Open files as most formats have them: runs of blocks, or bytes that are held in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "fsreaders/block_run.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Where a file's contents lie in `source`: `runs` in blocks of `block_size` bytes; block 0 begins at byte
/// `origin`. What no run covers is a hole, and so is what lies behind `stored` bytes (a file's size may be
/// larger than what was ever written).
struct RunFileLayout {
  std::uint64_t origin = 0;
  std::uint32_t block_size = 0;  ///< bytes, at least 1
  std::uint64_t size = 0;        ///< bytes of the file
  std::uint64_t stored = ~std::uint64_t{0};
  BlockRuns runs;
  /// Why the contents must not be overwritten in place; empty where nothing speaks against it.
  std::string overwriting_obstacle = "files of this file system cannot be overwritten in place";
};

/// `source` outlives the file. The runs lie inside it: the reader has checked them.
[[nodiscard]] std::unique_ptr<File> make_run_file(BlockSource& source, RunFileLayout layout);

/// A file whose contents begin with `contents`; what its size has over them are zeros.
[[nodiscard]] std::unique_ptr<File> make_memory_file(std::uint64_t size, std::vector<std::byte> contents,
                                                     std::string overwriting_obstacle);

}  // namespace pvhgrub::fs
