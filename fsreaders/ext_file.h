// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "fsreaders/ext_inode.h"
#include "fsreaders/ext_library.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Opens the contents of a regular file or of a symbolic link that is not stored in its inode's block field.
/// `library` outlives the result. kUnsupported: encrypted.
[[nodiscard]] Result<std::unique_ptr<File>> open_ext_file(const ExtLibrary& library, const ExtInode& inode);

/// The target of a symbolic link, at most limits::kPathBytes.
[[nodiscard]] Result<std::string> read_ext_link(const ExtLibrary& library, const ExtInode& inode);

}  // namespace pvhgrub::fs
