// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "fsreaders/file_system.h"

namespace pvhgrub::fs::test {

/// Reads all that can be reached of a file system, whose bytes a test has damaged; true when every file sent
/// what it promised, all of it inside the disk.
[[nodiscard]] bool read_everything(FileSystem& file_system, std::uint64_t disk_size);

}  // namespace pvhgrub::fs::test
