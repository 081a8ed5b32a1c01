// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// The type in a file's mode, which every format of Unix stores as stat(2) gives it.
[[nodiscard]] inline FileType type_of_mode(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::kRegular;
    case S_IFDIR:
      return FileType::kDirectory;
    case S_IFLNK:
      return FileType::kSymlink;
    default:
      return FileType::kOther;
  }
}

}  // namespace pvhgrub::fs
