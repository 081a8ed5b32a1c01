// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "fsreaders/file_system.h"

namespace pvhgrub::worker {

/// `file`, but that its errors of damage tell `name` ("(hd0,gpt2)/boot/vmlinuz") in front of the place on the
/// disk. Errors of whom the contents are sent to stay as they are.
[[nodiscard]] std::unique_ptr<fs::File> name_file(std::unique_ptr<fs::File> file, std::string name);

}  // namespace pvhgrub::worker
