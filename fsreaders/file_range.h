// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>

#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// A run of a file's bytes as a file of its own: a section of a unified kernel image. kDamaged where it does
/// not lie within the file. What the file hands out as extents, the range does too.
[[nodiscard]] Result<std::unique_ptr<File>> open_file_range(std::unique_ptr<File> file, std::uint64_t offset,
                                                            std::uint64_t size);

}  // namespace pvhgrub::fs
