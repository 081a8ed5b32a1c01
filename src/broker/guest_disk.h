// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "protocol/messages.h"

namespace pvhgrub::broker {

/// A disk, open read-only, and what the kernel says of it.
struct GuestDisk {
  UniqueFd fd;
  protocol::RequestDisk facts;  ///< its descriptor number is set when it is handed to a worker
};

/// Opens a regular file or block device; never waits (a FIFO is refused), never follows a device's own logic
/// (character devices are refused).
[[nodiscard]] Result<GuestDisk> open_guest_disk(const std::string& path);

/// The file's bytes (or standard input's, for "-") in a sealed memfd: a worker can read it, and nobody can
/// change it meanwhile. At most limits::kScriptBytes.
[[nodiscard]] Result<UniqueFd> load_script(const std::string& path);

}  // namespace pvhgrub::broker
